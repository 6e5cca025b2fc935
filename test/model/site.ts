import assert from 'node:assert/strict';
import { formatDiagnostic } from '#base';
import { parseSite, type Site } from '#model';

/** A small site that is valid as it is; tests change one thing of it. */
export const validText = `site: shop
listeners:
  - { name: http, address: "*:8080" }
routes:
  - { name: api, matches: [{ path: { value: /api } }], pool: api }
  - { name: web, pool: web }
pools:
  - { name: web, servers: [10.0.0.1:80, 10.0.0.2:80] }
  - { name: api, servers: [10.0.0.3:80] }
balancers:
  - { name: lb-1, address: 127.0.0.1 }
`;

export function siteOf(text: string): Site {
  const { site, diagnostics } = parseSite(text, 'site.yaml', '/etc/shop');
  assert(site, diagnostics.map(formatDiagnostic).join('\n'));
  return site;
}

/** The diagnostics of a text as a person reads them. */
export function linesOf(text: string): readonly string[] {
  return parseSite(text, 'site.yaml', '/etc/shop').diagnostics.map(formatDiagnostic);
}

/** `validText` with one part of it replaced; fails when the part is not there. */
export function changed(part: string, by: string): string {
  assert(validText.includes(part), `the valid site has no ${part}`);
  return validText.replace(part, () => by);
}
