import type { EngineName } from '#model';
import type { SceneServer } from '../scene.ts';

export const siteName = 'replay';
export const balancers = [
  { name: 'lb-1', address: '127.0.0.1' },
  { name: 'lb-2', address: '127.0.0.2' },
] as const;

/** The scene as a site file, with the same checks and limits as the usual stack's; what is not written is the default. */
export function siteText(site: {
  readonly port: number;
  readonly engine: EngineName;
  readonly servers: readonly SceneServer[];
  readonly net: boolean;
  readonly isChanged: boolean;
}): string {
  const { port, engine, servers, net, isChanged } = site;
  const serverLine = ({ name, host, changedHost, port: at }: SceneServer) =>
    `      - { name: ${name}, address: "${isChanged ? changedHost : host}:${at}", connectionsMax: 32 }`;
  return `site: ${siteName}

listeners:
  - { name: www, address: "*:${port}" }

routes:
  - { name: everything, pool: web }

pools:
  - name: web
    servers:
${servers.map(serverLine).join('\n')}
    healthCheck: { interval: 2s, fall: 3, rise: 2 }

balancers:
${balancers.map(({ name, address }) => `  - { name: ${name}, engine: ${engine}, address: ${address} }`).join('\n')}
${net ? '' : '\nguard: { net: false }\n'}`;
}
