import { applied } from './ours.ts';
import type { Scenario } from './scenario.ts';
import { haproxyText, siteText } from './texts.ts';

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
  usual: (place) => ({
    by: 'reload',
    text: haproxyText(place),
    bad: haproxyText(place, { rules: `  use_backend docs if { path_reg ^${expression}$ }\n` }),
  }),
  ours: (place) => ({
    text: siteText(place),
    act: async (ours) => {
      const match = `{ path: { type: RegularExpression, value: "${expression}" } }`;
      const routes = `  - { name: docs, matches: [${match}], pool: docs }\n  - { name: shop, pool: shop }\n`;
      return await applied(ours, ours.write('next.yaml', siteText(place, { routes })));
    },
  }),
  wanted: /^(refused|rolled back)/,
  failedMax: 40,
};
