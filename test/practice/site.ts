import assert from 'node:assert/strict';
import { readSite } from '#dialects';
import type { Site } from '#model';

/** A site with one pool `web`, of servers and balancers at these addresses. */
export function parsedSite(of: {
  readonly balancers: readonly string[];
  readonly servers: readonly string[];
  readonly connectionsMax?: number;
}): Site {
  const servers = of.servers.map((address, i) => {
    const limit = of.connectionsMax === undefined ? '' : `, connectionsMax: ${of.connectionsMax}`;
    return `      - { name: web-${i + 1}, address: "${address.includes(':') ? address : `${address}:80`}"${limit} }`;
  });
  const balancers = of.balancers.map((address, i) => `  - { name: lb-${i + 1}, address: ${address} }`);
  const text = `site: shop
listeners:
  - { name: http, address: "*:80" }
routes:
  - { name: all, pool: web }
pools:
  - name: web
    servers:
${servers.join('\n')}
balancers:
${balancers.join('\n')}
`;
  const { site, diagnostics } = readSite({ file: 'site.yaml', folder: '/', text });
  assert.ok(site, JSON.stringify(diagnostics));
  return site;
}
