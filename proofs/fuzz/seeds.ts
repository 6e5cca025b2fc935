/** Texts to start from: ours, and those of a folder. */
import { globSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { dialectOf } from '#dialects';
import type { TextDialect } from '#model';

export interface Seed {
  readonly dialect: TextDialect;
  readonly text: string;
}

const root = resolve(import.meta.dirname, '../..');
const bytesMax = 128 * 1024;
const seedsMax = 400;

export function seedsOf(folder: string | null): readonly Seed[] {
  const ours = globSync(['test/golden/*/{site.yaml,haproxy.cfg,nginx.conf}', 'examples/*/*.yaml'], {
    cwd: root,
  });
  const theirs = folder === null ? [] : globSync('**/*', { cwd: folder }).map((file) => join(folder, file));
  const files = [...ours.map((file) => join(root, file)), ...theirs].toSorted();
  return files
    .filter((file) => statSync(file).isFile() && statSync(file).size < bytesMax)
    .map((file) => readFileSync(file, 'utf8'))
    .map((text) => ({ dialect: dialectOf(text), text }))
    .filter(({ dialect, text }) => dialect !== 'site' || /^(?:site|listeners|routes):/m.test(text))
    .filter((_, index, all) => all.length <= seedsMax || index % Math.ceil(all.length / seedsMax) === 0);
}

/** Names of files as each dialect has them. */
export const fileNames = { haproxy: 'haproxy.cfg', nginx: 'nginx.conf', site: 'site.yaml' } as const;

export const policies = `expect:
  - request: GET https://shop.example/cart?x=1
    headers: { Cookie: beta=1 }
    from: 10.1.2.3
    pool: beta
  - request: GET http://shop.example/cart
    redirect: { to: https://shop.example/cart, status: 301 }
  - request: GET https://shop.example/.git/config
    answer: 403
policies:
  - name: payments reach the payment servers
    requests: { hostnames: [shop.example], scheme: https, path: { value: /pay } }
    always: [pay]
  - name: nobody outside reaches the admin pages
    requests: { from: [0.0.0.0/0], path: { type: RegularExpression, value: "^/(admin|manage)/" } }
    never: admin
  - name: everything over TLS
    requests: { hostnames: ["*.shop.example", shop.example] }
    https: true
  - name: two servers at least
    servers: { pool: [web, pay], min: 2 }
  - name: a second pair of eyes for payments
    requests: { path: { value: /pay } }
    approvals: 2
`;

export const log = `shop.example:80 203.0.113.9 - - [22/Nov/2026:10:00:00 +0000] "GET /cart?x=1 HTTP/1.1" 200 512 "-" "curl/7.88"
203.0.113.9 - bob [22/Nov/2026:10:00:01 +0000] "POST /pay HTTP/2.0" 302 0 "https://shop.example/" "Mozilla/5.0"
Nov 22 10:00:02 lb haproxy[12]: 203.0.113.9:51234 [22/Nov/2026:10:00:02.123] http~ web/web-1 0/0/1/2/3 200 512 - - ---- 1/1/0/0/0 0/0 {shop.example} "GET /cart HTTP/1.1"
{"time":"2026-11-22T10:00:03Z","host":"shop.example","method":"GET","path":"/a","query":"b=1","remote_addr":"2001:db8::1"}
`;
