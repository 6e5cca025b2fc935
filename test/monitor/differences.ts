import type { SiteDifference } from '#model';

/** A change that added these servers, each in its line of site.yaml. */
export function siteDifferenceOf(
  added: readonly { readonly pool: string; readonly server: string; readonly line: number }[],
): SiteDifference {
  const serversAdded = added.map(({ pool, server, line }) => ({
    pool,
    server,
    address: '127.0.0.1:1',
    place: { file: 'site.yaml', line, column: 9 },
  }));
  return { serversAdded, serversRemoved: [], parts: [] };
}
