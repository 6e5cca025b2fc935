import { type Clock, type Log, messageOf, silentLog } from '#base';
import type { Journal } from '#events';
import { alertsOf, decide, type Now } from './core/decide.ts';
import { courier, type Deliver } from './delivery.ts';
import { type Intake, intake } from './intake.ts';
import { type AlertLedger, alertLedger } from './ledger.ts';
import type { OnCall } from './settings.ts';
import { steadyTime } from './steady.ts';

/** Fires and ends alerts, and pages people, as the journal grows. It may be killed and begun again at any moment. */
export interface AlertKeeper {
  readonly ledger: AlertLedger;
  readonly intake: Intake;
  readonly now: () => Now;
  /** Looks again at once: settings have changed, or somebody did something. */
  wake(): void;
  /** How long ago it last went round, in milliseconds: what a dead man's switch asks. */
  idleMs(): number;
  stop(): Promise<void>;
}

export interface AlertKeeperParts {
  readonly site: string;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log?: Log;
  readonly random: () => number;
  /** Null: there is no on-call file, so nobody is paged. */
  readonly settings: () => OnCall | null;
  readonly deliver: Deliver;
  readonly spacingMs?: (notifier: string) => number;
}

/** However little there is to do: clocks are put forward and back, and a dead man's switch wants to hear. */
const roundMsMax = 1_000;

export function alertKeeper(parts: AlertKeeperParts): AlertKeeper {
  const { journal, clock, log = silentLog, settings } = parts;
  const now = steadyTime(clock);
  const ledger = alertLedger({ site: parts.site, journal, clock, time: now, log });
  const taking = intake(ledger, now);
  let stopped = false;
  let waker = new AbortController();
  const wake = () => waker.abort();
  const sending = courier({
    ...parts,
    ledger,
    time: now,
    spacingMs: parts.spacingMs ?? (() => 0),
    alertsOf: (escalation) => alertsOf(ledger.book, settings(), escalation, now()),
    wake,
  });
  const unfollow = journal.follow(wake);
  let roundAt = clock.monotonicMs();

  /** Milliseconds until there may be something to do; 0: at once. */
  async function round(): Promise<number> {
    if (ledger.unsaved() > 0) await ledger.save();
    ledger.catchUp();
    const toldMs = await taking.tellDropped();
    ledger.catchUp();
    const { facts, waitMs } = decide(ledger.book, settings(), now(), taking.expiresAt);
    // All in one turn: they are one transaction, in this order.
    await Promise.all(facts.map((fact) => ledger.append('controller', fact)));
    if (facts.length > 0) return 0;
    return Math.min(waitMs, toldMs, sending.startDue());
  }

  async function work(): Promise<void> {
    let said = '';
    while (!stopped) {
      waker = new AbortController();
      let waitMs = roundMsMax;
      try {
        waitMs = await round();
        said = '';
      } catch (error) {
        const why = messageOf(error);
        if (why !== said) log.error('alerts wait', { why });
        said = why;
      }
      roundAt = clock.monotonicMs();
      if (waitMs > 0) await clock.sleep(Math.min(roundMsMax, waitMs), waker.signal).catch(() => {});
    }
  }

  const working = work();
  return {
    ledger,
    intake: taking,
    now,
    wake,
    idleMs: () => clock.monotonicMs() - roundAt,
    async stop() {
      stopped = true;
      unfollow();
      wake();
      await sending.stop();
      await working;
    },
  };
}
