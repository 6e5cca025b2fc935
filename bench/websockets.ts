/** A switch with 1,000 open WebSockets: none is broken before the limit that the site names. */
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Proof } from '../proofs/proof.ts';
import type { EngineName } from '../src/model/index.ts';
import { patientCheck, shopText } from '../test/world/shop.ts';
import { freePort, startStack, textOf } from '../test/world/stack.ts';
import { quantile } from './measure.ts';

const socketsAll = 1_000;
const opensAtOnce = 50;
const drainSeconds = 10;
const echoEveryMs = 1_000;
/** The limit runs from the switch; what is open then is cut by a timer and a signal. */
const slackMs = 1_500;

const key = Buffer.from('the same for each').toString('base64');
const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

/** Upgrades, and says back whatever it hears. */
async function startEcho(): Promise<{ server: Server; port: number }> {
  const server = createServer((_, answer) => answer.end('well'));
  server.on('upgrade', (_, socket) => {
    socket.on('error', () => {});
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, resolve));
  const address = server.address();
  return { server, port: typeof address === 'object' && address ? address.port : 0 };
}

/** One open WebSocket that speaks now and then; frames are whatever is written, nobody between reads them. */
class Talker {
  readonly echoMs: number[] = [];
  endedAt: number | null = null;
  readonly #socket: Socket;
  #sentAt = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', () => {
      if (this.#sentAt > 0) this.echoMs.push(performance.now() - this.#sentAt);
      this.#sentAt = 0;
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.endedAt ??= performance.now();
    });
  }

  speak(): void {
    if (this.endedAt !== null || this.#sentAt > 0) return;
    this.#sentAt = performance.now();
    this.#socket.write('a masked frame');
  }

  /** Said something that was not answered. */
  get waitsMs(): number {
    return this.#sentAt === 0 ? 0 : performance.now() - this.#sentAt;
  }

  end(): void {
    this.#socket.destroy();
  }
}

function open(port: number): Promise<Talker> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(
        `GET /live HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
      ),
    );
    socket.once('error', reject);
    socket.once('data', (head) => {
      if (!head.toString().startsWith('HTTP/1.1 101')) reject(new Error(head.toString().slice(0, 80)));
      else resolve(new Talker(socket));
    });
  });
}

async function openAll(port: number, count: number): Promise<Talker[]> {
  const talkers: Talker[] = [];
  while (talkers.length < count)
    talkers.push(...(await Promise.all(Array.from({ length: opensAtOnce }, () => open(port)))));
  return talkers;
}

export async function websockets(proof: Proof): Promise<void> {
  for (const engine of ['haproxy', 'builtin'] as const) await under(proof, engine);
}

async function under(proof: Proof, engine: EngineName): Promise<void> {
  const { server, port } = await startEcho();
  const http = await freePort();
  const more = `guard:\n  bake: 1s\n  drainTimeout: ${drainSeconds}s\n`;
  const text = (name: string) => (folder: string) =>
    shopText(
      { http, https: null, engine, servers: [{ name, port }], healthCheck: patientCheck, more },
      folder,
    );
  const stack = await startStack({ siteText: text('one'), engine });
  const talkers: Talker[] = [];
  let timer: NodeJS.Timeout | undefined;
  try {
    talkers.push(...(await openAll(http, socketsAll)));
    timer = setInterval(() => {
      for (const talker of talkers) talker.speak();
    }, echoEveryMs);
    await stack.call('candidate', { site: textOf(text('two')(stack.folder), stack.folder), change: 'next' });
    const began = performance.now();
    await stack.call('promote', { change: 'next' });
    const switchedAt = performance.now();
    await pause(drainSeconds * 1_000 - slackMs - (performance.now() - began));
    const broken = talkers.filter(({ endedAt }) => endedAt !== null).length;
    const silent = talkers.filter(({ waitsMs }) => waitsMs > echoEveryMs).length;
    const fresh = await openAll(http, opensAtOnce);
    await pause(drainSeconds * 1_000 + slackMs - (performance.now() - switchedAt));
    const cut = talkers.filter(({ endedAt }) => endedAt !== null).length;
    const stays = fresh.filter(({ endedAt }) => endedAt === null).length;
    for (const talker of fresh) talker.end();
    const echoes = talkers.flatMap(({ echoMs }) => echoMs);
    proof.say(`${engine}: ${talkers.length} open WebSockets, a limit of ${drainSeconds} s`);
    proof.atLeast(`  open before the switch`, talkers.length, socketsAll);
    proof.tell('  the switch, ms', Math.round(switchedAt - began));
    proof.atMost('  broken before the limit', broken, 0);
    proof.atMost('  open and not answered', silent, 0);
    proof.atLeast('  answers meanwhile', echoes.length, socketsAll);
    proof.tell('  an answer, p99 ms', quantile(echoes, 0.99));
    proof.atLeast('  cut at the limit', cut, socketsAll);
    proof.atLeast('  opened after the switch, not cut with them', stays, fresh.length);
  } finally {
    clearInterval(timer);
    for (const talker of talkers) talker.end();
    await stack.stop();
    server.closeAllConnections();
    server.close();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
