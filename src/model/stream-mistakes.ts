import type { Diagnostic } from '#base';
import { listed, pathText, shown } from './mistakes.ts';
import { listOf, namesOf, sectionOf, textOf, valueIn } from './parts.ts';
import { accessKeys, filterKeys } from './schema-actions.ts';
import type { PoolPart } from './schema-pools.ts';
import { shaped } from './shaped.ts';
import { mistake, type Path, type SourceText } from './yaml.ts';

/** Words that mean nothing to a connection that is passed on byte by byte, and pools that are asked in two ways. */
export function streamMistakes(source: SourceText): Diagnostic[] {
  const words = listenerWords(source);
  // Of most sites the rest is about nothing.
  if (sectionOf(source, 'listeners').every((listener) => protocolOf(listener) === 'HTTP')) return words;
  return [...words, ...unrouted(source), ...routeWords(source), ...poolWords(source)];
}

const ofHttp = ['tls', 'forwarded', 'hsts'] as const;
const ofHttpAccess = ['rate', 'basicAuth', 'bodyMax'] as const;
const ofStreams = ['connectionsMax', 'connectionsPerClientMax', 'inspectTimeout'] as const;

function listenerWords(source: SourceText): Diagnostic[] {
  return sectionOf(source, 'listeners').flatMap((listener, index) => {
    const protocol = protocolOf(listener);
    const tell = (path: Path, message: string, remedy: string) =>
      told(['listeners', index, ...path], message, remedy, source);
    const given = <W extends string>(words: readonly W[], of: unknown) =>
      words.filter((word) => valueIn(of, word) !== undefined);
    if (protocol === 'HTTP')
      return given(ofStreams, listener).flatMap((word) =>
        tell([word], 'means nothing with the protocol HTTP', 'Write protocol: TCP or TLS, or remove it'),
      );
    return [
      ...given(ofHttp, listener).flatMap((word) =>
        tell([word], `means nothing with the protocol ${protocol}: ${passedOn}`, remedies[word]),
      ),
      ...given(ofHttpAccess, valueIn(listener, 'access')).flatMap((word) =>
        tell(
          ['access', word],
          `means nothing with the protocol ${protocol}: ${passedOn}`,
          'Limit connections with connectionsMax and connectionsPerClientMax',
        ),
      ),
      ...(protocol === 'TCP' && valueIn(listener, 'inspectTimeout') !== undefined
        ? tell(['inspectTimeout'], 'means nothing with the protocol TCP', 'Write protocol: TLS, or remove it')
        : []),
    ];
  });
}

const passedOn = 'connections are passed on as they are';
const remedies = {
  tls: 'Remove it (the servers have the certificates), or remove protocol',
  forwarded: 'Tell servers the client with proxyProtocol of the pool',
  hsts: 'Remove it: the servers answer',
} as const;

type Protocol = 'HTTP' | 'TCP' | 'TLS';

function protocolOf(listener: unknown): Protocol {
  const word = textOf(listener, 'protocol');
  return word === 'TCP' || word === 'TLS' ? word : 'HTTP';
}

function protocols(source: SourceText): ReadonlyMap<string, Protocol> {
  const all = sectionOf(source, 'listeners');
  return new Map(
    namesOf(source, 'listeners').flatMap((name, i) => (name === null ? [] : [[name, protocolOf(all[i])]])),
  );
}

/** A TCP listener is for what its route says; one without would close every connection. */
function unrouted(source: SourceText): Diagnostic[] {
  const routed = new Set(sectionOf(source, 'routes').flatMap((route) => listOf(route, 'listeners')));
  return sectionOf(source, 'listeners').flatMap((listener, index) => {
    const name = textOf(listener, 'name');
    if (protocolOf(listener) === 'HTTP' || name === null || routed.has(name)) return [];
    const at: Path = ['listeners', index];
    const message = 'missing, expected a route that names this listener: every connection would be closed';
    const remedy = `Add a route: { listeners: [${name}], pool: ... }`;
    return [mistake('HF012', source.placeOf(at), pathText(at), message, remedy)];
  });
}

interface StreamRoute {
  readonly index: number;
  readonly route: unknown;
  readonly protocols: ReadonlySet<Protocol>;
}

function routesByProtocol(source: SourceText): readonly StreamRoute[] {
  const known = protocols(source);
  const everyHttp = new Set<Protocol>(['HTTP']);
  return sectionOf(source, 'routes').map((route, index) => {
    const names = listOf(route, 'listeners');
    const found = names.flatMap((name) => (typeof name === 'string' ? (known.get(name) ?? []) : []));
    return { index, route, protocols: names.length === 0 ? everyHttp : new Set(found) };
  });
}

const requestWords = [
  'matches',
  'redirect',
  'answer',
  ...Object.keys(filterKeys),
  ...Object.keys(accessKeys),
];

function routeWords(source: SourceText): Diagnostic[] {
  return routesByProtocol(source).flatMap(({ index, route, protocols: used }) => {
    const tell = (path: Path, message: string, remedy: string) =>
      told(['routes', index, ...path], message, remedy, source);
    if (used.size > 1)
      return tell(
        ['listeners'],
        `expected listeners of one protocol, got ${[...used].join(' and ')}`,
        'Write a route for each',
      );
    const [protocol = 'HTTP'] = used;
    if (protocol === 'HTTP') return [];
    const words = requestWords.filter((word) => valueIn(route, word) !== undefined);
    return [
      ...words.flatMap((word) =>
        tell(
          [word],
          `means nothing on a listener with the protocol ${protocol}: ${unread}`,
          wordRemedy(word),
        ),
      ),
      ...(protocol === 'TCP' && listOf(route, 'hostnames').length > 0
        ? tell(
            ['hostnames'],
            'means nothing on a listener with the protocol TCP: nothing says whom a client wants',
            'Write protocol: TLS on the listener, or remove it',
          )
        : []),
    ];
  });
}

const unread = 'no request is read there';

function wordRemedy(word: string): string {
  if (word === 'access') return 'Limit the listener instead: listeners[].access';
  return word === 'redirect' || word === 'answer' ? 'Name a pool instead' : 'Remove it';
}

interface Use {
  readonly protocol: Protocol;
  readonly at: Path;
}

function usesOf(source: SourceText): ReadonlyMap<string, readonly Use[]> {
  const uses = new Map<string, Use[]>();
  for (const { index, route, protocols: used } of routesByProtocol(source)) {
    // Told already: listeners of one protocol are expected.
    if (used.size > 1) continue;
    const add = (pool: string | null, at: Path) => {
      for (const protocol of used)
        if (pool !== null) uses.set(pool, [...(uses.get(pool) ?? []), { protocol, at }]);
    };
    add(textOf(route, 'pool'), ['routes', index, 'pool']);
    add(textOf(valueIn(route, 'mirror'), 'pool'), ['routes', index, 'mirror', 'pool']);
    for (const [i, weighted] of listOf(route, 'pools').entries())
      add(textOf(weighted, 'pool'), ['routes', index, 'pools', i, 'pool']);
  }
  return uses;
}

function poolWords(source: SourceText): Diagnostic[] {
  const uses = usesOf(source);
  return sectionOf(source, 'pools').flatMap((item, index) => {
    const used = uses.get(textOf(item, 'name') ?? '') ?? [];
    const stream = used.find(({ protocol }) => protocol !== 'HTTP');
    if (!stream) return [];
    const asked = used.find(({ protocol }) => protocol === 'HTTP');
    if (asked) return twoWays(textOf(item, 'name') ?? '', stream, asked, source);
    const passed = used.some(({ protocol }) => protocol === 'TLS');
    const { data } = shaped.pools(item);
    return data ? meaningless(data, ['pools', index], { stream, passed }, source) : [];
  });
}

/** Told where the second of them is, with the first one's line. */
function twoWays(pool: string, stream: Use, asked: Use, source: SourceText): Diagnostic[] {
  const [first, second] =
    source.placeOf(stream.at).line < source.placeOf(asked.at).line ? [stream, asked] : [asked, stream];
  const message =
    `${shown(pool)} is a pool for ${first.protocol} already (${pathText(first.at)} on line ${source.placeOf(first.at).line}), ` +
    `and this would make it one for ${second.protocol} too`;
  return told(second.at, message, 'Write a second pool with the same servers', source);
}

function meaningless(
  { algorithm, hash, stickyCookie, retries, ejection, tls }: PoolPart,
  above: Path,
  { stream, passed }: { readonly stream: Use; readonly passed: boolean },
  source: SourceText,
): Diagnostic[] {
  const by = `${pathText(stream.at)} on line ${source.placeOf(stream.at).line}`;
  const why = `means nothing in a pool for ${stream.protocol} (${by}): ${unread}`;
  const tell = (path: Path, message: string, remedy: string) =>
    told([...above, ...path], message, remedy, source);
  const causes = retries.on.filter((cause) => cause !== 'connect');
  return [
    ...(algorithm === 'hash' || hash !== undefined
      ? tell([hash === undefined ? 'algorithm' : 'hash'], why, 'Write algorithm: source, or another one')
      : []),
    ...(stickyCookie === undefined ? [] : tell(['stickyCookie'], why, 'Write algorithm: source')),
    ...(causes.length === 0
      ? []
      : tell(['retries', 'on'], `${listed(causes)} ${why}`, 'Write on: [connect], or leave it out')),
    ...(ejection?.of === 'answers' ? tell(['ejection', 'of'], why, 'Write of: connections') : []),
    ...(tls !== undefined && passed
      ? tell(
          ['tls'],
          `means nothing in a pool for TLS (${by}): the client speaks TLS with the server itself`,
          'Remove it',
        )
      : []),
  ];
}

function told(path: Path, message: string, remedy: string, source: SourceText): Diagnostic[] {
  return [mistake('HF022', source.placeOf(path), pathText(path), message, remedy)];
}
