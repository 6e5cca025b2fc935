import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { applied } from './ours.ts';
import type { Scenario } from './scenario.ts';
import { haproxyText, siteText } from './texts.ts';

const hosts = ['a.example', 'b.example', 'c.example', 'd.example', 'docs.example'];
const poolOf = (host: string) => (host === 'docs.example' ? 'docs' : 'shop');
const map = (named: readonly string[]) => named.map((host) => `${host} ${poolOf(host)}\n`).join('');
const routes = (named: readonly string[]) =>
  named.map((host, at) => `  - { name: r${at}, hostnames: [${host}], pool: ${poolOf(host)} }\n`).join('');
const rules = (folder: string, name: string) =>
  `  use_backend %[req.hdr(host),lower,map(${join(folder, name)})] if { req.hdr(host),lower,map(${join(folder, name)}) -m found }\n`;
const nobody = 'backend nobody\n  http-request return status 404\n';

export const lostHost: Scenario = {
  name: 'a table that loses one host of five',
  source:
    'Google Cloud Load Balancing, 21 September 2023, https://status.cloud.google.com/incidents/skbvoobU4btcxyAthEmu',
  story:
    'A component of the pipeline writes some entries of the routing table empty. Totals look as ever; one host answers 404.',
  loads: hosts.map((hostname) => ({ hostname, path: '/', ratePerSecond: 20, expectBody: poolOf(hostname) })),
  usual: (place) => {
    writeFileSync(join(place.folder, 'hosts.map'), map(hosts));
    writeFileSync(join(place.folder, 'fewer.map'), map(hosts.slice(0, -1)));
    const text = (name: string) =>
      haproxyText(place, { rules: rules(place.folder, name), fallsTo: 'nobody', more: nobody });
    return { by: 'reload', text: text('hosts.map'), bad: text('fewer.map') };
  },
  ours: (place) => ({
    text: siteText(place, { routes: routes(hosts) }),
    act: async (ours) => {
      const fewer = siteText(place, { routes: routes(hosts.slice(0, -1)) });
      return await applied(ours, ours.write('next.yaml', fewer));
    },
  }),
  wanted: /^(refused|rolled back)/,
  failedMax: 40,
};
