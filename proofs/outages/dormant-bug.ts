import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from '../ladder/engine.ts';
import { applied } from './ours.ts';
import type { Place, Scenario } from './scenario.ts';
import { haproxyText, siteText } from './texts.ts';

const pools = { shop: ['shop-1', 'shop-2'], docs: ['docs-1'] } as const;
const dormant = { ...pools, dormant: ['docs-1'] } as const;
const livesMs = 3_000;

/** HAProxy with a bug that only a text wakes which names a certain backend: its worker dies some seconds later. */
function buggyHaproxy({ folder }: Pick<Place, 'folder'>): string {
  const library = join(folder, 'spoil.so');
  compile(join(import.meta.dirname, '../ladder/spoil.c'), library);
  const file = join(folder, 'haproxy');
  writeFileSync(
    file,
    `#!/bin/bash
for word in "$@"; do
  case "$word" in
    -v|-c) exec /usr/sbin/haproxy "$@";;
    *haproxy.cfg) SPOIL_IF=$word; export SPOIL_IF;;
  esac
done
export LD_PRELOAD=${library} SPOIL_CRASH=${livesMs}
exec /usr/sbin/haproxy "$@"
`,
    { mode: 0o755 },
  );
  for (const one of [library, file]) chmodSync(one, 0o755);
  chmodSync(folder, 0o755);
  return file;
}

export const dormantBug: Scenario = {
  name: 'a valid change wakes a bug of the engine',
  source: 'Fastly, 8 June 2021, https://www.fastly.com/blog/summary-of-june-8-outage',
  story:
    'A customer makes a valid change; with it the engine, which had carried the bug for weeks, crashes a moment later, wherever it runs.',
  loads: [{ hostname: 'shop.example', path: '/', ratePerSecond: 100, expectBody: 'shop-' }],
  usual: (place) => ({
    by: 'reload',
    haproxy: buggyHaproxy(place),
    text: haproxyText(place, { pools }),
    bad: haproxyText(place, { pools: dormant }),
  }),
  ours: (place) => ({
    env: { HOLDFAST_HAPROXY: buggyHaproxy(place) },
    text: siteText(place, { pools }),
    act: async (ours) => {
      const routes =
        '  - { name: dormant, hostnames: [new.example], pool: dormant }\n  - { name: shop, pool: shop }\n';
      return await applied(ours, ours.write('next.yaml', siteText(place, { pools: dormant, routes })));
    },
  }),
  wanted: /^(refused|rolled back)/,
  failedMax: 10,
};
