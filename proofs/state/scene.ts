/** One balancer whose pool has a server that is down, clients that are bound to theirs, one that has used up its rate. */
import { readdirSync, readFileSync, utimesSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { SiteText } from '#contract';
import { haproxyEngine } from '#engines';
import type { EngineName } from '#model';
import { ask } from '../../test/world/ask.ts';
import { startBlackhole } from '../../test/world/blackhole.ts';
import { shopText } from '../../test/world/shop.ts';
import { freePort, type Stack, startStack, textOf, until } from '../../test/world/stack.ts';
import { startOriginProcess } from '../origin.ts';

export const connectMs = 20_000;
/** What waits for the server that is down waits for `connectMs`. */
export const promptMs = connectMs / 2;
export const weightByHand = 7;
const limit = 5;

export interface Scene {
  readonly engine: EngineName;
  readonly stack: Stack;
  readonly http: number;
  readonly https: number;
  /** The next text: its own time-out for servers, so that it needs a generation; or another weight only. */
  text(of: { readonly serverMs: number; readonly weight: number }): SiteText;
}

export const can = (engine: EngineName) => ({
  sticky: engine !== 'nginx',
  rates: engine === 'haproxy',
  byHand: engine === 'haproxy',
});

export async function withScene(engine: EngineName, use: (scene: Scene) => Promise<void>): Promise<void> {
  const names = ['a', 'b', 'c'];
  const origins = await Promise.all(names.map(startOriginProcess));
  const silent = await startBlackhole();
  const [http, https] = [await freePort(), await freePort()];
  const siteText = (folder: string, { serverMs, weight }: { serverMs: number; weight: number }) => {
    const servers = [
      ...names.map((name, i) => ({ name, port: origins[i]?.port ?? 0 })),
      { name: 'dead', port: silent.port },
    ];
    const check = '{ path: /health, interval: 1s, timeout: 5s, rise: 1, fall: 3 }';
    const pool = [
      check,
      `timeouts: { connect: ${connectMs}ms, server: ${serverMs}ms }`,
      ...(can(engine).sticky ? ['stickyCookie: { name: SRV }'] : []),
    ].join('\n    ');
    const more = 'guard:\n  canary: { steps: [1], step: 1s }\n  bake: 1s\n';
    const text = shopText({ http, https, engine, servers, healthCheck: pool, more }, folder);
    const weighed = text.replace(/(\{ name: a, address: \S+) \}/, `$1, weight: ${weight} }`);
    const limited = `routes:
  - name: limited
    matches: [{ path: { value: /limited } }]
    pool: web
    access: { rate: { requests: ${limit}, per: 1h } }
`;
    return can(engine).rates ? weighed.replace('routes:\n', limited) : weighed;
  };
  const stack = await startStack({
    siteText: (folder) => siteText(folder, { serverMs: 20_000, weight: 1 }),
    engine,
  });
  try {
    await use({ engine, stack, http, https, text: (of) => textOf(siteText(stack.folder, of), stack.folder) });
  } finally {
    await stack.stop();
    await silent.close();
    await Promise.all(origins.map((origin) => origin.close()));
  }
}

/** The client has no request left for an hour. */
export async function useUpRate({ http }: Scene): Promise<void> {
  await until('the limit', async () => (await ask(http, { path: '/limited' })).status === 429);
}

export async function bindClients({ http }: Scene): Promise<readonly { cookie: string; server: string }[]> {
  const clients = await Promise.all(Array.from({ length: 9 }, () => ask(http)));
  return clients.map(({ headers, body }) => {
    const [line = ''] = [headers['set-cookie'] ?? []].flat();
    return { cookie: line.split(';')[0] ?? '', server: body.trim() };
  });
}

export async function byHand({ stack }: Scene, command: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    let said = '';
    const socket = connect(join(stack.run, 'admin.sock'), () => socket.end(`${command}\n`));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
    });
    socket.on('error', reject).on('end', () => resolve(said.trim()));
  });
}

/** `a 3, b 7`: of each living generation from the engine itself, and of the text of the next boot. */
export async function weights({ stack }: Scene): Promise<readonly string[]> {
  const { generations } = await stack.call('status', {});
  const living = generations.filter(({ role }) => role === 'active' || role === 'standby');
  const all = living.map(async ({ generation, pid }) => {
    const socket = join(stack.run, `g${generation}`, 'control.sock');
    const control = haproxyEngine.control({ pid, control: socket });
    try {
      const said = (await control.ask?.('show servers state web', 5_000)) ?? '';
      const rows = said.split('\n').map((line) => line.split(' '));
      return ['a', 'b'].map((name) => `${name} ${rows.find((row) => row[3] === name)?.[7]}`).join(', ');
    } finally {
      control.close();
    }
  });
  const text = readFileSync(join(stack.state, 'last-good', 'haproxy.cfg'), 'utf8');
  const boot = ['a', 'b'].map((name) => {
    const line = new RegExp(`^ {2}server ${name} .*$`, 'm').exec(text)?.[0] ?? '';
    return `${name} ${[...line.matchAll(/ weight (\d+)/g)].at(-1)?.[1]}`;
  });
  return [...(await Promise.all(all)), boot.join(', ')];
}

export function newestKeys({ stack }: Scene): number {
  const sets = readdirSync(join(stack.state, 'ticket-keys')).filter((name) => /^\d+$/.test(name));
  return Math.max(...sets.map(Number));
}

function keysFile(scene: Scene): string {
  return join(scene.stack.state, 'ticket-keys', String(newestKeys(scene)).padStart(9, '0'));
}

/** Whether the newest keys are what a generation was started with. */
export function beganWith(scene: Scene, generation: number): boolean {
  const own = join(scene.stack.run, `g${generation}`, 'ticket.keys');
  return readFileSync(own, 'utf8') === readFileSync(keysFile(scene), 'utf8');
}

/** Half a day passes. */
export function ageKeys(scene: Scene): void {
  const file = keysFile(scene);
  const longAgo = Date.now() / 1_000 - 13 * 3_600;
  utimesSync(file, longAgo, longAgo);
}
