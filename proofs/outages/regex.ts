import { applied } from './ours.ts';
import type { Scenario } from './scenario.ts';
import { nginxText, siteText } from './texts.ts';

/** An ordinary address, for which the expression has no end of ways to fail. */
const path = `/item/${'a'.repeat(40)}!`;
const expression = '/item/(a+)+';

export const regex: Scenario = {
  name: 'an expression that never ends',
  source:
    'Cloudflare, 2 July 2019, https://blog.cloudflare.com/details-of-the-cloudflare-outage-on-july-2-2019/',
  story:
    'A new rule has a regular expression that backtracks for ever; it passes its tests and takes every processor.',
  loads: [{ hostname: 'shop.example', path, ratePerSecond: 100, expectBody: 'shop-' }],
  // HAProxy remembers what an expression said of a value, and these requests have all the same one.
  usual: (place) => ({
    engine: 'nginx',
    by: 'reload',
    text: nginxText(place),
    bad: nginxText(place, `    location ~ ^${expression}$ { proxy_pass http://docs; }\n`),
  }),
  ours: (place) => ({
    text: siteText(place, { engine: 'nginx' }),
    act: async (ours) => {
      const match = `{ path: { type: RegularExpression, value: "${expression}" } }`;
      const routes = `  - { name: docs, matches: [${match}], pool: docs }\n  - { name: shop, pool: shop }\n`;
      return await applied(ours, ours.write('next.yaml', siteText(place, { engine: 'nginx', routes })));
    },
  }),
  wanted: /^refused: parse/,
  failedMax: 0,
};
