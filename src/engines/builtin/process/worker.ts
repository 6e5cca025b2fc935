import { messageOf } from '#base';
import { evidenceOf } from './controls.ts';
import type { FromWorker, Health, ToWorker } from './messages.ts';
import { type PoolState, type ServerState, setState } from './pool.ts';
import { openServing, type Serving } from './serving.ts';
import { surviveErrors } from './signals.ts';

/**
 * One worker of the built-in engine, started by `supervisor.ts`: takes connections from the sockets that all of them
 * have inherited, and does as it is told. Without its supervisor it accepts nothing more, finishes what it has, and ends.
 */
const pulseMs = 500;
/** Failed connections bring a check forward; a storm of them need not say so more often. */
const suspectMsMin = 50;

let serving: Serving | null = null;
let servers: ReadonlyMap<string, { readonly pool: PoolState; readonly server: ServerState }> = new Map();
let last: Promise<void> = Promise.resolve();

function tell(message: FromWorker, told: () => void = () => {}): void {
  if (process.connected) process.send?.(message, undefined, undefined, told);
  else told();
}

function pulse(told?: () => void): void {
  if (serving) tell({ kind: 'pulse', evidence: evidenceOf(serving.generation) }, told);
}

async function start(message: Extract<ToWorker, { kind: 'start' }>): Promise<void> {
  const opened = await openServing(message.text, {
    entrances: message.entrances,
    ended: () => pulse(() => process.exit(0)),
  });
  const { generation } = opened;
  serving = opened;
  const all = [...generation.pools.values()].flatMap((pool) =>
    pool.servers.map((server) => ({ pool, server })),
  );
  servers = new Map(all.map((one) => [one.server.key, one]));
  for (const { server } of all) tellOfSuspicion(server);
  for (const pool of generation.pools.values())
    pool.changed = ({ key, lastCheck }) => {
      if (!hearing) tell({ kind: 'ejected', server: key, why: lastCheck });
    };
  hear(message.health);
  setInterval(pulse, pulseMs).unref();
  tell({ kind: 'ready' });
}

function tellOfSuspicion(server: ServerState): void {
  let toldAt = Number.NEGATIVE_INFINITY;
  server.suspect = () => {
    if (performance.now() - toldAt < suspectMsMin) return;
    toldAt = performance.now();
    tell({ kind: 'suspect', server: server.key });
  };
}

/** What is being said to all is no news of ours. */
let hearing = false;

function hear(health: readonly Health[]): void {
  hearing = true;
  for (const { server: key, state } of health) {
    const known = servers.get(key);
    if (known && known.server.state !== state) setState(known.pool, known.server, state);
  }
  hearing = false;
}

async function answer({ id, call, input }: Extract<ToWorker, { kind: 'call' }>): Promise<void> {
  try {
    const handler = serving?.handlers[call];
    if (!handler) throw new Error(`unknown call ${call}`);
    tell({ kind: 'answer', id, output: (await handler(input)) ?? null, error: null });
  } catch (error) {
    tell({ kind: 'answer', id, output: null, error: messageOf(error) });
  }
}

async function obey(message: ToWorker): Promise<void> {
  switch (message.kind) {
    case 'start':
      await start(message);
      break;
    case 'call':
      await answer(message);
      break;
    case 'health':
      hear(message.health);
  }
}

const say = (line: string) =>
  void process.stderr.write(`holdfast built-in engine: worker ${process.pid}: ${line}\n`);

surviveErrors(say);
process.stderr.on('error', () => {});
// What a terminal says to all of a group is for the supervisor to answer.
for (const name of ['SIGINT', 'SIGHUP', 'SIGTTOU', 'SIGTTIN', 'SIGUSR1', 'SIGTERM'] as const)
  process.on(name, () => {});
process.on('disconnect', () => {
  if (!serving) process.exit(1);
  serving.drain();
});
process.on('message', (message: ToWorker) => {
  last = last
    .then(() => obey(message))
    .catch((error) => {
      say(messageOf(error));
      process.exit(1);
    });
});
