import { meaning } from '#routing';

const hopsMax = 10;

export interface RedirectLoop {
  readonly locations: readonly string[];
  readonly step: meaning.Step | null;
}

/** Follows redirects as a browser would, within the text; null where they end. */
export function followed(text: meaning.Meaning, first: meaning.Request): RedirectLoop | null {
  const seen = new Set<string>();
  const locations: string[] = [];
  let request = first;
  let step: meaning.Step | null = null;
  for (let hop = 0; hop < hopsMax; hop += 1) {
    const { exact, ways } = meaning.fateOf(text, request);
    const [way] = ways;
    if (!exact || way?.fate.kind !== 'redirect' || typeof way.fate.location !== 'string') return null;
    const { location } = way.fate;
    step ??= way.steps.at(-1) ?? null;
    if (seen.has(location)) return { locations, step };
    seen.add(location);
    locations.push(location);
    const next = requestTo(location, request);
    if (next === null) return null;
    request = next;
  }
  return null;
}

/** Null: it leads elsewhere, or nowhere. */
function requestTo(location: string, from: meaning.Request): meaning.Request | null {
  const base = `${from.scheme}://${from.host ?? 'nowhere.invalid'}${from.path}`;
  if (!URL.canParse(location, base)) return null;
  const { protocol, host, hostname, port, pathname, search } = new URL(location, base);
  const scheme = protocol === 'https:' ? 'https' : 'http';
  const samePlace =
    scheme === from.scheme && hostname === (from.host ?? '').replace(/:\d*$/, '').toLowerCase();
  const usual = scheme === 'https' ? 443 : 80;
  return meaning.requestOf({
    ...from,
    scheme,
    host,
    port:
      port === ''
        ? samePlace && from.port !== null && !/:\d+$/.test(from.host ?? '')
          ? from.port
          : usual
        : Number(port),
    sni: scheme === 'https' ? hostname : null,
    path: pathname,
    query: search === '' ? null : search.slice(1),
  });
}
