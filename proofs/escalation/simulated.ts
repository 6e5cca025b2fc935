/** One scenario of people, receivers and clocks, run with the real keeper in simulated time, and killed after any entry. */
import { type AlertKeeper, alertKeeper, type Delivery, type OnCall, readOnCall } from '#alerting';
import { assert } from '#base';
import type { Journal, JournalEntry } from '#events';
import { simulatedClock } from '../../test/world/clock.ts';
import { memoryJournal } from '../../test/world/journal.ts';
import { seededRandom } from '../../test/world/random.ts';

const minute = 60_000;
export const lastsMs = 4 * minute;
const restartMs = 700;

const text = `
notifiers: [{ name: phone, command: { run: [call] } }]
people:
  - { name: sue, contacts: [{ notifier: phone, to: "1" }] }
  - { name: eve, contacts: [{ notifier: phone, to: "2" }] }
  - { name: vic, contacts: [{ notifier: phone, to: "3" }] }
policies:
  - name: standard
    steps:
      - { page: [person: sue], ackWithin: 20s }
      - { page: [person: eve], ackWithin: 30s }
      - { page: [person: vic], ackWithin: 40s }
    repeat: 2
    ackTimeout: 60s
`;

export type Behaviour = 'ok' | 'hangs' | 'fails' | 'refuses' | 'answers late' | 'loses answers';
const behaviours: readonly Behaviour[] = [
  'ok',
  'ok',
  'ok',
  'hangs',
  'fails',
  'refuses',
  'answers late',
  'loses answers',
];

export interface Scenario {
  readonly seed: number;
  readonly receivers: Readonly<Record<string, Behaviour>>;
  /** Milliseconds after the beginning; null: never. */
  readonly ackAtMs: number | null;
  readonly endAtMs: number | null;
  readonly clockJump: { readonly atMs: number; readonly byMs: number } | null;
  readonly diskFull: { readonly fromMs: number; readonly untilMs: number } | null;
}

export function drawScenario(seed: number): Scenario {
  const random = seededRandom(seed);
  const maybe = (share: number, value: () => number) => (random.next() < share ? value() : null);
  const moment = () => 1_000 + random.integer(lastsMs - 60_000);
  const receivers = Object.fromEntries(
    ['1', '2', '3'].map((to) => [to, behaviours[random.integer(behaviours.length)] ?? 'ok'] as const),
  );
  const ackAtMs = maybe(0.4, moment);
  const endAtMs = maybe(0.4, moment);
  const jumpAt = maybe(0.3, moment);
  const fullFrom = maybe(0.2, moment);
  return {
    seed,
    receivers,
    ackAtMs,
    endAtMs,
    clockJump: jumpAt === null ? null : { atMs: jumpAt, byMs: random.next() < 0.5 ? -3_600_000 : 3_600_000 },
    diskFull: fullFrom === null ? null : { fromMs: fullFrom, untilMs: fullFrom + 20_000 },
  };
}

export interface Outcome {
  readonly entries: readonly JournalEntry[];
  /** Every message that came to a receiver, with its key. */
  readonly came: readonly {
    readonly atMs: number;
    readonly to: string;
    readonly page: string;
    readonly what: string;
  }[];
  /** When, by the clock that never jumps, and after which entry. */
  readonly kills: readonly { readonly atMs: number; readonly sequence: number }[];
}

/** Put in on purpose. `forgets sent`: whoever begins again does not read what came of the pages. */
export type Mistake = 'sends twice' | 'forgets sent';

/** `killAfter`: the controller dies as soon as so many entries are on disk; null: never. */
export async function runScenario(
  scenario: Scenario,
  killAfter: number | null,
  mistake: Mistake | null = null,
): Promise<Outcome> {
  const { onCall } = readOnCall(text, 'oncall.yaml', Date.UTC(2026, 0, 1));
  assert(onCall, 'the settings of the proof are in order');
  const clock = simulatedClock();
  const wall = { offsetMs: 0 };
  const seen = { ...clock, now: () => clock.now() + wall.offsetMs };
  const disk = memoryJournal(seen);
  const came: Outcome['came'][number][] = [];
  const kills: Outcome['kills'][number][] = [];
  const read = mistake === 'forgets sent' ? withoutSent(disk, kills) : disk.entries;
  let life = startLife(onCall);

  function startLife(settings: OnCall): { keeper: AlertKeeper; dead: boolean } {
    const one: { keeper: AlertKeeper | null; dead: boolean } = { keeper: null, dead: false };
    const never = new Promise<never>(() => {});
    const journal: Journal = {
      append: async (by, event) => {
        if (one.dead) return never;
        const entry = await disk.append(by, event);
        return one.dead ? never : entry;
      },
      entries: (after, max) => (one.dead ? [] : read(after, max)),
      follow: (use) => disk.follow((entry) => one.dead || use(entry)),
    };
    const keeper = alertKeeper({
      site: 'shop',
      journal,
      clock: seen,
      random: seededRandom(scenario.seed + 1).next,
      settings: () => settings,
      deliver: (_, message, signal) => {
        if (one.dead) return never;
        const { to, page, what } = message;
        for (let times = mistake === 'sends twice' ? 2 : 1; times > 0; times -= 1)
          came.push({ atMs: clock.monotonicMs(), to, page, what });
        return answerOf(scenario.receivers[to] ?? 'ok', (ms) => clock.sleep(ms, signal));
      },
    });
    return Object.assign(one, { keeper });
  }

  disk.afterEntry = ({ sequence }) => {
    if (killAfter === null || sequence !== killAfter || life.dead) return;
    kills.push({ atMs: clock.monotonicMs(), sequence });
    life.dead = true;
    void life.keeper.stop();
    clock.at(restartMs, () => {
      life = startLife(onCall);
    });
  };
  const append = (...said: Parameters<Journal['append']>) => void disk.append(...said).catch(() => {});
  clock.at(100, () => append('controller', { kind: 'pipeline.frozen', why: 'c1: errors' }));
  if (scenario.ackAtMs !== null)
    clock.at(scenario.ackAtMs, () =>
      append('person:eve', {
        kind: 'alert.acknowledged',
        escalation: 'e-1',
        until: seen.now() + minute,
        comment: '',
      }),
    );
  if (scenario.endAtMs !== null)
    clock.at(scenario.endAtMs, () => append('person:eve', { kind: 'pipeline.released', reason: 'seen' }));
  if (scenario.clockJump) {
    const { atMs, byMs } = scenario.clockJump;
    clock.at(atMs, () => {
      wall.offsetMs = byMs;
    });
  }
  if (scenario.diskFull) {
    const { fromMs, untilMs } = scenario.diskFull;
    clock.at(fromMs, () => {
      disk.full = true;
    });
    clock.at(untilMs, () => {
      disk.full = false;
    });
  }
  await clock.pass(lastsMs);
  life.dead = true;
  void life.keeper.stop();
  return { entries: disk.entries(), came, kills };
}

function withoutSent(disk: Journal, kills: Outcome['kills']): Journal['entries'] {
  return (after, max) =>
    disk.entries(after, max).filter(({ sequence, event: { kind } }) => {
      const isOutcome = kind === 'page.sent' || kind === 'page.dead';
      return !isOutcome || kills.every((kill) => sequence > kill.sequence);
    });
}

async function answerOf(behaviour: Behaviour, pause: (ms: number) => Promise<void>): Promise<Delivery> {
  const failed = (why: string, final: boolean): Delivery => ({
    kind: 'failed',
    why,
    final,
    retryAfterMs: null,
  });
  switch (behaviour) {
    case 'ok':
      return { kind: 'sent', said: 'ok' };
    case 'hangs':
      await pause(3_600_000);
      return failed('late', false);
    case 'fails':
      return failed('it answered 500', false);
    case 'refuses':
      return failed('it answered 400', true);
    case 'answers late':
      await pause(3_000);
      return { kind: 'sent', said: 'late' };
    case 'loses answers':
      return failed('the connection broke', false);
  }
}
