/** Injects one fault, waits for what the journal says of it, and holds that against what it is. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type FaultEvent, type JournalEntry, scopeWords } from '../../src/events/index.ts';
import type { Fault } from './fault.ts';
import { type Field, untilCalm } from './field.ts';

export type Naming = 'right' | 'between' | 'wrong' | 'unseen';

export interface Judged {
  readonly naming: Naming;
  readonly users: string;
  /** From the strike. Null: nobody got one. */
  readonly firstBadMs: number | null;
  /** From the first bad answer; from the strike where there was none. Below zero: before it. */
  readonly seenMs: number | null;
  /** From the alarm to the first verdict. */
  readonly locatedMs: number | null;
  readonly said: string;
  readonly more: readonly string[];
}

export interface Book {
  settled(): Promise<void>;
  /** Faults that are told in that time. */
  quiet(ms: number): Promise<readonly string[]>;
  run(fault: Fault): Promise<Judged>;
}

const seenMsMax = 10_000;
/** What is said so long after the alarm is what it is judged by. */
const verdictMs = 2_000;
const calmMsMax = 60_000;
const quietMs = 6_000;
const pollMs = 50;

export function judge(field: Field): Book {
  const entries: JournalEntry[] = [];
  const read = async () => {
    entries.push(...(await field.journal(entries.at(-1)?.sequence ?? 0)));
    return entries;
  };
  const openFaults = async () => {
    await read();
    const of = (kind: FaultEvent['kind']) =>
      new Set(entries.flatMap(({ event }) => ('fault' in event && event.kind === kind ? [event.fault] : [])));
    return of('fault.seen').difference(of('fault.ended')).size;
  };
  const settled = () => untilCalm(field, openFaults, calmMsMax);

  async function told(from: number, fault: Fault): Promise<void> {
    const isKnown = () => {
      const mine = entries.slice(from);
      const seen = mine.find(({ event }) => event.kind === 'fault.seen');
      if (seen) return Date.now() - seen.at > verdictMs + 200;
      return fault.isChange === true && mine.some(isTakenBack);
    };
    const wait = fault.is === null ? quietMs : (fault.withinMs ?? seenMsMax);
    const deadline = performance.now() + wait;
    while (
      performance.now() < deadline ||
      entries.slice(from).some(({ event }) => event.kind === 'fault.seen')
    ) {
      await read();
      if (isKnown()) return;
      await sleep(pollMs);
    }
  }

  return {
    settled,
    async quiet(ms) {
      await read();
      const from = entries.length;
      await sleep(ms);
      return (await read())
        .slice(from)
        .flatMap(({ event }) => (event.kind === 'fault.seen' ? [event.usersSee] : []));
    },
    async run(fault) {
      await read();
      const from = entries.length;
      const struckAt = Date.now();
      try {
        await fault.strike(field);
        await told(from, fault);
      } finally {
        await fault.mend(field);
      }
      const visits = await field.visitors.since(struckAt);
      const judged = judgedOf(field, fault, { struckAt, visits, entries: entries.slice(from) });
      const mendedAt = Date.now();
      const calm = await settled().then(
        (): string[] => [],
        (error: Error) => [`it was not over within ${calmMsMax} ms: ${error.message}`],
      );
      if (process.env.VERBOSE) calm.push(`over after ${Date.now() - mendedAt} ms`);
      return { ...judged, more: [...judged.more, ...calm] };
    },
  };
}

const isTakenBack = ({ event }: JournalEntry) =>
  event.kind === 'change.state' && event.state === 'rolled back';

interface Seen {
  readonly struckAt: number;
  readonly visits: Awaited<ReturnType<Field['visitors']['since']>>;
  readonly entries: readonly JournalEntry[];
}

function judgedOf(field: Field, fault: Fault, { struckAt, visits, entries }: Seen): Judged {
  const { requests, bad, slow, firstBadAt, firstSlowAt, how } = visits;
  const firstAt = firstBadAt ?? firstSlowAt;
  const [seen] = entries.filter(({ event }) => event.kind === 'fault.seen');
  const verdicts = entries.flatMap((entry) =>
    entry.event.kind === 'fault.located' ? [{ at: entry.at, event: entry.event }] : [],
  );
  const [first] = verdicts;
  const last = verdicts.findLast(({ at }) => seen !== undefined && at - seen.at <= verdictMs) ?? first;
  const change = entries.flatMap(({ event }) => (event.kind === 'change.proposed' ? [event.change] : []))[0];
  const back = entries.find(isTakenBack);
  const culprits = last?.event.verdict.culprits.map(scopeWords) ?? [];
  const users = `${bad} of ${requests} bad${how === '' ? '' : ` (${how})`}${slow > 0 ? `, ${slow} slow` : ''}`;
  return {
    naming: namingOf(
      wanted(field, fault, change ?? ''),
      culprits,
      last?.event.verdict.certain ?? false,
      seen !== undefined,
      back !== undefined && fault.isChange === true,
    ),
    users,
    firstBadMs: firstAt === null ? null : Math.round(firstAt - struckAt),
    seenMs: seen ? Math.round(seen.at - (firstAt ?? struckAt)) : null,
    locatedMs: seen && first ? first.at - seen.at : null,
    said: last?.event.verdict.sentence ?? '',
    more: [
      ...(back?.event.kind === 'change.state' ? [`the guard took ${change} back: ${back.event.why}`] : []),
      ...actsOf(entries),
      ...(culprits.length > 0 ? [`culprits: ${culprits.join(', ')}`] : []),
    ],
  };
}

/** What the guard did meanwhile. */
function actsOf(entries: readonly JournalEntry[]): string[] {
  const acts = entries.flatMap(({ event }) => (event.kind === 'guard.acted' ? [event.record.what.kind] : []));
  return acts.length === 0 ? [] : [`the guard: ${[...new Set(acts)].join(', ')}`];
}

function wanted(field: Field, { is }: Fault, change: string): readonly (readonly string[])[] | null {
  const words = (word: string) => word.replace('CHANGE', change).replace('M2', field.machine('m2').address);
  return is?.map((way) => way.map(words)) ?? null;
}

function namingOf(
  is: readonly (readonly string[])[] | null,
  culprits: readonly string[],
  isCertain: boolean,
  isSeen: boolean,
  isTakenBack: boolean,
): Naming {
  if (is === null) return isSeen ? 'wrong' : 'right';
  const said = new Set(culprits);
  if (is.some((way) => way.length === said.size && way.every((one) => said.has(one)))) return 'right';
  // Whoever takes a change back and says so has named it.
  if (isTakenBack && (!isSeen || culprits.length === 0)) return 'right';
  // Nothing is claimed that is not known: the pool of that server, or this among others.
  const holds = (one: string) => said.has(one) || said.has(one.replace(/^server ([^/]*)\/.*$/, 'pool $1'));
  if (is.some((way) => way.every(isCertain ? (one) => said.has(one) : holds))) return 'between';
  return isSeen ? 'wrong' : 'unseen';
}
