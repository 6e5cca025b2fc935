import { applied } from './ours.ts';
import type { Scenario } from './scenario.ts';
import { haproxyText, siteText } from './texts.ts';

const pools = { shop: ['shop-1', 'shop-2'], docs: ['docs-1'], broken: ['broken-1'] } as const;
const path = 'path: { type: PathPrefix, value: /cart }';
const routes = (cart: string) =>
  `  - { name: cart, matches: [{ ${path} }], pool: ${cart} }\n  - { name: shop, pool: shop }\n`;
const comes = 3;

export const comesBack: Scenario = {
  name: 'a change that was taken back comes again',
  source:
    'GitLab.com, 14 March 2019, https://gitlab.com/gitlab-com/gl-infra/production-engineering/-/issues/6386',
  story:
    'A bad change is taken back by hand, but not where the configuration tool has it from: with its next run it is there again.',
  loads: [
    { hostname: 'shop.example', path: '/', ratePerSecond: 60, expectBody: 'shop-' },
    { hostname: 'shop.example', path: '/cart', ratePerSecond: 40, expectBody: 'shop-' },
  ],
  usual: (place) => ({
    by: 'reload',
    again: comes - 1,
    text: haproxyText(place, { pools }),
    bad: haproxyText(place, { pools, rules: '  use_backend broken if { path_beg /cart }\n' }),
  }),
  ours: (place) => ({
    text: siteText(place, { pools, routes: routes('shop') }),
    async act(ours) {
      const file = ours.write('next.yaml', siteText(place, { pools, routes: routes('broken') }));
      const came = [await applied(ours, file), await applied(ours, file)];
      // Nobody has looked yet: nothing goes live. Then a person has, and lets other changes go on.
      came.push(await applied(ours, file, '--unfreeze', '--reason', 'looked at it'));
      return came.join('; then ');
    },
  }),
  wanted: /^rolled back.*; then refused \(HF109.*; then refused: limits/,
  failedMax: 30,
};
