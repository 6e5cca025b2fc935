import type { Socket } from 'node:net';
import { messageOf } from '#base';
import type { BuiltinText } from '#dialects';
import { openControls } from './controls.ts';
import { openDoors } from './doors.ts';
import { createFront } from './front.ts';
import { createGeneration, type Generation, watchPools } from './generation.ts';

/** Resolves when the generation serves: its control socket answers last. The process then lives until it has drained. */
export async function run(
  text: BuiltinText,
  { parked, say }: { readonly parked: boolean; say(line: string): void },
): Promise<void> {
  surviveErrors(say);
  const generation = createGeneration(text);
  const front = createFront(generation);
  let whenEmpty: (() => void) | null = null;
  const doors = await openDoors(generation, front, (socket: Socket) => {
    generation.counts.connections += 1;
    socket.once('close', () => {
      generation.counts.connections -= 1;
      if (generation.counts.connections === 0) whenEmpty?.();
    });
  });
  const stopChecks = watchPools(generation);
  const drain = () => {
    if (generation.draining) return;
    startDraining(generation);
    doors.end();
    front.drain();
    whenEmpty = () => {
      stopChecks();
      controls.close();
      process.exit(0);
    };
    // After the answer to whoever told us, and after connections that were accepted in this very moment.
    setImmediate(() => setImmediate(() => generation.counts.connections === 0 && whenEmpty?.()));
  };
  if (!parked) await doors.resume();
  const controls = await openControls(generation, doors, drain);
  const reported = (work: () => Promise<void> | void) => async () => {
    try {
      await work();
    } catch (error) {
      say(messageOf(error));
    }
  };
  process.on(
    'SIGTTOU',
    reported(() => doors.park()),
  );
  process.on(
    'SIGTTIN',
    reported(() => (generation.draining ? undefined : doors.resume())),
  );
  process.on('SIGUSR1', drain);
  process.on('SIGTERM', drain);
  process.on('SIGINT', () => process.exit(0));
  // The terminal of whoever started us is not ours to die with.
  process.on('SIGHUP', () => {});
}

function startDraining(generation: Generation): void {
  generation.draining = true;
}

/** One connection's trouble must not end the others. Said at most once a second, so a storm fills no disk. */
function surviveErrors(say: (line: string) => void): void {
  let saidAt = Number.NEGATIVE_INFINITY;
  const survive = (error: unknown) => {
    if (performance.now() - saidAt < 1_000) return;
    saidAt = performance.now();
    say(
      `an error that nobody caught: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  };
  process.on('uncaughtException', survive);
  process.on('unhandledRejection', survive);
}
