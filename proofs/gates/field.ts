/** A site under `holdfast up`, of one engine and two balancers, with requests all the while; its changes come over the API. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApiLocation } from '../../src/base/paths.ts';
import type { ApplyRequest, ChangeView } from '../../src/contract/api.ts';
import { finalStates } from '../../src/events/change.ts';
import { selfSigned } from '../../test/world/certificate.ts';
import { startLoadProcess, usualLoad } from '../../test/world/load.ts';
import { type Origin, startOrigin } from '../../test/world/origins.ts';
import { freePort, until } from '../../test/world/stack.ts';
import { type Folders, makeFolders, up } from '../../test/world/up.ts';

export type EngineOfField = 'haproxy' | 'nginx';

export interface Field {
  readonly engine: EngineOfField;
  readonly origins: readonly Origin[];
  readonly ports: { readonly http: number; readonly https: number; readonly free: number };
  /** The site with these servers, by their number, in its pool, and lines more. */
  text(servers: readonly number[], more?: SiteWords): string;
  /** Resolves with its end, or with what it is when `until` says so. */
  change(
    text: string,
    more?: Partial<ApplyRequest>,
    until?: (view: ChangeView) => boolean,
  ): Promise<ChangeView>;
  /** As a person named so. @throws with the code of the refusal */
  say(path: string, by: string, reason: string): Promise<ChangeView>;
  view(change: string): Promise<ChangeView>;
  /** How the HAProxy of this machine behaves from now on. */
  engineIs(way: EngineWay): void;
  /** Of the site: `site.yaml`, as it was first applied. */
  readonly file: string;
  readonly env: Folders['env'];
  /** A file beside the site's, which everybody may read; its path. */
  write(name: string, content: string): string;
  /** Requests that failed since the beginning, of all. */
  traffic(): Promise<{ readonly sent: number; readonly failed: number }>;
  close(): Promise<void>;
}

export interface SiteWords {
  readonly guard?: string;
  readonly limits?: string;
  readonly policies?: string;
  readonly listener?: string;
  /** Of the pool `web`. */
  readonly identity?: string;
  /** In place of the pool `web` for `/api`. */
  readonly api?: readonly number[];
}

export interface EngineWay {
  /** What it says of itself. */
  readonly version?: string;
  readonly starts?: boolean;
  /** With a text that has this in it, it takes 400 MB more. */
  readonly heavyWith?: string;
}

const originsMax = 6;
const requestsPerSecond = 60;
const certificate = selfSigned('shop.example');
const realHaproxy = '/usr/sbin/haproxy';

export async function openField(engine: EngineOfField): Promise<Field> {
  const folders = makeFolders();
  const origins = await Promise.all(
    Array.from({ length: originsMax }, (_, n) => startOrigin({ name: `web-${n + 1}` })),
  );
  const ports = { http: await freePort(), https: await freePort(), free: await freePort() };
  const write = (name: string, content: string, mode = 0o600) => {
    const path = join(folders.folder, name);
    writeFileSync(path, content, { mode });
    chmodSync(path, mode);
    return path;
  };
  write('cert.pem', certificate.cert);
  write('key.pem', certificate.key);
  const text = (servers: readonly number[], more: SiteWords = {}) =>
    siteText({ engine, ports, origins }, servers, more);
  const file = write('site.yaml', text([1, 2, 3]));
  const engineIs: Field['engineIs'] = (way) => setEngine(way, write);
  engineIs({});
  const shim = write('haproxy', shimText(folders.folder), 0o755);
  const site = await up([file], folders.env, engine === 'haproxy' ? { HOLDFAST_HAPROXY: shim } : {});
  const load = await startLoadProcess({
    ...usualLoad,
    port: ports.http,
    hostname: 'shop.example',
    kind: 'new',
    ratePerSecond: requestsPerSecond,
  });
  const ask = async (path: string, body?: object) => {
    const api = join(folders.env.HOLDFAST_RUN, 'shop/api.json');
    const { url, token } = JSON.parse(readFileSync(api, 'utf8')) as ApiLocation;
    const sent = body ? { method: 'POST', body: JSON.stringify(body) } : {};
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const response = await fetch(`${url}${path}`, { headers, ...sent });
    const answer = (await response.json()) as ChangeView & { readonly code?: string };
    if (!response.ok) throw new Error(answer.code);
    return answer;
  };
  return {
    engine,
    origins,
    ports,
    file,
    env: folders.env,
    text,
    engineIs,
    write: (name, content) => write(name, content, 0o644),
    view: (id) => ask(`/v1/changes/${id}`),
    say: (path, by, reason) => ask(path, { by, reason }),
    async change(wanted, more = {}, isEnough = () => false) {
      const proposed = {
        file: 'site.yaml',
        folder: folders.folder,
        text: wanted,
        ...{ force: false, release: false, unfreeze: true, older: true, reason: '', by: 'person:anna' },
        ...more,
      };
      // The one before has ended in the journal, and is just putting its things away.
      const { id } = await until('the turn of the next change', () =>
        ask('/v1/changes', proposed).catch((error: Error) => {
          if (error.message !== 'HF108') throw error;
          return null;
        }),
      );
      return await until(`the end of ${id}`, async () => {
        const view = await ask(`/v1/changes/${id}`);
        return finalStates.includes(view.state) || isEnough(view) ? view : null;
      });
    },
    async traffic() {
      const { ended, ok } = await load.counts();
      return { sent: ended, failed: ended - ok };
    },
    async close() {
      await load.stop();
      await site.stop();
      for (const origin of origins) await origin.close();
      folders.remove();
    },
  };
}

function setEngine(
  { version = '', starts = true, heavyWith = '' }: EngineWay,
  write: (name: string, content: string, mode: number) => string,
): void {
  write('haproxy-version', version, 0o644);
  write('haproxy-starts', starts ? 'yes' : 'no', 0o644);
  write('haproxy-heavy-with', heavyWith, 0o644);
}

/** The real HAProxy, but for what it says of its version, whether it starts, and what it takes. */
function shimText(folder: string): string {
  return `#!/bin/bash
PATH=/usr/bin:/bin
version=$(cat ${folder}/haproxy-version)
for word in "$@"; do
  case "$word" in
    -v) [ -n "$version" ] && { echo "HAProxy version $version 2026/01/01"; exit 0; }; exec ${realHaproxy} "$@";;
    -c) exec ${realHaproxy} "$@";;
  esac
done
heavy=$(cat ${folder}/haproxy-heavy-with)
for word in "$@"; do
  if [ -n "$heavy" ] && [ -f "$word" ] && grep -qF "$heavy" "$word"; then
    exec 9< <(exec perl -MPOSIX -e '$| = 1; $x = "x" x 4e8; POSIX::close($_) for 3 .. 30; print "has it"; POSIX::close(1); sleep 20')
    read -r -n 1 -u 9; exec 9<&-
  fi
done
[ "$(cat ${folder}/haproxy-starts)" = yes ] || { echo 'symbol lookup error' >&2; exit 127; }
exec ${realHaproxy} "$@"
`;
}

function siteText(
  { engine, ports, origins }: Pick<Field, 'engine' | 'ports' | 'origins'>,
  servers: readonly number[],
  { guard = '', limits = '', policies = '', listener = '', identity = '', api = [1] }: SiteWords,
): string {
  const lines = (of: readonly number[]) =>
    of.map((n) => `      - { name: web-${n}, address: "127.0.0.1:${origins[n - 1]?.port}" }`).join('\n');
  const check = '    healthCheck: { path: /health, interval: 500ms, timeout: 8s, rise: 1, fall: 3 }';
  return `site: shop
listeners:
  - { name: http, address: "*:${ports.http}" }
  - name: https
    address: "*:${ports.https}"
    tls: { certificates: [{ certificate: cert.pem, key: key.pem }] }
${listener}routes:
  - { name: api, matches: [{ path: { type: PathPrefix, value: /api } }], pool: api }
  - { name: web, pool: web }
pools:
  - name: web
    servers:
${lines(servers)}
${check}
${identity}  - name: api
    servers:
${lines(api)}
${check}
balancers:
  - { name: lb-1, engine: ${engine}, address: 127.0.0.1 }
  - { name: lb-2, engine: ${engine}, address: 127.0.0.2 }
guard:
  canary: { steps: [0.5, 1], firstSliceRequests: 10, step: 1s }
  bake: 1s
  limits: { removedServersShareMax: 0.4${limits} }
${guard}${policies}`;
}
