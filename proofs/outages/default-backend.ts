import { applied } from './ours.ts';
import type { Scenario } from './scenario.ts';
import { haproxyText, siteText } from './texts.ts';

const pools = { shop: ['shop-1', 'shop-2'], docs: ['docs-1'], admin: ['admin-1'] } as const;
const rules = '  acl is_docs path_beg /docs\n  use_backend docs if is_docs\n';
const route = (name: string, path: string) =>
  `  - { name: ${name}, matches: [{ path: { type: PathPrefix, value: ${path} } }], pool: ${name} }\n`;

/** The first backend of the file takes what no rule takes any more, and that one is for the staff. */
export const defaultBackend: Scenario = {
  name: 'rules made simpler, another default',
  source: 'npm registry, 28 January 2014 (the npm blog of that day)',
  story:
    'Routing rules are made simpler; what they do not name now falls to another backend, which refuses everybody with 403.',
  loads: [
    { hostname: 'shop.example', path: '/', ratePerSecond: 80, expectBody: 'shop-' },
    { hostname: 'shop.example', path: '/docs/a', ratePerSecond: 20, expectBody: 'docs-' },
  ],
  usual: (place) => ({
    by: 'reload',
    text: haproxyText(place, { pools, rules }),
    bad: haproxyText(place, { pools, rules, fallsTo: 'admin' }),
  }),
  ours: (place) => ({
    text: siteText(place, { pools, routes: `${route('docs', '/docs')}  - { name: shop, pool: shop }\n` }),
    act: async (ours) => {
      const routes = `${route('docs', '/docs')}  - { name: shop, pool: admin }\n`;
      return await applied(ours, ours.write('next.yaml', siteText(place, { pools, routes })));
    },
  }),
  wanted: /^(refused|rolled back)/,
  failedMax: 30,
};
