import { applied } from './ours.ts';
import type { Scenario } from './scenario.ts';
import { haproxyText, siteText } from './texts.ts';

const gone = { shop: [], docs: [] } as const;

export const emptiedFile: Scenario = {
  name: 'a file emptied long before anybody reads it',
  source: 'AWS Elastic Load Balancing, 24 December 2012, https://aws.amazon.com/message/680587/',
  story:
    'Maintenance deletes which servers belong to which balancer. What runs goes on, until the next harmless reload reads the file.',
  loads: [{ hostname: 'shop.example', path: '/', ratePerSecond: 100, expectBody: 'shop-' }],
  usual: (place) => ({
    by: 'reload',
    text: haproxyText(place),
    bad: haproxyText(place, { pools: gone }),
  }),
  ours: (place) => ({
    text: siteText(place),
    act: async (ours) => {
      // The file that the site was started from.
      const file = ours.write('site.yaml', siteText(place, { pools: gone }));
      return await applied(ours, file);
    },
  }),
  wanted: /^refused/,
  failedMax: 0,
};
