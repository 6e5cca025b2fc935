import {
  type Counts,
  type Event,
  type GuardRecord,
  type JournalEntry,
  noCounts,
  type TakeBack,
} from '#events';

/** The day of the story: everything happens some milliseconds after this. */
export const noon = Date.UTC(2026, 10, 22, 12);

export const counts = (some: Partial<Counts>): Counts => ({ ...noCounts, ...some });

/** A hand-written journal: each line is [milliseconds after noon, who, what]. */
export function written(lines: readonly (readonly [ms: number, by: string, event: Event])[]): JournalEntry[] {
  return lines.map(([ms, by, event], i) => ({ sequence: i + 1, at: noon + ms, by, event, hash: '' }));
}

export function acted(number: number, ms: number, balancer: string, what: GuardRecord['what']): Event {
  return { kind: 'guard.acted', record: { number, at: noon + ms, balancer, what } };
}

export function tookBack(
  ms: number,
  some: Partial<Omit<TakeBack, 'evidence'>> & { evidence?: Partial<TakeBack['evidence']> },
): GuardRecord['what'] {
  const { evidence, ...rest } = some;
  const takeBack: TakeBack = {
    change: 'chg-3',
    from: 4,
    to: 3,
    reason: 'requests found no server',
    decidedAt: noon + ms,
    doneAt: noon + ms + 3,
    rung: 1,
    steps: [],
    ...rest,
    evidence: {
      cause: 'netUses',
      exposedAt: null,
      firstBadAt: null,
      candidate: counts({}),
      incumbent: counts({}),
      serversDown: [],
      errorLines: [],
      ...evidence,
    },
  };
  return { kind: 'tookBack', takeBack };
}

const place = (line: number) => ({ file: 'site.yaml', line, column: 11 });
const added = ['web-5', 'web-6', 'web-7'].map((server, i) => ({
  pool: 'web',
  server,
  address: `10.0.0.${i + 5}:8080`,
  place: place(31 + 3 * i),
}));

/** The founding incident as it would be here: a bad change is forced, and two balancers take it back. */
export const foundingStory: readonly JournalEntry[] = written([
  [
    -600_000,
    'controller',
    { kind: 'site.started', site: 'shop', siteHash: 'aa', balancers: ['lb-1', 'lb-2'], version: '0.1.0' },
  ],
  [
    0,
    'person:maria',
    {
      kind: 'change.proposed',
      change: 'chg-3',
      file: 'site.yaml',
      siteHash: 'bb',
      text: '...',
      force: true,
      reason: 'the new rack is up, I checked by hand',
      difference: {
        serversAdded: added,
        serversRemoved: [{ pool: 'web', server: 'web-1', address: '10.0.0.1:8080', place: place(20) }],
        parts: [],
      },
    },
  ],
  [12, 'controller', gate('parse', 'passed', 'a site with 1 pool')],
  [
    1_050,
    'controller',
    {
      kind: 'change.gate',
      change: 'chg-3',
      report: {
        gate: 'existence',
        verdict: 'refused',
        forced: true,
        summary: '3 of 3 servers that the change adds do not answer',
        evidence: [
          'lb-1: web/web-5 10.0.0.5:8080 TCP connect: connection refused',
          'lb-2: web/web-5 10.0.0.5:8080 TCP connect: connection refused',
        ],
        diagnostics: [
          {
            code: 'HF103',
            severity: 'error',
            place: place(31),
            path: 'pools[0].servers[4]',
            message: 'does not answer',
            remedy: '',
          },
        ],
        tookMs: 1_012,
      },
    },
  ],
  [1_900, 'controller', { kind: 'change.state', change: 'chg-3', state: 'canary', why: '' }],
  [2_000, 'controller', { kind: 'change.exposed', change: 'chg-3', balancer: 'lb-1', share: 0.05 }],
  [2_010, 'controller', { kind: 'change.exposed', change: 'chg-3', balancer: 'lb-2', share: 0.05 }],
  [
    2_260,
    'agent:lb-1',
    acted(
      1,
      2_215,
      'lb-1',
      tookBack(2_212, {
        reason: '12 of 19 requests used the net',
        doneAt: noon + 2_215,
        steps: [
          { what: 'resume generation 3', ok: true, tookMs: 0.41 },
          { what: 'park generation 4', ok: true, tookMs: 1.7 },
          { what: "lead requests of generation 4's open connections back", ok: true, tookMs: 2.25 },
        ],
        evidence: {
          exposedAt: noon + 2_001,
          firstBadAt: noon + 2_104,
          candidate: counts({ requests: 19, errors: 1, netUses: 12, connectionErrors: 15 }),
          incumbent: counts({ requests: 381 }),
          serversDown: [
            { pool: 'web', server: 'web-5', lastCheck: 'connection refused' },
            { pool: 'web', server: 'web-6', lastCheck: 'connection refused' },
          ],
          errorLines: ['[ALERT] backend `web` has no server available!'],
        },
      }),
    ),
  ],
  [
    2_270,
    'controller',
    {
      kind: 'incident.opened',
      incident: 'inc-1',
      title: 'Change chg-3 was taken back from lb-1: 12 of 19 requests used the net',
      change: 'chg-3',
      balancers: ['lb-1'],
    },
  ],
  [
    2_300,
    'agent:lb-2',
    acted(
      1,
      2_241,
      'lb-2',
      tookBack(2_230, {
        reason: '9 of 14 requests used the net',
        doneAt: noon + 2_241,
        rung: 2,
        steps: [
          { what: 'resume generation 3', ok: true, tookMs: 0.5 },
          { what: 'park generation 4', ok: false, tookMs: 10.2 },
          { what: 'kill generation 4, which did not park', ok: true, tookMs: 10.9 },
        ],
        evidence: {
          exposedAt: noon + 2_011,
          firstBadAt: noon + 2_131,
          candidate: counts({ requests: 14, netUses: 9 }),
          incumbent: counts({ requests: 386 }),
          serversDown: [{ pool: 'web', server: 'web-6', lastCheck: 'connection refused' }],
        },
      }),
    ),
  ],
  [
    2_310,
    'controller',
    { kind: 'change.state', change: 'chg-3', state: 'rolled back', why: 'the guard took it back' },
  ],
  [
    2_312,
    'controller',
    { kind: 'quarantine.added', siteHash: 'bb', change: 'chg-3', why: 'it was taken back' },
  ],
  [2_314, 'controller', { kind: 'pipeline.frozen', why: 'change chg-3 was taken back' }],
  [
    5_300,
    'agent:lb-1',
    acted(2, 5_280, 'lb-1', {
      kind: 'drained',
      change: 'chg-3',
      generation: 4,
      candidate: counts({ requests: 20, errors: 2, netUses: 12 }),
    }),
  ],
  [
    12_260,
    'controller',
    {
      kind: 'incident.resolved',
      incident: 'inc-1',
      how: 'lb-1 and lb-2 served what was last good for 10.0 s without a bad sign',
    },
  ],
]);

function gate(name: 'parse', verdict: 'passed', summary: string): Event {
  const report = { gate: name, verdict, forced: false, summary, evidence: [], diagnostics: [], tookMs: 4 };
  return { kind: 'change.gate', change: 'chg-3', report };
}
