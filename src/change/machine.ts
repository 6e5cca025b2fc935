import type { ChangeState, GateReport, TakeBackEvidence } from '#events';

/** Why a change stops before its end. */
export type Stop =
  | {
      readonly kind: 'taken back';
      readonly balancer: string;
      readonly reason: string;
      readonly cause: TakeBackEvidence['cause'];
    }
  | { readonly kind: 'evidence'; readonly balancer: string; readonly eValue: number }
  /** Routes that nobody asked, or too few, fail with the candidate alone. */
  | { readonly kind: 'routes'; readonly balancer: string; readonly why: string }
  | { readonly kind: 'unconfirmed'; readonly withinMs: number }
  | { readonly kind: 'silent'; readonly balancer: string; readonly why: string }
  | { readonly kind: 'broken'; readonly why: string; readonly code: string }
  /** It waits for people, and lets another one pass: it has no end yet. */
  | { readonly kind: 'aside' }
  | { readonly kind: 'person'; readonly by: string; readonly reason: string };

/** What became known about a change. */
export type Finding =
  | { readonly kind: 'nothing to do'; readonly why: string }
  | { readonly kind: 'gates answered'; readonly reports: readonly GateReport[] }
  | { readonly kind: 'asked again'; readonly report: GateReport }
  | { readonly kind: 'canary passed'; readonly why: string }
  | { readonly kind: 'promoted everywhere' }
  | { readonly kind: 'stopped'; readonly stop: Stop }
  | { readonly kind: 'controller ended'; readonly promotedEverywhere: boolean };

/** The next state and what comes with it. */
export interface Step {
  readonly state: ChangeState;
  readonly why: string;
  /** The text's hash goes into quarantine: the text itself is to blame, or a person took it back. */
  readonly quarantine: boolean;
  /** No further change until a person says so. */
  readonly freeze: boolean;
  /** Every balancer is told to take the candidate back. */
  readonly takeBack: boolean;
}

/** Which states may follow which. `promoted` ends a change, but a person may still go back from it. */
export const nextStates = {
  proposed: ['gated', 'refused', 'abandoned', 'superseded'],
  gated: ['canary', 'refused', 'abandoned'],
  canary: ['baking', 'rolled back'],
  baking: ['promoted', 'rolled back'],
  promoted: ['rolled back'],
  refused: [],
  'rolled back': [],
  superseded: [],
  abandoned: [],
} as const satisfies Record<ChangeState, readonly ChangeState[]>;

/** Pure. Null: the finding says nothing to a change in this state. */
export function decide(state: ChangeState, finding: Finding): Step | null {
  const next = answers[finding.kind](state, finding);
  return next && isNext(state, next.state) ? next : null;
}

function isNext(from: ChangeState, to: ChangeState): boolean {
  const allowed: readonly ChangeState[] = nextStates[from];
  return allowed.includes(to);
}

const quietly = { quarantine: false, freeze: false, takeBack: false } as const;

type Answers = {
  readonly [K in Finding['kind']]: (
    state: ChangeState,
    finding: Extract<Finding, { kind: K }>,
  ) => Step | null;
};

const table = {
  'nothing to do': (_state, { why }) => ({ state: 'abandoned', why, ...quietly }),
  'gates answered': (_state, { reports }) => {
    const against = reports.filter((report) => report.verdict !== 'passed');
    const refusing = against.filter((report) => !report.forced);
    if (refusing.length > 0) return { state: 'refused', why: whyRefused(refusing), ...quietly };
    const why =
      against.length === 0
        ? `${reports.length} gates passed`
        : `forced past ${against.map((report) => report.gate).join(', ')}`;
    return { state: 'gated', why, ...quietly };
  },
  'asked again': (_state, { report }) =>
    report.verdict === 'passed' || report.forced
      ? { state: 'canary', why: 'exposed step by step', ...quietly }
      : { state: 'refused', why: whyRefused([report]), ...quietly },
  'canary passed': (_state, { why }) => ({ state: 'baking', why, ...quietly }),
  'promoted everywhere': () => ({ state: 'promoted', why: 'last good on every balancer', ...quietly }),
  stopped: (state, { stop }) =>
    state === 'proposed' || state === 'gated' ? stoppedEarly(stop) : stoppedLate(stop),
  'controller ended': (state, { promotedEverywhere }) => {
    if (promotedEverywhere && state === 'baking')
      return {
        state: 'promoted',
        why: `the controller ended during ${during(state)}; every balancer had promoted it`,
        ...quietly,
      };
    const why = `the controller ended during ${during(state)}`;
    return state === 'proposed' || state === 'gated'
      ? { state: 'abandoned', why, ...quietly, takeBack: true }
      : { state: 'rolled back', why, ...quietly, takeBack: true };
  },
} as const satisfies Answers;

/** The same table for a caller that has the union: each entry sees only the finding that it is filed under. */
const answers = table as Record<Finding['kind'], (state: ChangeState, finding: Finding) => Step | null>;

function during(state: ChangeState): string {
  return state === 'proposed' || state === 'gated' ? 'the gates' : state === 'baking' ? 'bake' : state;
}

function whyRefused(reports: readonly GateReport[]): string {
  return reports.map((report) => `${report.gate}: ${report.summary}`).join('; ');
}

function stoppedEarly(stop: Stop): Step {
  return stop.kind === 'person'
    ? { state: 'abandoned', why: whyStopped(stop), ...quietly }
    : { state: 'refused', why: whyStopped(stop), ...quietly };
}

/** The text is to blame when traffic spoke against it; not when a process of ours or a network ended the attempt. */
function stoppedLate(stop: Stop): Step {
  const back = { state: 'rolled back', why: whyStopped(stop), takeBack: true } as const;
  switch (stop.kind) {
    case 'taken back': {
      const blamed = isToBlame(stop.cause);
      return { ...back, quarantine: blamed, freeze: blamed };
    }
    case 'evidence':
    case 'routes':
      return { ...back, quarantine: true, freeze: true };
    case 'person':
    case 'unconfirmed':
      return { ...back, quarantine: true, freeze: false };
    case 'silent':
    case 'broken':
    case 'aside':
      return { ...back, quarantine: false, freeze: false };
  }
}

/** Whether a guard's cause speaks against the text: not when a process of ours or a network ended the attempt. */
export function isToBlame(cause: TakeBackEvidence['cause']): boolean {
  return cause !== 'lease' && cause !== 'person';
}

export function whyStopped(stop: Stop): string {
  switch (stop.kind) {
    case 'taken back':
      return `the guard of ${stop.balancer} took it back: ${stop.reason}`;
    case 'evidence':
      return `worse than the incumbent on ${stop.balancer}: the evidence against it is ${stop.eValue.toPrecision(2)} to 1`;
    case 'routes':
      return `worse than the incumbent on ${stop.balancer}: ${stop.why}`;
    case 'silent':
      return `${stop.balancer} does not answer: ${stop.why}`;
    case 'broken':
      return stop.why;
    case 'aside':
      return 'it lets another change pass';
    case 'unconfirmed':
      return `nobody confirmed it within ${Math.round(stop.withinMs / 1000)} s`;
    case 'person':
      return `${stop.by} took it back${stop.reason ? `: ${stop.reason}` : ''}`;
  }
}
