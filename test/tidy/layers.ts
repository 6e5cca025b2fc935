/**
 * Who may import whom, lowest layer first: DESIGN.md's table in code. `test/tidy.test.ts` enforces it.
 * `reason` is what the message says to whoever crosses a line.
 */
export interface Layer {
  readonly folder: string;
  readonly mayImport: readonly string[];
  readonly reason: string;
}

const base = ['base'] as const;
const model = [...base, 'model'] as const;
/** docs/decisions/0001-routing-is-for-everyone.md */
const asked = [...model, 'routing'] as const;
const capability = 'capabilities meet in events and are wired in main';

const upToPractice = [
  'base',
  'model',
  'routing',
  'dialects',
  'detect',
  'probe',
  'events',
  'contract',
  'plan',
  'engines',
  'prove',
  'store',
  'agent',
  'change',
  'monitor',
  'alerting',
  'incidents',
  'practice',
] as const;

export const layers: readonly Layer[] = [
  { folder: 'base', mayImport: [], reason: 'base knows nothing of load balancers' },
  { folder: 'routing', mayImport: base, reason: 'routing is pure: a configuration in, requests out' },
  { folder: 'model', mayImport: [...base, 'routing'], reason: 'a site knows no engine' },
  { folder: 'dialects', mayImport: [...model, 'routing'], reason: 'dialects are pure: text in, text out' },
  { folder: 'detect', mayImport: base, reason: 'the statistics are pure' },
  { folder: 'probe', mayImport: asked, reason: 'a probe asks a question, it decides nothing' },
  { folder: 'events', mayImport: model, reason: 'events are facts as types' },
  { folder: 'contract', mayImport: [...model, 'events'], reason: 'the contract is types and schemas' },
  {
    folder: 'plan',
    mayImport: [...model, 'routing', 'dialects', 'contract'],
    reason: 'a plan is pure: two texts in, what changes out',
  },
  {
    folder: 'engines',
    mayImport: [...asked, 'dialects', 'probe'],
    reason: 'an engine runs a text; who decides which, lives above',
  },
  {
    folder: 'prove',
    mayImport: [...model, 'routing', 'dialects', 'contract', 'plan', 'engines'],
    reason: 'a proof runs a text on a stage: who asks for it lives above',
  },
  { folder: 'store', mayImport: [...base, 'events'], reason: 'the store keeps facts, whatever they mean' },
  {
    folder: 'agent',
    mayImport: [...asked, 'events', 'contract', 'engines', 'dialects', 'plan', 'prove', 'detect', 'probe'],
    reason: 'the guard needs no controller and no disk',
  },
  {
    folder: 'change',
    mayImport: [...model, 'routing', 'dialects', 'plan', 'detect', 'events', 'contract', 'store'],
    reason: `change asks balancers through ports.ts; ${capability}`,
  },
  {
    folder: 'monitor',
    mayImport: [...model, 'routing', 'probe', 'detect', 'events', 'store'],
    reason: capability,
  },
  { folder: 'alerting', mayImport: [...asked, 'probe', 'events', 'store'], reason: capability },
  { folder: 'incidents', mayImport: [...model, 'detect', 'events', 'store'], reason: capability },
  {
    folder: 'practice',
    mayImport: [...model, 'routing', 'dialects', 'events', 'store'],
    reason: capability,
  },
  { folder: 'api', mayImport: upToPractice, reason: 'the API is thin and knows neither pages nor commands' },
  { folder: 'web', mayImport: [...model, 'events', 'contract'], reason: 'the pages talk only HTTP' },
  {
    folder: 'cli',
    mayImport: [...model, 'routing', 'dialects', 'plan', 'events', 'contract'],
    reason: 'a command talks HTTP, or works on files alone',
  },
  { folder: 'main', mayImport: [...upToPractice, 'api', 'web', 'cli'], reason: 'main wires it all' },
];

/** Folders whose subfolders are alternatives of each other, and so never import one another. */
export const alternatives: readonly string[] = ['dialects', 'engines'];
