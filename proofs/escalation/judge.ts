/** What must be true of any order of events, whoever was killed when. */
import type { Event } from '#events';
import type { Outcome, Scenario } from './simulated.ts';

type Planned = Event & { readonly kind: 'page.planned' };

/** After a kill the next one needs this long before it goes on; a round is a second. */
const slackMs = 3_000;
/** Silent receivers: the next step comes when three tries have failed, or when its time is over. */
const stepMsMax = 40_000;

/** Every breach in words; none: it holds. */
export function breachesOf(scenario: Scenario, { entries, came, kills }: Outcome): string[] {
  const events = entries.map(({ event }) => event);
  const planned = events.filter((event): event is Planned => event.kind === 'page.planned');
  return [
    ...twiceInTheJournal(planned),
    ...neverCame(planned, came, events),
    ...tooOften(scenario, came, kills, entries),
    ...forgotten(scenario, planned, entries),
  ];
}

/** One step of one round is planned once; what an acknowledgement or a hand-over brings again is another reason. */
function twiceInTheJournal(planned: readonly Planned[]): string[] {
  const pages = planned.filter(
    ({ what, reason }) => what === 'page' && (reason === 'first' || reason === 'unanswered'),
  );
  const keys = pages.map(({ escalation, step, round }) => `${escalation} step ${step} round ${round}`);
  const ids = planned.flatMap(({ pages: all }) => all.map(({ id }) => id));
  return [...repeated(keys), ...repeated(ids)].map((key) => `planned twice: ${key}`);
}

function repeated(keys: readonly string[]): string[] {
  return keys.filter((key, i) => keys.indexOf(key) < i);
}

/** Whoever was planned was tried, or was told off because it was over or taken. */
function neverCame(planned: readonly Planned[], came: Outcome['came'], events: readonly Event[]): string[] {
  const moot = new Set(
    events.flatMap((event) => (event.kind === 'page.dead' && event.attempt === 0 ? [event.page] : [])),
  );
  return planned
    .slice(0, -1)
    .flatMap(({ pages }) => pages)
    .filter(({ id }) => !moot.has(id) && !came.some(({ page }) => page.endsWith(`/${id}`)))
    .map(({ id }) => `planned and never sent: ${id}`);
}

/**
 * A receiver that answers gets each key once, and once more only where a kill came between its answer and the journal. One
 * kill may meet several such keys: answers that come late, and a disk that takes none of them.
 */
function tooOften(
  { receivers }: Scenario,
  came: Outcome['came'],
  kills: Outcome['kills'],
  entries: Outcome['entries'],
): string[] {
  const isAnswering = (to: string) => answering.includes(receivers[to] ?? 'ok');
  const byKey = Map.groupBy(
    came.filter(({ to }) => isAnswering(to)),
    ({ page }) => page,
  );
  return [...byKey].flatMap(([page, times]) =>
    times.slice(1).flatMap(({ atMs }, i) => {
      const beforeMs = times[i]?.atMs ?? 0;
      const excuse = kills.find(
        (kill) => beforeMs <= kill.atMs && kill.atMs < atMs && !isSettled(page, kill.sequence, entries),
      );
      return excuse
        ? []
        : [`sent again though it was answered, and nobody was killed before that was written: ${page}`];
    }),
  );
}

const answering: readonly string[] = ['ok', 'answers late', 'refuses'];

function isSettled(page: string, sequence: number, entries: Outcome['entries']): boolean {
  return entries.some(
    ({ sequence: at, event }) =>
      at <= sequence &&
      (event.kind === 'page.sent' || event.kind === 'page.dead') &&
      page.endsWith(`/${event.page}`),
  );
}

/** While nobody has it and it fires, somebody is paged in time, until the policy is through. */
function forgotten(
  { ackAtMs, endAtMs, diskFull, clockJump }: Scenario,
  planned: readonly Planned[],
  entries: Outcome['entries'],
): string[] {
  // What is in memory alone dies with it, and times are not comparable after a jump: the other invariants still hold there.
  if (ackAtMs !== null || endAtMs !== null || diskFull || clockJump) return [];
  const steps = planned.filter(({ what }) => what === 'page').map(({ step, round }) => `${step}/${round}`);
  const wanted = ['0/0', '1/0', '2/0', '0/1', '1/1', '2/1'];
  const breaches = steps.join() === wanted.join() ? [] : [`steps were ${steps.join()}`];
  const times = entries.filter(({ event }) => event.kind === 'page.planned').map(({ at }) => at);
  const late = times.findIndex((at, i) => i > 0 && at - (times[i - 1] ?? at) > stepMsMax + slackMs);
  return late < 0 ? breaches : [...breaches, `turn ${late} came late`];
}
