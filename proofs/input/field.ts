/** A shop that `holdfast up` runs while it is given bad input: two balancers, TLS with a key that only its owner can read, requests all the while. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApiLocation } from '../../src/base/paths.ts';
import type { ChangeView, StatusView } from '../../src/contract/api.ts';
import { selfSigned } from '../../test/world/certificate.ts';
import { startLoadProcess, usualLoad } from '../../test/world/load.ts';
import { type Origin, startOrigin } from '../../test/world/origins.ts';
import { freePort, until } from '../../test/world/stack.ts';
import { type Folders, makeFolders, type Typed, type, type UpSite, up } from '../../test/world/up.ts';

export interface Field {
  readonly folders: Folders;
  readonly ports: {
    readonly http: number;
    readonly https: number;
    readonly api: number;
    readonly free: number;
  };
  readonly origins: readonly Origin[];
  /** The site file that runs at the beginning, with parts of it replaced: each must be in it. */
  text(...changes: readonly (readonly [string, string])[]): string;
  write(name: string, content: string | Uint8Array): string;
  start(...args: readonly string[]): Typed;
  run(...args: readonly string[]): Promise<Got>;
  /** Writes the text and applies it. */
  apply(text: string, ...args: readonly string[]): Promise<Got>;
  location(): ApiLocation;
  status(): Promise<StatusView>;
  /** Newest first; null while the journal cannot be read. */
  changes(): Promise<readonly ChangeView[] | null>;
  /** Ends the site and starts it again from the same folders. */
  restart(): Promise<void>;
  stopSite(): Promise<string>;
  /** Requests sent and failed since the beginning. */
  traffic(): Promise<{ readonly sent: number; readonly failed: number; readonly how: string }>;
  /** `beforeRemoval`: when everything has ended and the folders are still there. */
  close(beforeRemoval?: () => void): Promise<void>;
}

/** What a person got. */
export interface Got {
  readonly exit: number | string;
  readonly said: string;
}

const requestsPerSecond = 100;
const certificate = selfSigned('shop.example');

export const otherCertificate = selfSigned('other.example');

export async function openField(prepare: (folders: Folders) => void = () => {}): Promise<Field> {
  const folders = makeFolders();
  const origins = await Promise.all(['web-1', 'web-2', 'api-1'].map((name) => startOrigin({ name })));
  const ports = {
    http: await freePort(),
    https: await freePort(),
    api: await freePort(),
    free: await freePort(),
  };
  const write = (name: string, content: string | Uint8Array) => {
    const path = join(folders.folder, name);
    writeFileSync(path, content);
    return path;
  };
  for (const [name, pem] of Object.entries({ 'cert.pem': certificate.cert, 'key.pem': certificate.key }))
    chmodSync(write(name, pem), 0o600);
  const file = write('site.yaml', shopText(ports, origins));
  mkdirSync(folders.env.HOLDFAST_STATE, { recursive: true });
  prepare(folders);
  const upArgs = [file, '--port', String(ports.api)];
  let site: UpSite = await up(upArgs, folders.env);
  const load = await startTraffic(ports.http);
  const field: Field = {
    folders,
    ports,
    origins,
    text: (...changes) => changed(shopText(ports, origins), changes),
    write,
    start: (...args) => type(args, { env: folders.env }),
    run: async (...args) => got(field.start(...args)),
    apply: (text, ...args) => field.run('apply', write('change.yaml', text), ...args),
    location: () =>
      JSON.parse(readFileSync(join(folders.env.HOLDFAST_RUN, 'shop/api.json'), 'utf8')) as ApiLocation,
    status: async () => (await ask<StatusView>(field, '/v1/status')).body,
    async changes() {
      const { status, body } = await ask<{ changes: readonly ChangeView[] }>(field, '/v1/changes');
      return status === 200 ? body.changes : null;
    },
    async restart() {
      site = await up(upArgs, folders.env);
    },
    stopSite: () => site.stop(),
    traffic: load.soFar,
    async close(beforeRemoval = () => {}) {
      await load.end();
      await site.stop();
      for (const origin of origins) await origin.close();
      beforeRemoval();
      folders.remove();
    },
  };
  return field;
}

/** No command may take longer; one that does is ended, and its exit says so. */
const commandMsMax = 90_000;

export async function got(typed: Typed): Promise<Got> {
  const timer = setTimeout(() => typed.child.kill('SIGKILL'), commandMsMax);
  const { exit, out, err } = await typed.ended;
  clearTimeout(timer);
  return { exit, said: `${out}${err}` };
}

function changed(text: string, changes: readonly (readonly [string, string])[]): string {
  return changes.reduce((now, [from, to]) => {
    if (!now.includes(from)) throw new Error(`the site has no ${from}`);
    return now.replace(from, to);
  }, text);
}

/** Its controller may just be started again. */
async function ask<T>(field: Field, path: string): Promise<{ readonly status: number; readonly body: T }> {
  return await until(`an answer to ${path}`, async () => {
    const { url, token } = field.location();
    const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    return { status: response.status, body: (await response.json()) as T };
  });
}

async function startTraffic(port: number) {
  const plan = { ...usualLoad, port, hostname: 'shop.example', ratePerSecond: requestsPerSecond };
  const loads = [
    await startLoadProcess({ ...plan, kind: 'kept' }),
    await startLoadProcess({ ...plan, host: '127.0.0.2', kind: 'new' }),
  ];
  return {
    async soFar() {
      const all = await Promise.all(loads.map((one) => one.counts()));
      const byOutcome = all.flatMap((counts) => Object.entries(counts.byOutcome)).filter(([, n]) => n > 0);
      return {
        sent: all.reduce((sum, counts) => sum + counts.ended, 0),
        failed: all.reduce((sum, counts) => sum + counts.ended - counts.ok, 0),
        how: byOutcome.map(([outcome, n]) => `${outcome} ${n}`).join(', '),
      };
    },
    async end() {
      for (const one of loads) await one.stop();
    },
  };
}

function shopText(ports: Pick<Field['ports'], 'http' | 'https'>, origins: readonly Origin[]): string {
  const server = ({ name, port }: Origin) =>
    `      - { name: ${name}, address: 127.0.0.1:${port}, weight: 10 }`;
  const check = '    healthCheck: { path: /health, interval: 500ms, timeout: 2s, rise: 1, fall: 3 }';
  return `site: shop
listeners:
  - { name: http, address: "*:${ports.http}" }
  - name: https
    address: "*:${ports.https}"
    tls: { certificates: [{ certificate: cert.pem, key: key.pem }] }
routes:
  - { name: api, matches: [{ path: { type: PathPrefix, value: /api } }], pool: api }
  - { name: web, pool: web }
pools:
  - name: web
    algorithm: roundrobin
    servers:
${origins.slice(0, 2).map(server).join('\n')}
${check}
  - name: api
    servers:
${origins.slice(2).map(server).join('\n')}
${check}
balancers:
  - { name: lb-1, engine: auto, address: 127.0.0.1 }
  - { name: lb-2, engine: auto, address: 127.0.0.2 }
guard:
  canary: { steps: [0.5, 1], firstSliceRequests: 20, step: 300ms }
  bake: 500ms
`;
}
