/** An address on which nothing answers at all, not even a refusal: a listening socket whose queue is full drops every SYN. */
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

export interface Blackhole {
  readonly port: number;
  close(): Promise<void>;
}

const listenAndSleep = `
const { createServer } = require('node:net');
const { parentPort, workerData } = require('node:worker_threads');
const server = createServer();
server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  // Never accepts: the loop that would do it stands still until it is told to end.
  Atomics.wait(new Int32Array(workerData), 0, 0);
  server.close();
});
`;
/** A queue of one holds two, and what the kernel itself adds. */
const fillersMax = 16;
const silentMs = 300;

export async function startBlackhole(): Promise<Blackhole> {
  const gate = new SharedArrayBuffer(4);
  const worker = new Worker(listenAndSleep, { eval: true, workerData: gate });
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const fillers: Socket[] = [];
  const close = async () => {
    for (const filler of fillers) filler.destroy();
    Atomics.store(new Int32Array(gate), 0, 1);
    Atomics.notify(new Int32Array(gate), 0);
    await worker.terminate();
  };
  for (let made = 0; made < fillersMax; made += 1) {
    const filler = connect(port, '127.0.0.1');
    filler.on('error', () => {});
    fillers.push(filler);
    if (!(await answers(filler))) return { port, close };
  }
  await close();
  throw new Error('the kernel goes on answering: no black hole');
}

function answers(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), silentMs);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
