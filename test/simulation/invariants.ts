import { viewsOf } from '#change';
import type { ChangeView } from '#contract';
import { finalStates, type JournalEntry } from '#events';
import type { SimulatedBalancer } from './balancer.ts';

/** What must hold, by name. A test plants a fault for each, so each is known to be able to fail. */
export const invariantNames = [
  'exposure is never above its step',
  'one change at a time has traffic',
  'nothing acknowledged is lost',
  'every change ends',
  'a change only goes from state to state as the machine says',
  'what is rolled back never comes back by itself',
  'at most one automatic take-back of a change on a balancer',
  'every guard record is journalled once',
  'the balancers run what the journal says',
  'the kept text is what runs',
  'no candidate is left behind',
  'with no faults a good change ends promoted',
  'the site takes changes again when the faults are over',
  'nothing breaks off unseen',
] as const;
export type InvariantName = (typeof invariantNames)[number];

export interface Breach {
  readonly invariant: InvariantName;
  readonly what: string;
}

/** What can be read of a run when it is over. */
export interface Ended {
  readonly entries: readonly JournalEntry[];
  readonly acknowledged: readonly JournalEntry[];
  readonly balancers: readonly SimulatedBalancer[];
  readonly keptHash: string;
  /** What ran at the beginning. */
  readonly firstHash: string;
  readonly hadFaults: boolean;
  /** By hash: nothing is wrong with it. */
  readonly isGood: (siteHash: string) => boolean;
  /** Somebody asked for an end of a change, or two came at once: a good one may end otherwise. */
  readonly wasDisturbed: (change: string) => boolean;
}

type Judge = (ended: Ended) => readonly string[];

/** Those that are judged by how everything ended; the others are looked at all the time. */
export const judges: Readonly<Partial<Record<InvariantName, Judge>>> = {
  'nothing acknowledged is lost': ({ entries, acknowledged }) => [
    ...acknowledged.flatMap((entry) =>
      entries[entry.sequence - 1] === entry
        ? []
        : [`entry ${entry.sequence} was acknowledged, and is not there`],
    ),
    ...entries.flatMap(({ sequence }, index) =>
      sequence === index + 1 ? [] : [`entry ${sequence} stands at ${index + 1}`],
    ),
  ],
  'every change ends': ({ entries }) =>
    viewsOf(entries).flatMap(({ id, state }) =>
      finalStates.includes(state) ? [] : [`${id} is ${state} for ever`],
    ),
  'what is rolled back never comes back by itself': ({ entries }) => comeBacks(entries),
  'at most one automatic take-back of a change on a balancer': ({ balancers }) =>
    balancers.flatMap(({ name, records }) => {
      const automatic = records.flatMap(({ what }) =>
        what.kind === 'tookBack' && what.takeBack.evidence.cause !== 'person'
          ? [what.takeBack.change ?? '']
          : [],
      );
      const twice = automatic.filter((change, index) => change !== '' && automatic.indexOf(change) !== index);
      return twice.map((change) => `${name} took ${change} back more than once`);
    }),
  'every guard record is journalled once': ({ entries, balancers }) => {
    const key = (r: { balancer: string; number: number; at: number }) => `${r.balancer} ${r.number} ${r.at}`;
    const journalled = entries.flatMap(({ event }) =>
      event.kind === 'guard.acted' ? [key(event.record)] : [],
    );
    const twice = journalled.filter((one, index) => journalled.indexOf(one) !== index);
    const missing = balancers.flatMap(({ records }) =>
      records.map(key).filter((one) => !journalled.includes(one)),
    );
    return [...twice.map((one) => `${one} twice`), ...missing.map((one) => `${one} is missing`)];
  },
  'the balancers run what the journal says': ({ entries, balancers, firstHash }) => {
    const said = promotedLast(entries, firstHash);
    return balancers.flatMap(({ name, lastGood }) =>
      lastGood.hash === said
        ? []
        : [`${name} runs ${lastGood.hash.slice(0, 8)}, the journal says ${said.slice(0, 8)}`],
    );
  },
  'the kept text is what runs': ({ balancers, keptHash }) =>
    balancers.flatMap(({ name, lastGood }) => (lastGood.hash === keptHash ? [] : [`${name} runs another`])),
  'no candidate is left behind': ({ balancers }) =>
    balancers.flatMap(({ name, candidate }) => (candidate ? [`${name} has one of ${candidate.change}`] : [])),
  'with no faults a good change ends promoted': ({ entries, hadFaults, isGood, wasDisturbed }) =>
    hadFaults
      ? []
      : viewsOf(entries).flatMap((view) =>
          isGood(view.siteHash) && !wasDisturbed(view.id) && !endedWell(view)
            ? [`${view.id} is ${view.state}: ${view.why}`]
            : [],
        ),
};

function endedWell({ state, why, gates }: ChangeView): boolean {
  if (state === 'promoted' || state === 'abandoned') return true;
  // In quarantine since a person took it back.
  return (
    state === 'refused' &&
    (why.includes('quarantine') ||
      gates.some(({ gate, verdict }) => gate === 'limits' && verdict === 'refused'))
  );
}

/** By the journal alone: text 0 until something was promoted; a change that went back after its promotion gives way to the one before. */
function promotedLast(entries: readonly JournalEntry[], firstHash: string): string {
  const promoted = [{ change: '', hash: firstHash }];
  const hashes = new Map<string, string>();
  for (const { event } of entries) {
    if (event.kind === 'change.proposed') hashes.set(event.change, event.siteHash);
    if (event.kind !== 'change.state') continue;
    if (event.state === 'promoted')
      promoted.push({ change: event.change, hash: hashes.get(event.change) ?? '' });
    if (event.state === 'rolled back' && promoted.at(-1)?.change === event.change) promoted.pop();
  }
  return promoted.at(-1)?.hash ?? '';
}

/** A text that is in quarantine gets traffic only when a person has released it. */
function comeBacks(entries: readonly JournalEntry[]): string[] {
  const quarantined = new Set<string>();
  const hashes = new Map<string, string>();
  const forced = new Set<string>();
  return entries.flatMap(({ event }) => {
    if (event.kind === 'change.proposed') {
      hashes.set(event.change, event.siteHash);
      if (event.force) forced.add(event.change);
    }
    if (event.kind === 'quarantine.added') quarantined.add(event.siteHash);
    if (event.kind === 'quarantine.released') quarantined.delete(event.siteHash);
    const isExposed = event.kind === 'change.exposed' && quarantined.has(hashes.get(event.change) ?? '');
    return isExposed && !forced.has(event.change) ? [`${event.change} was exposed on ${event.balancer}`] : [];
  });
}
