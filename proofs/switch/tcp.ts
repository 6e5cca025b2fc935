/** The TCP part of `prove:switch`: what is passed on byte by byte, over switches, changes and their taking back. */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineName } from '#model';
import { type HolderClient, holderClient } from '../../src/agent/holder/protocol.ts';
import { freePort, type Stack, startStack, textOf, until } from '../../test/world/stack.ts';
import { type Greeter, startGreeter, startStreamLoad, talkTo } from '../../test/world/streams.ts';
import type { Proof } from '../proof.ts';

const switchesAll = { haproxy: 2_000, builtin: 500, nginx: 0 } as const;
const keptAll = 100;
const drainMs = 3_000;
const limitMs = 30_000;
const gigabyte = 1024 * 1024 * 1024;

interface Field {
  readonly stack: Stack;
  readonly holder: HolderClient;
  readonly port: number;
  text(server: number, net?: boolean): string;
}

export async function tcpPart(proof: Proof, engine: EngineName): Promise<void> {
  proof.say(`${engine}: TCP`);
  const [good, next] = [await startGreeter('good'), await startGreeter('next')];
  const port = await freePort();
  const text: Field['text'] = (server, net = true) => `site: streams
listeners: [{ name: mail, address: "127.0.0.1:${port}", protocol: TCP }]
routes: [{ listeners: [mail], pool: mail }]
pools: [{ name: mail, servers: ["127.0.0.1:${server}"] }]
balancers: [{ name: lb-1, engine: ${engine}, address: 127.0.0.1 }]
guard: { net: ${net}, drainTimeout: ${drainMs}ms }
`;
  const stack = await startStack({ siteText: () => text(good.port), engine });
  const holder = holderClient(`${stack.run}/holder.sock`);
  try {
    const field = { stack, holder, port, text };
    await switches(proof, field, switchesAll[engine]);
    await goodChange(proof, field, next);
    for (let round = 0; round < 3; round += 1) await badChange(proof, field, next, { net: true, round });
    await badChange(proof, field, next, { net: false, round: 0 });
    if (engine === 'builtin') await slowReader(proof, field);
  } finally {
    holder.close();
    await stack.stop();
    for (const one of [good, next]) await one.close();
  }
}

async function generationOf({ stack }: Field, role: string): Promise<number> {
  return await until(
    role,
    async () => {
      const { generations } = await stack.call('status', {});
      const found = generations.find((g) => g.role === role)?.generation;
      // It is in the list before its engine has begun.
      return found !== undefined && existsSync(`${stack.run}/g${found}/control.sock`) && found;
    },
    limitMs,
  );
}

async function switches(proof: Proof, field: Field, all: number): Promise<void> {
  const [active, standby] = [await generationOf(field, 'active'), await generationOf(field, 'standby')];
  const kept = await keep(field.port);
  const load = startStreamLoad(field.port, 8);
  const began = performance.now();
  for (let i = 0; i < all; i += 1)
    await field.holder.call('activate', { generation: i % 2 === 0 ? standby : active }, limitMs);
  proof.tell('  one switch, both sides read back, ms', (performance.now() - began) / all);
  const { byAnswer, failed } = await load.stop();
  const connections = (byAnswer.good ?? 0) + failed.length;
  proof.atLeast('  new connections over the switches', connections, 100);
  proof.atMost(`  failed of ${connections} new connections over ${all} switches`, failed.length, 0);
  proof.atMost(`  broken of ${keptAll} kept connections that spoke all the time`, await kept.broken(), 0);
}

/** Connections that are open all the time and say something ten times a second. */
async function keep(port: number) {
  const talks = Array.from({ length: keptAll }, () => talkTo(port));
  await Promise.all(talks.map((talk) => talk.until('\n')));
  const endedAt: number[] = [];
  for (const talk of talks) void talk.ended.then(() => endedAt.push(performance.now()));
  const timer = setInterval(() => {
    for (const { socket } of talks) if (!socket.destroyed && socket.writable) socket.write('here\n');
  }, 100);
  return {
    endedAt,
    /** Those that ended before; then the others are asked once more, and let go. */
    async broken(): Promise<number> {
      clearInterval(timer);
      const asked = talks.map(async (talk) => {
        if (!talk.socket.writable) throw new Error('ended');
        talk.socket.write('the last word\n');
        await talk.until('the last word\n');
      });
      const lost = (await Promise.allSettled(asked)).filter(({ status }) => status === 'rejected').length;
      for (const { socket } of talks) socket.destroy();
      return lost;
    },
    stop() {
      clearInterval(timer);
      for (const { socket } of talks) socket.destroy();
    },
  };
}

async function goodChange(proof: Proof, field: Field, next: Greeter): Promise<void> {
  const { stack, port, text } = field;
  const kept = await keep(port);
  const load = startStreamLoad(port, 8);
  await stack.call('candidate', { site: textOf(text(next.port), stack.folder), change: 'good' }, limitMs);
  for (const share of [0.25, 1]) {
    await stack.call('expose', { change: 'good', share, leaseMs: limitMs, requestsMax: null });
    await sleep(1_000);
  }
  await stack.call('promote', { change: 'good' }, limitMs);
  const promotedAt = performance.now();
  await until('the kept connections end', async () => kept.endedAt.length === keptAll, limitMs);
  const { byAnswer, failed } = await load.stop();
  kept.stop();
  const first = Math.min(...kept.endedAt) - promotedAt;
  proof.atLeast('  new connections over a promotion, at the new servers', byAnswer.next ?? 0, 1);
  proof.atMost('  failed of the new connections over a promotion', failed.length, 0);
  proof.holds(
    `  ${keptAll} kept connections go on until the limit of ${drainMs} ms; the first ends after, ms`,
    first.toFixed(0),
    `about ${drainMs}`,
    // The hand-over began before the call came back.
    first >= drainMs - 1_000 && first <= drainMs + 10_000,
  );
}

/** Its server does not exist, and nobody looked. */
async function badChange(
  proof: Proof,
  { stack, port, text }: Field,
  next: Greeter,
  { net, round }: { readonly net: boolean; readonly round: number },
): Promise<void> {
  const nobody = await freePort();
  const change = `bad-${net}-${round}`;
  await stack.call('candidate', { site: textOf(text(nobody, net), stack.folder), change }, limitMs);
  const load = startStreamLoad(port, 8);
  await sleep(300);
  await stack.call('expose', { change, share: 0.5, leaseMs: limitMs, requestsMax: null });
  const takenBack = await until(
    'the taking back',
    async () => (await stack.call('observe', { change })).takenBack,
    limitMs,
  );
  await sleep(300);
  const { failed } = await load.stop();
  const { evidence, doneAt } = takenBack;
  const tookMs = doneAt - (evidence.exposedAt ?? doneAt);
  const what = net ? 'a change to a server that does not exist' : 'the same without a net';
  proof.tell(`  ${what}: taken back because of ${evidence.cause}, after ms`, tookMs);
  proof.tell('    connections that the net gave to the last good generation', evidence.candidate.netUses);
  if (net) proof.atMost('    failed connections', failed.length, 0);
  else proof.tell('    failed connections', failed.length);
  const after = talkTo(port);
  await after.until('\n');
  proof.holds(
    '    who answers afterwards',
    after.heard().trim(),
    next.name,
    after.heard().trim() === next.name,
  );
  after.socket.destroy();
}

/** A gigabyte to a client that reads a megabyte and rests: the engine may not keep what is not read. */
async function slowReader(proof: Proof, { stack, text }: Field): Promise<void> {
  const chunk = Buffer.alloc(256 * 1024, 'x');
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    let left = gigabyte;
    const write = () => {
      while (left > 0) {
        left -= chunk.length;
        if (!socket.write(chunk)) return;
      }
      socket.end();
    };
    socket.once('data', () => {
      socket.on('drain', write);
      write();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const site = textOf(text((server.address() as AddressInfo).port), stack.folder);
  await stack.call('candidate', { site, change: 'large' }, limitMs);
  await stack.call('promote', { change: 'large' }, limitMs);
  const group = await stack.pidOf('active');
  const before = residentBytes(group);
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, residentBytes(group));
  }, 20);
  const client = connect(Number(/127\.0\.0\.1:(\d+)/.exec(text(0))?.[1]), '127.0.0.1');
  client.write('go\n');
  let heard = 0;
  let rest = 0;
  client.on('data', (bytes: Buffer) => {
    heard += bytes.length;
    rest += bytes.length;
    if (rest < 8 * 1024 * 1024) return;
    rest = 0;
    client.pause();
    setTimeout(() => client.resume(), 10);
  });
  await once(client, 'end');
  clearInterval(timer);
  client.destroy();
  server.close();
  proof.holds(
    '  bytes of a gigabyte that a slow reader got',
    String(heard),
    String(gigabyte),
    heard === gigabyte,
  );
  proof.atMost('  what all processes of the engine grew by meanwhile, MiB', (most - before) / 2 ** 20, 96);
}

/** Of a process and all that it started. */
function residentBytes(pid: number): number {
  const own = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return children
    .filter((child) => child !== '')
    .reduce((sum, child) => sum + residentBytes(Number(child)), Number(own?.[1] ?? 0) * 1024);
}
