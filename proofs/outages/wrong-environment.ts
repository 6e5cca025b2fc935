import { applied } from './ours.ts';
import type { Scenario } from './scenario.ts';
import { haproxyText, siteText } from './texts.ts';

const staging = { shop: ['staging-1'], docs: ['docs-1'] } as const;
const check = ', expectBody: "-"';

export const wrongEnvironment: Scenario = {
  name: "another environment's file",
  source: 'GitHub, 11 March 2024, https://www.githubstatus.com',
  story:
    'A right change is rolled out to an environment that it was not made for: customers come to the servers of staging, which answer 200.',
  loads: [{ hostname: 'shop.example', path: '/', ratePerSecond: 100, expectBody: 'shop-' }],
  usual: (place) => ({
    by: 'reload',
    text: haproxyText(place),
    bad: haproxyText(place, { pools: staging }),
  }),
  ours: (place) => ({
    text: siteText(place, { check }),
    act: async (ours) =>
      await applied(ours, ours.write('next.yaml', siteText(place, { pools: staging, check }))),
  }),
  wanted: /^refused/,
  failedMax: 0,
};
