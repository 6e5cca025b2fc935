import type { Place } from '#base';
import type { Site } from '#model';
import type { meaning } from '#routing';

type Scope = meaning.Setting['scope'];

/** What the plan shows as differences of requests, or what only names things. */
const notSettings = new Set(['name', 'place', 'servers', 'host', 'port', 'weight', 'spare', 'maintenance']);

/** Everything in a site that changes how requests are treated without moving them, by the words of the model. */
export function settingsOfSite(site: Site): readonly meaning.Setting[] {
  const start = site.listeners[0]?.place ?? { file: site.name, line: 1, column: 1 };
  const top = { ...start, line: 1, column: 1 };
  const { timeouts, accessLog, errorPages, listeners, pools, routes } = site;
  return [
    ...flat({ timeouts, accessLog, errorPages }, { kind: 'global' }, '', top),
    ...listeners.flatMap(({ name, place, protocol: _, ...rest }) =>
      flat(rest, { kind: 'listener', name }, '', place),
    ),
    ...routes.flatMap(({ name, filters: { responseHeaders, timeouts: limits, access, mirror }, place }) =>
      flat(
        { responseHeaders, timeouts: limits, body: access?.bodyBytesMax ?? null, mirror },
        { kind: 'global' },
        `route ${name} `,
        place,
      ),
    ),
    ...pools.flatMap((pool) => [
      ...flat(pool, { kind: 'pool', name: pool.name }, '', pool.place),
      ...pool.servers.flatMap((server) =>
        flat(
          server,
          { kind: 'server', pool: pool.name, address: `${server.host}:${server.port}` },
          '',
          server.place,
        ),
      ),
    ]),
  ];
}

/** Leaves of an object by their path: `healthCheck.intervalMs`. Empty lists and nulls are nothing that was set. */
function flat(value: object, scope: Scope, above: string, place: Place): meaning.Setting[] {
  const here = placeIn(value) ?? place;
  const found: meaning.Setting[] = [];
  for (const key in value) {
    const one = (value as Readonly<Record<string, unknown>>)[key];
    if (notSettings.has(key) || one === null || one === undefined) continue;
    const name = `${above}${key}`;
    if (!Array.isArray(one)) {
      if (typeof one === 'object') found.push(...flat(one, scope, `${name}.`, here));
      else found.push({ scope, name, value: String(one), place: here });
    } else if (one.length > 0) {
      const words = one.map((item: unknown) =>
        typeof item === 'object' ? JSON.stringify(item, withoutPlaces) : String(item),
      );
      found.push({ scope, name, value: words.join(' '), place: here });
    }
  }
  return found;
}

function placeIn(value: object): Place | null {
  const { place } = value as { readonly place?: Place };
  return place ?? null;
}

function withoutPlaces(key: string, value: unknown): unknown {
  return key === 'place' ? undefined : value;
}
