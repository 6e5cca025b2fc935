import { chmod } from 'node:fs/promises';
import type { Server } from 'node:net';
import { serveWire } from '#base';
import type { Evidence } from '../../engine.ts';
import type { Doors } from './doors.ts';
import type { Generation } from './generation.ts';
import { takeForDown } from './pool.ts';
import { listen } from './sides.ts';
import { removeSocketFile } from './socket-file.ts';

/** The control socket. Its calls are what `control.ts` asks; each answers with what is so now, read back. */
export async function openControls(generation: Generation, doors: Doors, drain: () => void): Promise<Server> {
  const state = () => (doors.accepting() ? 'accepting' : 'parked');
  const server = serveWire({
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
    errors: (linesMax) => generation.errors.newest(typeof linesMax === 'number' ? linesMax : 0),
    drain() {
      drain();
      return true;
    },
  });
  const path = generation.text.control;
  await removeSocketFile(path);
  await listen(server, { path });
  await chmod(path, 0o600);
  return server;
}

function evidenceOf({ counts, pools }: Generation): Evidence {
  return { ...counts, pools: [...pools.values()].map((pool) => pool.evidence()) };
}
