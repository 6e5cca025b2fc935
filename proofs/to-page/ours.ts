/** One case under Holdfast: the site, its on-call file and somebody who is paged by a webhook. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { preciseNow, startLoadProcess, usualLoad } from '../../test/world/load.ts';
import type { Origin } from '../../test/world/origins.ts';
import { startReceiver } from '../../test/world/receiver.ts';
import { shopText } from '../../test/world/shop.ts';
import { freePort, until } from '../../test/world/stack.ts';
import { type Folders, makeFolders, type Typed, type, up } from '../../test/world/up.ts';
import { type Case, deadPort, patienceMs, rate, slowMs, strike, tenOrigins } from './case.ts';

export interface Paged {
  /** From the first bad answer that a visitor got; null: nobody got one. */
  readonly afterBadMs: number | null;
  readonly afterStrikeMs: number;
  /** The second line. */
  readonly cause: string;
}

interface Site {
  readonly http: number;
  /** Another text, forced; resolves when it has ended. */
  change(servers: readonly number[]): Promise<unknown>;
  close(): Promise<unknown>;
}

const warmMs = 4_000;
const pageMsMax = 20_000;
const overMsMax = 60_000;
const betweenMs = 1_000;

export async function ours(one: Case): Promise<readonly Paged[]> {
  const folders = makeFolders();
  const origins = await tenOrigins();
  const pages: { at: number; what: string; cause: string }[] = [];
  const receiver = await startReceiver();
  receiver.answer = ({ body }) => {
    pages.push({ at: preciseNow(), what: String(body.what), cause: String(body.cause) });
    return { status: 200 };
  };
  let site: Site | null = null;
  try {
    const onCall = join(folders.folder, 'oncall.yaml');
    writeFileSync(onCall, onCallText(receiver.url, receiver.port));
    site = await (one.isBlind ? blindSite : ownSite)(folders, origins, onCall);
    const load = await startLoadProcess({
      ...{ ...usualLoad, port: site.http, hostname: 'shop.example' },
      ...{ ratePerSecond: rate, timeoutMs: patienceMs, expectBody: 'web' },
    });
    try {
      await sleep(warmMs);
      const strikes: { at: number; paged: (typeof pages)[number] | null }[] = [];
      for (let time = 0; time < one.times; time += 1) {
        const before = pages.length;
        const at = preciseNow();
        const applied = one.ways === null ? site.change(origins.map(() => deadPort)) : null;
        if (one.ways !== null) await strike(origins, one.ways);
        const paged = () => pages.slice(before).find(({ what }) => what === 'page') ?? null;
        await until('a page', async () => paged() !== null, pageMsMax).catch(() => {});
        // Who is paged before anybody got a bad answer sees when that would have come.
        await sleep(one.isBlind ? 4_000 : 500);
        strikes.push({ at, paged: paged() });
        await applied;
        if (one.ways === null) await site.change(origins.map(({ port }) => port));
        else await strike(origins, []);
        const isOver = async () => paged() === null || pages.at(-1)?.what === 'resolved';
        await until('the end of it', isOver, overMsMax);
        await sleep(betweenMs);
      }
      const { records } = await load.stop();
      const bad = records.filter(
        ({ outcome, endedAt, dueAt }) => outcome !== 'ok' || endedAt - dueAt > slowMs,
      );
      return strikes.map(({ at, paged }, index) => {
        const end = strikes[index + 1]?.at ?? Number.POSITIVE_INFINITY;
        const first = bad
          .map(({ endedAt }) => endedAt)
          .toSorted((a, b) => a - b)
          .find((t) => t >= at && t < end);
        const pagedAt = paged?.at ?? Number.POSITIVE_INFINITY;
        return {
          afterBadMs: first === undefined ? null : pagedAt - first,
          afterStrikeMs: pagedAt - at,
          cause: paged?.cause ?? 'no page came',
        };
      });
    } finally {
      load.kill();
    }
  } finally {
    await site?.close();
    await receiver.close();
    for (const origin of origins) await origin.close();
    folders.remove();
  }
}

const onCallText = (url: string, port: number) => `
notifiers: [{ name: hook, webhook: { url: "${url}" } }]
allowedHosts: ["127.0.0.1:${port}"]
people: [{ name: eve, contacts: [{ notifier: hook, to: eve }] }]
policies: [{ name: standard, steps: [{ page: [person: eve], ackWithin: 1h }] }]
routes: [{ match: { severity: [critical, error, warning] }, policy: standard }]
`;

async function ownSite(folders: Folders, origins: readonly Origin[], onCall: string): Promise<Site> {
  const http = await freePort();
  const write = (name: string, servers: readonly number[]) => {
    const file = join(folders.folder, name);
    const named = servers.map((port, at) => ({ name: `web-${at + 1}`, port }));
    writeFileSync(file, shopText({ http, https: null, engine: 'haproxy', servers: named }, folders.folder));
    return file;
  };
  const file = write(
    'site.yaml',
    origins.map(({ port }) => port),
  );
  const site = await up([file, '--port', '0', '--oncall', onCall], folders.env);
  return {
    http,
    change: (servers) => applied(write('changed.yaml', servers), folders).ended,
    close: () => site.stop(),
  };
}

const applied = (file: string, { env }: Folders): Typed =>
  type(['apply', file, '--force', '--unfreeze', '--release', '--reason', 'to see the page'], { env });

/** The team's HAProxy, adopted as it is. */
async function blindSite(folders: Folders, origins: readonly Origin[], onCall: string): Promise<Site> {
  const http = await freePort();
  const file = join(folders.folder, 'haproxy.cfg');
  writeFileSync(file, blindText(http, origins));
  const { startAdopted } = await import('./adopted.ts');
  const adopted = await startAdopted(file, http, folders, onCall);
  return { http, change: () => Promise.reject(new Error('it is not changed')), close: adopted.close };
}

const blindText = (http: number, origins: readonly Origin[]) => `global
  maxconn 4096
defaults
  mode http
  retries 3
  timeout connect 5s
  timeout client 50s
  timeout server 50s
frontend www
  bind 127.0.0.1:${http}
  default_backend web
backend web
  balance roundrobin
${origins.map(({ port }, at) => `  server web-${at + 1} 127.0.0.1:${port}`).join('\n')}
`;
