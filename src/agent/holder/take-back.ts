import { after, type Clock } from '#base';
import { drain, type Held } from './held.ts';
import type { HolderTakeBack } from './protocol.ts';

/** From the second half's start to the gentle end of the bad generation: its requests under way are answered by then. */
const drainAfterMs = 100;
/** One that does not accept by then is not waited for where somebody else can take its place: what comes waits in the socket. */
const goodMsMax = 100;
/** An engine that has not led requests back by then is not going to; it is drained at once. */
const takeBackMsMax = 50;
/** One that has not parked by then hangs, and what is in flight in it is lost either way. Less would kill one that is only busy. */
const parkMsMax = 150;
/** Parked and with its requests led back nothing is urgent: a busy one gets time to end gently. */
const drainCallMsMax = 1_000;

/**
 * Rung 1: resume the good one, park the bad one, each read back; at the same moment lead requests on the bad one's open
 * connections to the good one; then drain the bad one. An engine that does not follow is drained at once, then
 * killed (rung 2). Nothing here reads a file, starts a process or asks the engine to reload. Requests are led back only to
 * somebody who answers: `instead` finds another one where the good one hangs, and resolves when it accepts.
 */
export async function takeBack(options: {
  good: Held;
  bad: Held | null;
  clock: Clock;
  instead: () => Promise<Held | null>;
}): Promise<HolderTakeBack> {
  const { good, bad, clock, instead } = options;
  const decidedAt = clock.now();
  const began = clock.monotonicMs();
  const steps: { what: string; ok: boolean; tookMs: number }[] = [];

  async function step(what: string, work: Promise<void>): Promise<boolean> {
    const ok = await work.then(
      () => true,
      () => false,
    );
    steps.push({ what, ok, tookMs: clock.monotonicMs() - began });
    return ok;
  }

  async function resume(): Promise<void> {
    if (await step(`resume generation ${good.spec.generation}`, accepts(good))) return;
    const other = await instead();
    if (other) await step(`resume generation ${other.spec.generation} in its place`, Promise.resolve());
  }

  if (!bad) {
    await resume();
    return { decidedAt, doneAt: clock.now(), rung: 1, steps };
  }
  const name = `generation ${bad.spec.generation}`;
  const lead = () =>
    step(`lead requests of ${name}'s open connections back`, bad.control.takeBack(true, takeBackMsMax));
  const [led, parked] = await Promise.all([
    resume().then(lead),
    step(`park ${name}`, bad.side.want('parked', parkMsMax)),
  ]);
  const doneAt = clock.now();

  if (!parked) {
    bad.kill();
    steps.push({ what: `kill ${name}, which did not park`, ok: true, tookMs: clock.monotonicMs() - began });
    return { decidedAt, doneAt: clock.now(), rung: 2, steps };
  }
  if (led) after(clock, drainAfterMs, () => void drain(bad, drainCallMsMax));
  else void drain(bad, drainCallMsMax);
  after(clock, bad.drainMs, () => bad.kill());
  return { decidedAt, doneAt, rung: 1, steps };
}

/** Read back, too: one that was to accept all the time may hang since then. */
async function accepts({ side, control }: Held): Promise<void> {
  await side.want('accepting', goodMsMax);
  await control.state(goodMsMax);
}
