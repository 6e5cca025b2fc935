/** `docs/cli.md`: every command's own help, and the shapes of its JSON as the types in the code state them. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { createProgram, type Io } from '#cli';
import { runners } from '../src/main/runners.ts';

const root = resolve(import.meta.dirname, '..');

interface JsonShape {
  readonly says: string;
  /** `type` names of that file of `src`. */
  readonly types: readonly (readonly [file: string, name: string])[];
}

/** What `--json` prints. A command without a line here, and a line without a command, fail the making of the page. */
const shapes: Readonly<Record<string, JsonShape | null>> = {
  up: null,
  adopt: null,
  bundle: { says: 'A `Bundle`.', types: [['main/bundle.ts', 'Bundle']] },
  release: null,
  replay: {
    says: "A `Replay`: its `report` has the founding document's own figures. Times are milliseconds since the change was applied, null where it never happened; `simulated` names whatever was not real.",
    types: [
      ['main/replay.ts', 'Replay'],
      ['main/replay/run.ts', 'ReplayRun'],
      ['main/replay/people.ts', 'Knows'],
    ],
  },
  check: {
    says: '`{ "valid": boolean, "files": Checked[] }`, one for each file, in the order given.',
    types: [
      ['cli/commands/check.ts', 'Checked'],
      ['base/diagnostics.ts', 'Diagnostic'],
      ['base/diagnostics.ts', 'Place'],
    ],
  },
  plan: {
    says: 'A `PlanView`. Exit status: 0 nothing changes, 2 something does, 1 it could not be told, or a policy does not hold, 70 an engine does otherwise than foretold (`--prove`).',
    types: [
      ['events/plan.ts', 'PlanView'],
      ['events/plan.ts', 'DifferenceView'],
      ['events/plan.ts', 'WitnessView'],
      ['events/plan.ts', 'ActionView'],
      ['events/plan.ts', 'SettingChange'],
      ['events/plan.ts', 'UnreachableRule'],
      ['events/plan.ts', 'NotUnderstoodLine'],
      ['events/plan.ts', 'PolicyResult'],
      ['events/plan.ts', 'RiskView'],
      ['events/plan.ts', 'ProofView'],
      ['events/plan.ts', 'TextProofView'],
      ['events/plan.ts', 'OutcomeView'],
    ],
  },
  explain: {
    says: 'An `ExplainView`.',
    types: [
      ['events/plan.ts', 'ExplainView'],
      ['events/plan.ts', 'ExplainedRule'],
      ['events/plan.ts', 'RuleView'],
    ],
  },
  apply: {
    says: 'A `ChangeView`, once the change has ended. A change that changes nothing ends as `abandoned`, and the exit status is 0.',
    types: [
      ['contract/api.ts', 'ChangeView'],
      ['events/change.ts', 'GateReport'],
      ['model/difference.ts', 'SiteDifference'],
      ['model/difference.ts', 'ChangedServer'],
    ],
  },
  approve: {
    says: 'The `ChangeView`, as under `apply`.',
    types: [['contract/api.ts', 'ReviewView']],
  },
  confirm: {
    says: 'The `ChangeView`, as under `apply`.',
    types: [['contract/api.ts', 'ConfirmView']],
  },
  rollback: {
    says: 'A `RollbackView`.',
    types: [
      ['contract/api.ts', 'RollbackView'],
      ['events/guard.ts', 'TakeBack'],
    ],
  },
  abort: {
    says: 'A `RollbackView`.',
    types: [
      ['contract/api.ts', 'RollbackView'],
      ['events/guard.ts', 'TakeBack'],
    ],
  },
  drift: {
    says: 'A `DriftView`. Exit status: 0 nothing was changed, 2 something was, 1 it could not be told or mended.',
    types: [
      ['contract/api.ts', 'DriftView'],
      ['contract/api.ts', 'DriftFinding'],
    ],
  },
  status: {
    says: 'A `StatusView`.',
    types: [
      ['contract/api.ts', 'StatusView'],
      ['contract/balancer.ts', 'BalancerStatus'],
      ['contract/balancer.ts', 'GenerationStatus'],
    ],
  },
  watch: {
    says: 'A `LiveView` a second, each on a line of its own.',
    types: [
      ['contract/api.ts', 'LiveView'],
      ['contract/api.ts', 'LiveBalancer'],
      ['contract/api.ts', 'LiveObjective'],
    ],
  },
  changes: {
    says: '`{ "changes": ChangeView[] }`, newest first; with an ID one `ChangeView`, as under `apply`.',
    types: [],
  },
  review: {
    says: 'A `ReviewReport`. Exit status: 0 nothing was found, 2 something was.',
    types: [
      ['contract/api.ts', 'ReviewReport'],
      ['events/review.ts', 'ReviewEvent'],
      ['events/review.ts', 'Finding'],
      ['events/review.ts', 'FindingSeverity'],
    ],
  },
  report: {
    says: '`{ "report": string }`, its number; with `--list`, `{ "reports": ReportView[] }`, newest first.',
    types: [
      ['contract/api.ts', 'ReportView'],
      ['events/report.ts', 'CustomerReport'],
      ['events/report.ts', 'ReportedSight'],
    ],
  },
  alerts: {
    says: '`{ "alerts": AlertView[], "escalations": EscalationView[] }`, escalations newest first. Exit status: 1 when something fires that pages somebody.',
    types: [
      ['contract/alerts.ts', 'AlertView'],
      ['contract/alerts.ts', 'EscalationView'],
      ['contract/alerts.ts', 'PageView'],
    ],
  },
  ack: { says: 'The `EscalationView`, as under `alerts`.', types: [] },
  'silence add': { says: '`{ "silenceID": string }`, as Alertmanager has it.', types: [] },
  'silence list': {
    says: '`{ "silences": SilenceView[] }`.',
    types: [
      ['contract/alerts.ts', 'SilenceView'],
      ['events/alert.ts', 'Matcher'],
    ],
  },
  'silence end': { says: '`{ "ended": string }`.', types: [] },
  oncall: {
    says: 'An `OnCallView`. Exit status: 1 when a step would reach nobody, or there is no file.',
    types: [['contract/alerts.ts', 'OnCallView']],
  },
  notify: {
    says: 'A `NotifyTestView`. Exit status: 1 when a message was not taken.',
    types: [['contract/alerts.ts', 'NotifyTestView']],
  },
  'incident resolve': { says: 'An `IncidentView`, as `incidents --json` has it.', types: [] },
  incidents: {
    says: '`{ "incidents": IncidentView[] }`, newest first.',
    types: [['events/incident.ts', 'IncidentView']],
  },
  postmortem: { says: '`{ "incident": string, "markdown": string }`.', types: [] },
  'journal verify': { says: 'A `JournalCheckView`.', types: [['contract/api.ts', 'JournalCheckView']] },
  'journal show': {
    says: '`{ "entries": JournalEntry[] }`, oldest first.',
    types: [
      ['events/events.ts', 'JournalEntry'],
      ['events/events.ts', 'Event'],
    ],
  },
};

const intro = `# The command line

Made from the commands and the types in \`src\` by \`npm run docs\`; do not edit.

## What a script may rely on

| exit status | means |
| --- | --- |
| 0 | done; for \`apply\` promoted, or nothing to do; for \`status\` every balancer serves |
| 1 | refused, rolled back, not valid, or not possible now; the message has a code of [errors.md](errors.md) |
| 2 | \`plan\` only: something changes |
| 70 | a mistake of Holdfast itself |
| 130 | \`apply\` was interrupted: the change goes on without the terminal |

With \`--json\` standard output has one JSON document and nothing else. When the command could not do what it was asked,
that document is \`{ "error": { "code", "title", "detail", "remedy", "diagnostics" } }\`. What people read goes to standard error then.
Keys are only ever added. Times are milliseconds since 1970, durations milliseconds.

Commands find the site that runs on this machine by themselves; \`--site NAME\` says which when several do.
\`HOLDFAST_RUN\` and \`HOLDFAST_STATE\` name other folders than the usual ones, \`NO_COLOR\` takes the colours away.
`;

export function cliPage(): string {
  const commands = leaves(program());
  const names = commands.map(nameOf);
  const odd = [...names, ...Object.keys(shapes)].filter((name) => !names.includes(name) || !(name in shapes));
  if (odd.length > 0)
    throw new Error(`state the JSON of these commands in scripts/cli-page.ts: ${odd.join(', ')}`);
  return [intro, ...commands.map(sectionOf)].join('\n');
}

function program(): Command {
  const io: Io = {
    env: {},
    user: '',
    tty: false,
    columns: 80,
    out: () => {},
    err: () => {},
    onInterrupt: () => () => {},
  };
  return createProgram({ io, version: '', verifyOffline: async () => null, extend: runners }, () => {});
}

function leaves(command: Command): readonly Command[] {
  const visible = command.createHelp().visibleCommands(command);
  const own = visible.filter((one) => one.name() !== 'help');
  return own.flatMap((one) => (one.commands.length > 0 ? leaves(one) : [one]));
}

function nameOf(command: Command): string {
  const parent = command.parent?.parent ? `${command.parent.name()} ` : '';
  return `${parent}${command.name()}`;
}

function sectionOf(command: Command): string {
  const name = nameOf(command);
  const shape = shapes[name];
  const json = shape
    ? [
        `\nWith \`--json\`: ${shape.says}\n`,
        ...shape.types.map(([file, type]) => `\`\`\`ts\n${typeText(file, type)}\n\`\`\`\n`),
      ]
    : [''];
  return [`## holdfast ${name}\n`, `\`\`\`text\n${helpOf(command)}\n\`\`\``, ...json].join('\n');
}

/** With the examples, which commander only writes out. */
function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 100 });
  command.outputHelp();
  return text.trim();
}

function typeText(file: string, name: string): string {
  const text = readFileSync(join(root, 'src', file), 'utf8');
  const found = new RegExp(
    `^(?:export )?(?:interface ${name} |type ${name} =)[\\s\\S]*?^(?:\\}|.*;$\\n(?=\\n|$))`,
    'm',
  ).exec(text);
  if (!found) throw new Error(`src/${file} has no type ${name}`);
  return found[0].replace(/^export /, '').trim();
}
