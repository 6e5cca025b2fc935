import type { Client } from './load/client.ts';
import { http1Client } from './load/http1.ts';
import { http2Client } from './load/http2.ts';
import { type Load, type LoadPlan, preciseNow, type RequestRecord } from './load/plan.ts';
import { stallMeter } from './load/stall.ts';
import { newTally } from './load/tally.ts';

export * from './load/plan.ts';
export { quantile } from './load/stall.ts';

/** More than any answer can be waiting for at the rates and time-outs we use; beyond it a request counts as `not sent`. */
const inFlightMax = 20_000;
const tickMs = 1;
/** After a stall the missed arrivals leave at once, but not more of them than this share of a second. */
const catchUpMsMax = 1_000;

/** Starts a steady rate of requests that waits for nobody. Resolves when the first connections stand. */
export async function startLoad(plan: LoadPlan): Promise<Load> {
  const client: Client = plan.kind === 'h2' ? http2Client(plan) : http1Client(plan);
  const tally = newTally();
  const meter = stallMeter();
  const inFlight = new Map<number, { readonly expiresAt: number; readonly giveUp: () => void }>();
  await client.open();

  const startedAt = preciseNow();
  const gapMs = 1_000 / plan.ratePerSecond;
  let nextDueAt = startedAt;
  let lastId = 0;
  let isStopping = false;
  let whenIdle: (() => void) | null = null;

  function sendOne(dueAt: number) {
    const id = ++lastId;
    const sentAt = preciseNow();
    tally.sent();
    const end = (rest: Omit<RequestRecord, 'dueAt' | 'sentAt' | 'endedAt'>) => {
      inFlight.delete(id);
      tally.ended({ dueAt, sentAt, endedAt: preciseNow(), ...rest });
      if (isStopping && inFlight.size === 0) whenIdle?.();
    };
    if (inFlight.size >= inFlightMax) {
      return end({
        outcome: 'not sent',
        status: null,
        reused: false,
        openedAt: sentAt,
        marker: '',
        detail: '',
      });
    }
    let hasEnded = false;
    const giveUp = client.send((ending) => {
      hasEnded = true;
      end(ending);
    });
    if (!hasEnded) inFlight.set(id, { expiresAt: sentAt + plan.timeoutMs, giveUp });
  }

  function tick(setAt: number) {
    meter.fired(setAt, tickMs);
    const now = preciseNow();
    nextDueAt = Math.max(nextDueAt, now - catchUpMsMax);
    while (!isStopping && nextDueAt <= now) {
      sendOne(nextDueAt);
      nextDueAt += gapMs;
    }
    // Oldest first, and all have the same time-out.
    for (const { expiresAt, giveUp } of inFlight.values()) {
      if (expiresAt > now) break;
      giveUp();
    }
    schedule();
  }

  let timer: NodeJS.Timeout;
  function schedule() {
    const setAt = performance.now();
    timer = setTimeout(() => tick(setAt), tickMs);
  }
  schedule();

  return {
    counts: () => Promise.resolve(tally.counts()),
    async stop() {
      isStopping = true;
      if (inFlight.size > 0) {
        await new Promise<void>((resolve) => {
          whenIdle = resolve;
        });
      }
      clearTimeout(timer);
      client.close();
      return {
        records: tally.records,
        counts: tally.counts(),
        stall: meter.read(),
        startedAt,
        endedAt: preciseNow(),
      };
    },
  };
}
