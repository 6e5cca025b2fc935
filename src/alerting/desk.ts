import { randomUUID } from 'node:crypto';
import { type Clock, didYouMean, Failure } from '#base';
import type { Alert, PlannedPage, Silence } from '#events';
import type { Book, Escalation, FiringAlert, Page, Turn } from './core/book.ts';
import { alertsOf, type Now, quietness } from './core/decide.ts';
import { expressionOf, policyOf } from './core/matchers.ts';
import { type Shift, shiftsOf } from './core/schedule.ts';
import { targetsOf } from './core/targets.ts';
import type { Deliver } from './delivery.ts';
import { deliverMsMax } from './delivery.ts';
import type { AlertKeeper } from './keeper.ts';
import { testMessage } from './message.ts';
import type { OnCall } from './settings.ts';

/** What people ask and do about alerts. @throws Failure with a code of the catalogue. */
export interface AlertDesk {
  alerts(): readonly ShownAlert[];
  escalations(): readonly ShownEscalation[];
  silences(): readonly Silence[];
  /** Resolves with its id, once it is in the journal. */
  silence(silence: Omit<Silence, 'id'>): Promise<string>;
  endSilence(id: string, by: string): Promise<void>;
  acknowledge(escalation: string, by: string, comment: string, forMs?: number): Promise<ShownEscalation>;
  handOver(escalation: string, by: string, to: string): Promise<ShownEscalation>;
  onCall(at: number, aheadMs: number): ShownOnCall;
  test(by: string, notifier?: string, to?: string): Promise<readonly TestResult[]>;
}

export interface ShownAlert extends FiringAlert {
  readonly policy: string | null;
  readonly silences: readonly string[];
  readonly causes: readonly string[];
}

export interface ShownEscalation extends Omit<Escalation, 'turns'> {
  readonly alerts: readonly FiringAlert[];
  readonly turns: readonly (Omit<Turn, 'pages'> & { readonly pages: readonly Page[] })[];
}

export interface ShownOnCall {
  readonly schedules: readonly {
    readonly name: string;
    readonly timeZone: string;
    readonly shifts: readonly Shift[];
  }[];
  readonly policies: readonly {
    readonly name: string;
    readonly steps: readonly {
      readonly reaches: readonly Omit<PlannedPage, 'id'>[];
      readonly missing: readonly string[];
      readonly ackWithinMs: number | null;
    }[];
  }[];
  readonly deadLetters: readonly Page[];
  readonly unsaved: number;
}

export interface TestResult {
  readonly notifier: string;
  readonly person: string | null;
  readonly to: string;
  readonly ok: boolean;
  readonly said: string;
  readonly tookMs: number;
}

const silencesMax = 1_000;

export interface DeskParts {
  readonly site: string;
  readonly keeper: AlertKeeper;
  readonly clock: Clock;
  readonly settings: () => OnCall | null;
  readonly deliver: Deliver;
}

export function alertDesk(parts: DeskParts): AlertDesk {
  const { keeper, clock, settings } = parts;
  const { ledger, now } = keeper;
  const { book } = ledger;

  const act = async (by: string, event: Parameters<typeof ledger.append>[1]) => {
    await ledger.append(by, event);
    ledger.catchUp();
    keeper.wake();
  };

  return {
    alerts: () => shownAlerts(book, settings(), now()),
    escalations: () =>
      [...book.past, ...book.escalations.values()].map((one) => shown(book, settings(), one, now())),
    silences: () => [...book.silences.values()],
    async silence(wanted) {
      mustBeSilence(wanted, clock.now(), book.silences.size);
      const id = randomUUID();
      await act(wanted.createdBy, { kind: 'silence.made', silence: { id, ...wanted } });
      return id;
    },
    async endSilence(id, by) {
      if (!book.silences.has(id))
        throw new Failure('HF404', `there is no silence "${id}"`, 'See `holdfast silence list`.');
      await act(by, { kind: 'silence.ended', silence: id });
    },
    async acknowledge(id, by, comment, forMs) {
      const escalation = openOne(book, id);
      const policy = settings()?.policies.find(({ name }) => name === escalation.policy);
      const until = clock.now() + (forMs ?? policy?.ackTimeoutMs ?? defaultAckMs);
      await act(by, { kind: 'alert.acknowledged', escalation: id, until, comment });
      return shown(book, settings(), escalation, now());
    },
    async handOver(id, by, to) {
      const escalation = openOne(book, id);
      const people = settings()?.people.map(({ name }) => name) ?? [];
      if (!people.includes(to))
        throw new Failure(
          'HF404',
          `oncall.yaml has nobody called "${to}"`,
          didYouMean(to, people) || `It has ${people.join(', ') || 'nobody'}.`,
        );
      await act(by, { kind: 'escalation.handedOver', escalation: id, to });
      return shown(book, settings(), escalation, now());
    },
    onCall: (at, aheadMs) => shownOnCall(settings(), at, aheadMs, book, ledger.unsaved()),
    test: (by, notifier, to) => testAll(parts, by, notifier, to),
  };
}

const defaultAckMs = 30 * 60_000;

function openOne(book: Book, id: string): Escalation {
  const escalation = book.escalations.get(id);
  if (escalation && !escalation.ended) return escalation;
  const open = [...book.escalations.values()].filter(({ ended }) => ended === null).map((one) => one.id);
  const ended = escalation ?? book.past.find((one) => one.id === id);
  const remedy = open.length > 0 ? `Open now: ${open.join(', ')}.` : 'None is open now.';
  throw new Failure(
    'HF404',
    ended ? `${id} is over: ${ended.ended?.how}` : `there is no escalation "${id}"`,
    remedy,
  );
}

function mustBeSilence(
  { matchers, startsAt, endsAt }: Omit<Silence, 'id'>,
  now: number,
  known: number,
): void {
  const refuse = (why: string, remedy = '') => {
    throw new Failure('HF405', why, remedy);
  };
  if (known >= silencesMax) refuse(`there are ${silencesMax} silences already`, 'End some of them.');
  if (endsAt <= now) refuse('the silence would be over already', 'Give it an end that is still to come.');
  if (endsAt <= startsAt) refuse('the silence would end before it begins');
  for (const { name, value, isRegex } of matchers)
    if (isRegex && expressionOf(value) === null)
      refuse(
        `${name}: ${JSON.stringify(value)} is no expression, or none that is decided in one pass over a value`,
        'Use |, [], ., * and + over the whole value; no assertions and back references.',
      );
  const all = matchers.every(
    ({ isEqual, isRegex, value }) =>
      isEqual && (isRegex ? (expressionOf(value)?.('') ?? false) : value === ''),
  );
  if (all) refuse('the silence would match every alert', 'Name at least one label with its value.');
}

function shownAlerts(book: Book, settings: OnCall | null, now: Now): readonly ShownAlert[] {
  const quiet = quietness(book, settings, now);
  return [...book.firing.values()].map((one) => ({
    ...one,
    policy: settings ? (policyOf(settings, one.alert.labels)?.name ?? null) : null,
    ...quiet(one.alert),
  }));
}

function shown(book: Book, settings: OnCall | null, escalation: Escalation, now: Now): ShownEscalation {
  return {
    ...escalation,
    alerts: alertsOf(book, settings, escalation, now),
    turns: escalation.turns.map((turn) => ({
      ...turn,
      pages: turn.pages.flatMap((id) => book.pages.get(id) ?? []),
    })),
  };
}

function shownOnCall(
  settings: OnCall | null,
  at: number,
  aheadMs: number,
  book: Book,
  unsaved: number,
): ShownOnCall {
  return {
    schedules: (settings?.schedules ?? []).map((one) => ({
      name: one.name,
      timeZone: one.timeZone,
      shifts: shiftsOf(one, at, at + aheadMs),
    })),
    policies: (settings?.policies ?? []).map(({ name, steps }) => ({
      name,
      steps: steps.map(({ targets, ackWithinMs }) => {
        const { reached, missing } = settings
          ? targetsOf(settings, targets, at)
          : { reached: [], missing: [] };
        return { reaches: reached, missing, ackWithinMs };
      }),
    })),
    deadLetters: book.deadLetters.toReversed(),
    unsaved,
  };
}

/** Each place once: a notifier that needs no address, and each contact of each person. */
async function testAll(
  { settings, deliver, clock, site }: DeskParts,
  by: string,
  only?: string,
  to?: string,
): Promise<readonly TestResult[]> {
  const known = settings();
  if (!known)
    throw new Failure('HF605', 'nobody can be reached: there is no oncall.yaml, or none that can be read');
  const names = known.notifiers.map(({ name }) => name);
  if (only !== undefined && !names.includes(only))
    throw new Failure(
      'HF404',
      `oncall.yaml has no notifier "${only}"`,
      didYouMean(only, names) || `It has ${names.join(', ')}.`,
    );
  const contacts = known.people.flatMap(({ name, contacts: all }) =>
    all.map((contact) => ({ person: name as string | null, ...contact })),
  );
  const wanted = names
    .filter((name) => only === undefined || name === only)
    .flatMap((notifier) => {
      if (to !== undefined) return [{ person: null, notifier, to }];
      const own = contacts.filter((one) => one.notifier === notifier && one.to !== '');
      return own.length > 0 ? own : [{ person: null, notifier, to: '' }];
    });
  return await Promise.all(
    wanted.map(async ({ person, notifier, to: where }) => {
      const beganAt = clock.monotonicMs();
      const message = { ...testMessage(site, notifier, where, by, clock.now()), person };
      const outcome = await deliver(notifier, message, AbortSignal.timeout(deliverMsMax)).catch(
        (error: unknown) => ({
          kind: 'failed' as const,
          why: `${error instanceof Failure ? `${error.code} ` : ''}${error instanceof Error ? error.message : String(error)}`,
        }),
      );
      const said = outcome.kind === 'sent' ? outcome.said : outcome.why;
      const tookMs = Math.round(clock.monotonicMs() - beganAt);
      return { notifier, person, to: where, ok: outcome.kind === 'sent', said, tookMs };
    }),
  );
}

/** What always fires while alerts are looked after: where it is missing, somebody has to look. */
export function watchdogAlert(site: string, now: number): Alert {
  return {
    labels: { alertname: 'Watchdog', severity: 'none', site },
    annotations: {
      summary: 'Alerts of this site are looked after',
      users: 'Nothing.',
      cause: 'It always fires.',
      action: 'Look at once where it is missing.',
    },
    startsAt: now,
    endsAt: null,
    generatorURL: '',
  };
}
