/**
 * Two balancers, HAProxy and NGINX, each on a machine of its own, before two pools on three more, under `holdfast up`, with
 * visitors; and what its journal tells.
 */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiLocation, sitePaths } from '../../src/base/index.ts';
import type { StatusView } from '../../src/contract/index.ts';
import type { JournalEntry } from '../../src/events/index.ts';
import { selfSigned } from '../../test/world/certificate.ts';
import { freePort, until } from '../../test/world/stack.ts';
import { makeFolders, type, type UpSite, up } from '../../test/world/up.ts';
import { undoing } from '../proof.ts';
import { type Machine, makeNetwork } from './network.ts';
import { type ServerProcess, startServer } from './server.ts';
import { startVisitors, type Visitors } from './visitors.ts';

export const usualRate = 160;
const ports = { http: 8080, https: 8443 };
const balancers = ['lb-1', 'lb-2'] as const;
export type BalancerName = (typeof balancers)[number];
const machineNames = ['m1', 'm2', 'm3'];
/** That server's name leads to its machine by each balancer's /etc/hosts. */
export const named = { server: 'web/web-3', host: 'web-3.shop.test' };

export interface Field {
  /** `web/web-1` to `api/api-3`. */
  server(name: string): ServerProcess;
  machine(name: string): Machine;
  readonly visitors: Visitors;
  /** The site's text, changed. */
  text(change?: (text: string) => string): string;
  apply(change: (text: string) => string): Promise<{ exit: number | string; said: string }>;
  /** Where that balancer's machine finds the named server. Null: nowhere. */
  resolves(balancer: BalancerName, address: string | null): void;
  /** Its engine's and its children's, as they are now. */
  engine(balancer: BalancerName): Promise<readonly number[]>;
  agent(balancer: BalancerName): number;
  /** Entries after that one. */
  journal(after: number): Promise<readonly JournalEntry[]>;
  readonly folder: string;
  close(): Promise<void>;
}

/** Only HAProxy has a queue before its servers. */
export type Engines = 'haproxy and nginx' | 'haproxy twice';

export async function openField(engines: Engines): Promise<Field> {
  const folders = makeFolders();
  const network = makeNetwork([...balancers, ...machineNames]);
  const ending: (() => unknown)[] = [() => folders.remove(), () => network.close()];
  const close = undoing(async () => {
    for (const end of ending.splice(0).toReversed()) await end();
  });
  try {
    const servers = await startServers(network.machine);
    ending.push(() => Promise.all([...servers.values()].map((one) => one.close())));
    const hosts = hostsOf(folders.folder, network.machine('m3').address);
    const { key, cert } = selfSigned('shop.example');
    for (const [file, pem] of [
      ['key.pem', key],
      ['cert.pem', cert],
    ] as const)
      writeFileSync(join(folders.folder, file), pem, { mode: 0o600 });
    const address = (name: string) => network.machine(name).address;
    const plain = siteText(address, engines);
    const file = join(folders.folder, 'site.yaml');
    writeFileSync(file, plain);
    const places = balancers.map((name) => [
      name,
      { namespace: network.machine(name).namespace, hosts: hosts.file(name) },
    ]);
    const site = await up([file, '--port', String(await freePort())], folders.env, {
      NODE_OPTIONS: `--import=${join(import.meta.dirname, 'enter.ts')}`,
      LOCATED: JSON.stringify(Object.fromEntries(places)),
    });
    ending.push(() => site.stop());
    const visitors = await startVisitors({
      addresses: balancers.map(address),
      ...ports,
      paths: ['/', '/api/orders'],
      ratePerSecond: usualRate,
      authority: join(folders.folder, 'cert.pem'),
    });
    ending.push(() => visitors.close());
    const server = (name: string) => {
      const found = servers.get(name);
      if (!found) throw new Error(`there is no server ${name}`);
      return found;
    };
    return {
      folder: folders.folder,
      server,
      machine: network.machine,
      visitors,
      resolves: hosts.resolves,
      close,
      ...ofSite(site, folders.folder, plain),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startServers(machine: (name: string) => Machine): Promise<Map<string, ServerProcess>> {
  const servers = new Map<string, ServerProcess>();
  const begin = async (pool: string, at: number, more: { knows: string; unknown: number; port: number }) => {
    const name = `${pool}-${at}`;
    servers.set(`${pool}/${name}`, await startServer({ name, machine: machine(`m${at}`), ...more }));
  };
  await Promise.all(
    [1, 2, 3].flatMap((at) => [
      begin('web', at, { port: 9001, knows: '^/(?!api)', unknown: 404 }),
      begin('api', at, { port: 9002, knows: '^/api(/|$)', unknown: 500 }),
    ]),
  );
  return servers;
}

function hostsOf(folder: string, address: string) {
  const file = (balancer: string) => join(folder, `hosts.${balancer}`);
  const resolves = (balancer: string, to: string | null) => {
    const line = to === null ? '' : `${to} ${named.host}\n`;
    writeFileSync(file(balancer), `127.0.0.1 localhost\n${line}`);
    chmodSync(file(balancer), 0o644);
  };
  for (const balancer of balancers) resolves(balancer, address);
  return { file, resolves };
}

function siteText(address: (name: string) => string, engines: Engines): string {
  const [second, more] = engines === 'haproxy twice' ? ['haproxy', ', connectionsMax: 100'] : ['nginx', ''];
  const servers = (pool: string, port: number) =>
    [1, 2, 3].map((at) => {
      const host = pool === 'web' && at === 3 ? named.host : address(`m${at}`);
      return `      - { name: ${pool}-${at}, address: "${host}:${port}"${more} }`;
    });
  const check = '{ path: /health, interval: 1s, timeout: 2s, rise: 1, fall: 3 }';
  return `site: t
listeners:
  - { name: http, address: "*:${ports.http}" }
  - name: https
    address: "*:${ports.https}"
    tls: { certificates: [{ certificate: cert.pem, key: key.pem }] }
routes:
  - name: api
    matches: [{ path: { type: PathPrefix, value: /api } }]
    pool: api
  - name: web
    pool: web
pools:
  - name: web
    servers:
${servers('web', 9001).join('\n')}
    healthCheck: ${check}
    identity: { header: { name: x-site, value: shop } }
  - name: api
    servers:
${servers('api', 9002).join('\n')}
    healthCheck: ${check}
balancers:
  - { name: lb-1, engine: haproxy, address: ${address('lb-1')} }
  - { name: lb-2, engine: ${second}, address: ${address('lb-2')} }
guard:
  canary: { steps: [0.5, 1], step: 500ms }
  bake: 2s
`;
}

function ofSite(site: UpSite, folder: string, plain: string) {
  const paths = sitePaths('t', site.env);
  let applied = 0;
  return {
    text: (change = (text: string) => text) => change(plain),
    async apply(change: (text: string) => string) {
      applied += 1;
      const file = join(folder, `changed-${applied}.yaml`);
      writeFileSync(file, change(plain));
      const words = ['apply', file, '--force', '--unfreeze', '--release', '--reason', 'to see what is told'];
      const { exit, out, err } = await type(words, { env: site.env }).ended;
      return { exit, said: `${out}${err}` };
    },
    async engine(balancer: BalancerName) {
      const { balancers: all } = (await site.status()) as StatusView;
      const mine = all.find((one) => one.balancer === balancer);
      const active = mine && 'generations' in mine ? mine.generations.find((g) => g.role === 'active') : null;
      if (!active) throw new Error(`no active generation on ${balancer}`);
      return familyOf(active.pid);
    },
    agent: (balancer: BalancerName) => {
      const file = join(paths.run, balancer, 'agent.pid');
      return (JSON.parse(readFileSync(file, 'utf8')) as { pid: number }).pid;
    },
    async journal(after: number) {
      const { url, token } = JSON.parse(readFileSync(paths.api, 'utf8')) as ApiLocation;
      const headers = { authorization: `Bearer ${token}` };
      const answer = await fetch(`${url}/v1/journal?after=${after}`, { headers });
      return ((await answer.json()) as { entries: readonly JournalEntry[] }).entries;
    },
  };
}

function familyOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return [pid, ...children.filter((word) => word !== '').map(Number)];
}

/** What a machine that others use too makes slow. */
const slowShareMax = 0.1;

/** Until everybody is answered well, and no fault is open. */
export async function untilCalm(
  field: Field,
  openFaults: () => Promise<number>,
  msMax: number,
): Promise<void> {
  let last = '';
  await until(
    'calm',
    async () => {
      const open = await openFaults();
      last = `${open} faults open`;
      if (open > 0) return false;
      const from = Date.now();
      await sleep(400);
      const { requests, bad, slow } = await field.visitors.since(from);
      last = `${bad} bad and ${slow} slow of ${requests}`;
      return requests > 10 && bad === 0 && slow < slowShareMax * requests;
    },
    msMax,
  ).catch(() => {
    throw new Error(`at the end ${last}`);
  });
}
