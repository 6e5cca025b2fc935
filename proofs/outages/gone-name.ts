import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { applied } from './ours.ts';
import type { Place, Scenario } from './scenario.ts';
import { haproxyText, siteText } from './texts.ts';

const old = 'old-app.shop.example';

/** A world of its own in which one more name is known, or is not: /etc/hosts is another file there. */
function names({ folder }: Pick<Place, 'folder'>) {
  const file = join(folder, 'hosts');
  const write = (isKnown: boolean) =>
    writeFileSync(file, `127.0.0.1 localhost\n${isKnown ? `127.0.0.1 ${old}\n` : ''}`, { mode: 0o644 });
  write(true);
  const on = (command: string, ...args: string[]) => [
    'unshare',
    ...['--mount', '--propagation', 'private', 'sh', '-c'],
    `mount --bind ${file} /etc/hosts && exec "$@"`,
    ...['sh', command, ...args],
  ];
  return { on, breaks: () => write(false), mends: () => write(true) };
}

export const goneName: Scenario = {
  name: 'a renewed certificate restarts a file that has gone bad',
  source: 'GEANT, 17 March 2021, https://wiki.geant.org/display/SD/Haproxy+Outage+2021-03-17',
  story:
    'The renewal of a certificate restarts HAProxy. Meanwhile the name of a server that was given up ten months before has been deleted, and it does not start.',
  loads: [{ hostname: 'shop.example', path: '/', ratePerSecond: 100, expectBody: 'shop-' }],
  usual: (place) => {
    const { on, breaks, mends } = names(place);
    const more = `backend old\n  server old-1 ${old}:${place.servers['docs-1'].port}\n`;
    return { by: 'restart', text: haproxyText(place, { more }), on, world: { breaks, mends } };
  },
  ours: (place) => {
    const { on, breaks } = names(place);
    const pools = { shop: ['shop-1', 'shop-2'], docs: ['docs-1'] } as const;
    const host = (server: string) => (server === 'docs-1' ? old : '127.0.0.1');
    const old_ = '  - { name: docs, matches: [{ path: { type: PathPrefix, value: /docs } }], pool: docs }\n';
    const routes = (name: string) => `${old_}  - { name: ${name}, pool: shop }\n`;
    return {
      on,
      text: siteText(place, { pools, host, routes: routes('shop') }),
      async act(ours) {
        breaks();
        // What a renewal does too: a new generation of what runs.
        const file = ours.write('next.yaml', siteText(place, { pools, host, routes: routes('renewed') }));
        return await applied(ours, file, '--new-generation');
      },
    };
  },
  wanted: /^(refused|rolled back)/,
  failedMax: 0,
};
