import type { ContractCase, Sees, WantedStatus } from './case.ts';
import { type Saw, statusOf } from './client.ts';
import { type Message, valuesOf } from './message.ts';
import type { Origin } from './origin.ts';

/** What happened when a case was tried. */
export interface Outcome {
  readonly saw: Saw;
  readonly origin: Origin;
}

const refusals = new Set([501, 505]);

/** Every way in which the outcome is not what was expected, for people. */
export function mismatches(
  expected: Pick<ContractCase, 'sees' | 'seen' | 'other'>,
  { saw, origin }: Outcome,
): string[] {
  const requests =
    // A copy may come before what it is a copy of.
    expected.other === 'copies'
      ? origin.requests.toSorted((a, b) => Number(a.other) - Number(b.other))
      : origin.requests;
  return [
    ...clientMismatches(expected.sees, saw),
    ...originMismatches(expected.seen, { ...origin, requests }),
  ];
}

function clientMismatches(sees: Sees, saw: Saw): string[] {
  const wrong: string[] = [];
  const check = (holds: boolean, text: () => string) => {
    if (!holds) wrong.push(`client: ${text()}`);
  };
  const statuses = saw.answers.map(statusOf);
  if (saw.stuck !== null && !sees.unreadable) wrong.push(`client: ${saw.stuck}`);
  check((saw.fault !== null) === (sees.unreadable === true), () =>
    sees.unreadable ? 'what came can be read' : `what came cannot be read: ${saw.fault}`,
  );
  if (sees.unreadable) return wrong;
  if (sees.refusedHttp2) {
    const isRefused =
      (saw.goneAway ?? 0) > 0 ||
      saw.resets.length > 0 ||
      (statuses.every((s) => s >= 400 && s < 500) && statuses.length > 0);
    check(isRefused || saw.ended !== 'open', () => `not refused: ${described(saw)}`);
    return wrong;
  }
  check(
    statusesHold(sees.status, statuses),
    () => `status ${JSON.stringify(sees.status)} expected, ${described(saw)}`,
  );
  if (sees.informational)
    check(
      JSON.stringify(saw.informational) === JSON.stringify(sees.informational),
      () =>
        `informational ${JSON.stringify(sees.informational)} expected, came ${JSON.stringify(saw.informational)}`,
    );
  if (sees.closed !== undefined)
    check(
      (saw.ended !== 'open') === sees.closed,
      () => `connection ${sees.closed ? 'ended' : 'kept'} expected, ${described(saw)}`,
    );
  if (sees.resets)
    check(
      JSON.stringify(saw.resets) === JSON.stringify(sees.resets),
      () => `resets ${JSON.stringify(sees.resets)} expected, ${described(saw)}`,
    );
  if (sees.tunnel !== undefined)
    check(saw.tunnel === sees.tunnel, () => `behind 101 came ${JSON.stringify(saw.tunnel)}`);
  const last = saw.answers.at(-1);
  if (!last) return wrong;
  check(isBroken(last) === (sees.broken === true), () =>
    sees.broken ? 'the answer looks whole' : 'the answer broke off',
  );
  return [
    ...wrong,
    ...fieldMismatches('client', sees.headers, last.headers),
    ...bodyMismatches('client', sees, last),
  ];
}

function statusesHold(wanted: Sees['status'], statuses: readonly number[]): boolean {
  if (wanted.at(-1) === 'refused?' && statuses.length < wanted.length)
    return statusesHold(wanted.slice(0, -1), statuses);
  const holds = (want: WantedStatus, got: number | undefined) =>
    got !== undefined &&
    (typeof want === 'number' ? want === got : (got >= 400 && got < 500) || refusals.has(got));
  return statuses.length === wanted.length && wanted.every((want, i) => holds(want, statuses[i]));
}

/** An answer that ends with its connection cannot be told from one that broke off: it counts as whole. */
function isBroken(message: Message): boolean {
  return !message.complete;
}

function originMismatches(seen: ContractCase['seen'], origin: Origin): string[] {
  const faults = origin.connections.flatMap(({ reader }) =>
    reader.fault === null ? [] : [`server: got what cannot be read: ${reader.fault}`],
  );
  if (seen === 'unreadable') return faults.length > 0 ? [] : ['server: what came can be read'];
  if (seen === null) return faults;
  const lines = origin.requests.map(({ start }) => start);
  const wanted = seen.map(({ line }) => line);
  if (JSON.stringify(lines) !== JSON.stringify(wanted))
    return [
      ...faults,
      `server: ${JSON.stringify(wanted)} expected, came ${shortened(JSON.stringify(lines))}`,
    ];
  return [
    ...faults,
    ...seen.flatMap((want, i) => {
      const got = origin.requests[i];
      if (!got) return [];
      return [
        ...(want.cut === 'maybe' || got.complete === (want.cut !== true)
          ? []
          : [`server: the body of ${want.line} ${want.cut ? 'came whole' : 'was cut'}`]),
        ...((want.other ?? false) === got.other
          ? []
          : [`server: ${want.line} came to the ${got.other ? 'second' : 'first'} pool`]),
        ...fieldMismatches('server', want.headers, got.headers),
        ...bodyMismatches('server', want, got),
      ];
    }),
  ];
}

function fieldMismatches(
  side: string,
  wanted: Readonly<Record<string, string | RegExp | null>> | undefined,
  got: Message['headers'],
): string[] {
  return Object.entries(wanted ?? {}).flatMap(([name, want]) => {
    const values = valuesOf(got, name);
    const value = values.length === 0 ? null : values.join(', ');
    const holds = want instanceof RegExp ? value !== null && want.test(value) : value === want;
    return holds
      ? []
      : [
          `${side}: ${name}: ${want === null ? 'none' : String(want)} expected, came ${JSON.stringify(value)}`,
        ];
  });
}

function bodyMismatches(
  side: string,
  want: {
    readonly body?: string | RegExp;
    readonly bodyBytes?: number;
    readonly trailers?: Readonly<Record<string, string>>;
  },
  got: Message,
): string[] {
  const wrong: string[] = [];
  const bodyHolds =
    want.body === undefined ||
    (typeof want.body === 'string' ? got.body === want.body : want.body.test(got.body));
  if (!bodyHolds)
    wrong.push(`${side}: body ${String(want.body)} expected, came ${JSON.stringify(got.body.slice(0, 80))}`);
  if (want.bodyBytes !== undefined && got.bodyBytes !== want.bodyBytes)
    wrong.push(`${side}: ${want.bodyBytes} bytes expected, came ${got.bodyBytes}`);
  return [...wrong, ...fieldMismatches(`${side}, trailers`, want.trailers, got.trailers)];
}

export function described(saw: Saw): string {
  const answers = saw.answers.map((answer) => statusOf(answer)).join(', ') || 'no answer';
  const more = [
    saw.resets.length > 0 ? `streams reset ${saw.resets.join(', ')}` : '',
    saw.goneAway === null ? '' : `GOAWAY ${saw.goneAway}`,
    saw.stuck ?? '',
  ].filter(Boolean);
  return [`came ${answers}`, `connection ${saw.ended}`, ...more].join('; ');
}

function shortened(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}... (${text.length} characters)` : text;
}
