import { isIP } from 'node:net';
import { type Diagnostic, didYouMean } from '#base';
import type { Site } from '#model';
import { isInner } from '#probe';
import { poolsCounted } from './counted.ts';
import { addressIn, type MonitorDocument, type PlaceOf } from './read.ts';

type Path = readonly (string | number)[];
const probeKinds = ['http', 'tcp', 'tls', 'dns', 'servers', 'ways'] as const;
const targets = ['listener', 'route', 'pool', 'probe'] as const;

/** What is well written and cannot be meant. */
export function mistakesIn(value: MonitorDocument, placeOf: PlaceOf, site: Site | null): Diagnostic[] {
  const asked = questions(placeOf, value.allowedHosts);
  twice(value, asked);
  for (const i of value.objectives.keys()) objectiveMakesSense(value, i, site, asked);
  for (const [i, probe] of value.probes.entries()) {
    const path = ['probes', i];
    asked.one(path, probe, probeKinds);
    if (probe.http?.from === 'outside') asked.url([...path, 'http', 'url'], probe.http.url);
    for (const kind of ['tcp', 'tls'] as const) {
      const given = probe[kind];
      if (given) asked.address([...path, kind, 'address'], addressIn(given.address));
    }
    asked.known([...path, 'servers', 'pool'], 'pool', probe.servers?.pool, namesOf(site?.pools));
  }
  for (const [i, { url, authorization }] of value.prometheus.entries()) {
    asked.url(['prometheus', i, 'url'], url);
    asked.secret(['prometheus', i, 'authorization'], authorization);
  }
  const { openTelemetry } = value;
  if (openTelemetry) {
    asked.url(['openTelemetry', 'url'], openTelemetry.url);
    for (const [i, header] of openTelemetry.headers.entries())
      asked.secret(['openTelemetry', 'headers', i, 'value'], header.value);
  }
  return asked.found;
}

type Questions = ReturnType<typeof questions>;

function questions(placeOf: PlaceOf, allowedHosts: readonly string[]) {
  const found: Diagnostic[] = [];
  const say = (code: string, path: Path, message: string, remedy = '') =>
    found.push({ code, severity: 'error', place: placeOf(path), path: pathText(path), message, remedy });
  const one = (path: Path, given: object, keys: readonly string[], least = 1) => {
    const has = keys.filter((key) => (given as Readonly<Record<string, unknown>>)[key] !== undefined);
    if (has.length >= least && has.length <= 1) return;
    const got = has.length === 0 ? 'none' : has.join(' and ');
    say(has.length === 0 ? 'HF012' : 'HF022', path, `expected exactly one of ${keys.join(', ')}, got ${got}`);
  };
  const address = (path: Path, { host, port }: { readonly host: string; readonly port: number }) => {
    if (isIP(host) === 0 || !isInner(host)) return;
    if (allowedHosts.some((word) => word === host || word === `${host}:${port}`)) return;
    say('HF603', path, `${host} is an inner address`, `Where it is meant: allowedHosts: ["${host}"]`);
  };
  return {
    found,
    say,
    one,
    address,
    known(path: Path, kind: string, name: string | undefined, names: readonly string[] | undefined) {
      if (name === undefined || names === undefined || names.includes(name)) return;
      const message = `expected the name of a ${kind}, got ${JSON.stringify(name)}`;
      say('HF014', path, message, didYouMean(name, names));
    },
    url(path: Path, word: string) {
      const { hostname, port, protocol } = new URL(word);
      const host = hostname.replace(/^\[|\]$/g, '');
      address(path, { host, port: Number(port || (protocol === 'https:' ? 443 : 80)) });
    },
    secret(path: Path, given: object | undefined) {
      if (given) one(path, given, ['env', 'file', 'credential']);
    },
  };
}

function namesOf(list: readonly { readonly name: string }[] | undefined): readonly string[] | undefined {
  return list?.map(({ name }) => name);
}

function twice(value: MonitorDocument, { say }: Questions): void {
  for (const [key, kind] of [
    ['objectives', 'objective'],
    ['probes', 'probe'],
    ['prometheus', 'Prometheus server'],
  ] as const) {
    const names = value[key].map(({ name }) => name);
    for (const [i, name] of names.entries())
      if (names.indexOf(name) < i)
        say('HF015', [key, i, 'name'], `expected each ${kind} once, got ${JSON.stringify(name)} again`);
  }
  for (const [i, { series }] of value.prometheus.entries()) {
    const names = series.map(({ name }) => name);
    for (const [j, name] of names.entries())
      if (names.indexOf(name) < j)
        say(
          'HF015',
          ['prometheus', i, 'series', j, 'name'],
          `expected each series once, got ${JSON.stringify(name)} again`,
        );
  }
}

function objectiveMakesSense(
  { objectives, probes }: MonitorDocument,
  i: number,
  site: Site | null,
  { one, known, say }: Questions,
): void {
  const path = ['objectives', i];
  const objective = objectives[i];
  if (!objective) return;
  const { listener, route, pool, probe } = objective;
  one(path, objective, targets, 0);
  one(path, objective, ['availability', 'latency']);
  known([...path, 'listener'], 'listener', listener, namesOf(site?.listeners));
  known([...path, 'route'], 'route', route, namesOf(site?.routes));
  known([...path, 'pool'], 'pool', pool, namesOf(site?.pools));
  known([...path, 'probe'], 'probe', probe, namesOf(probes));
  const counted = site && poolsCounted(site, { listener, route });
  if (counted?.shared)
    say(
      'HF013',
      [...path, listener === undefined ? 'route' : 'listener'],
      `requests to pool "${counted.shared}" come by other ways too, and are counted together`,
      'State the objective for the pool, for the whole site, or for a probe.',
    );
}

function pathText(path: Path): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
    .join('')
    .replace(/^\./, '');
}
