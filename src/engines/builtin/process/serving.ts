import type { Socket } from 'node:net';
import type { Handlers } from '#base';
import type { BuiltinText } from '#dialects';
import { handlersOf } from './controls.ts';
import { type Doors, openDoors } from './doors.ts';
import type { OpenEntrance } from './entrances.ts';
import { createFront } from './front.ts';
import { createGeneration, type Generation } from './generation.ts';

/** A generation's text at work in this process: the only one, or one of its workers. */
export interface Serving {
  readonly generation: Generation;
  readonly doors: Doors;
  readonly handlers: Handlers;
  drain(): void;
}

export interface ServingOptions {
  readonly entrances: readonly OpenEntrance[];
  /** Called once, after `drain`, when the last connection has ended. */
  ended(): void;
}

export async function openServing(text: BuiltinText, { entrances, ended }: ServingOptions): Promise<Serving> {
  const generation = createGeneration(text);
  const front = createFront(generation);
  const { counts } = generation;
  const endIfEmpty = () => {
    if (generation.draining && counts.connections === 0) ended();
  };
  const doors = await openDoors(generation, front, entrances, (socket: Socket) => {
    counts.connections += 1;
    socket.once('close', () => {
      counts.connections -= 1;
      endIfEmpty();
    });
  });
  const drain = () => {
    if (generation.draining) return;
    doors.end();
    front.drain();
    // After the answer to whoever told us, and after connections that were accepted in this very moment.
    setImmediate(() => setImmediate(endIfEmpty));
    generation.draining = true;
  };
  return { generation, doors, drain, handlers: handlersOf(generation, doors, drain) };
}
