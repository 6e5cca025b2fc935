import { chmod } from 'node:fs/promises';
import type { Server } from 'node:net';
import { type Handlers, serveWire } from '#base';
import type { Evidence } from '../../engine.ts';
import type { Doors } from './doors.ts';
import type { Generation } from './generation.ts';
import { takeForDown } from './pool.ts';
import { listen } from './sides.ts';
import { removeSocketFile } from './socket-file.ts';

/** What `control.ts` asks; each answers with what is so now, read back. One that serves alone answers itself, workers through whoever started them. */
export function handlersOf(generation: Generation, doors: Doors, drain: () => void): Handlers {
  const state = () => (doors.accepting() ? 'accepting' : 'parked');
  return {
    state,
    park() {
      doors.park();
      return state();
    },
    async resume() {
      if (generation.draining) throw new Error('it is draining: it cannot accept again');
      await doors.resume();
      return state();
    },
    takeBack(on) {
      if (on === true && generation.text.neighbour === null) throw new Error('it has no neighbour');
      generation.takeBack = on === true;
      return generation.takeBack;
    },
    net(on) {
      if (on === true && !generation.text.net) throw new Error('it has no neighbour, or no net');
      generation.net = on === true;
      return generation.net;
    },
    evidence: () => evidenceOf(generation),
    servers: () => [...generation.pools.values()].flatMap((pool) => pool.serverEvidence()),
    know: (down) => [...generation.pools.values()].reduce((sum, pool) => sum + takeForDown(pool, down), 0),
    ticketKeys(lines) {
      generation.tickets?.set(linesOf(lines));
      return true;
    },
    errors: (linesMax) => generation.errors.newest(typeof linesMax === 'number' ? linesMax : 0),
    drain() {
      drain();
      return true;
    },
  };
}

function linesOf(input: unknown): string[] {
  return Array.isArray(input) ? input.map(String) : [];
}

/** The control socket. */
export async function openControls(path: string, handlers: Handlers): Promise<Server> {
  const server = serveWire(handlers);
  await removeSocketFile(path);
  await listen(server, { path });
  await chmod(path, 0o600);
  return server;
}

export function evidenceOf({ counts, pools }: Generation): Evidence {
  return { ...counts, pools: [...pools.values()].map((pool) => pool.evidence()) };
}
