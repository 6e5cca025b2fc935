import { assert, unreachable } from '#base';
import type { Pool } from '#model';
import {
  type Action,
  type ErrorPage,
  type Filters,
  type Header,
  type PathChange,
  withoutSlash,
} from '#routing';
import type { Placement } from '../dialect.ts';
import type { Limits } from './access.ts';
import { type Edge, hstsLines } from './forwarded.ts';
import { map, splitClients } from './maps.ts';
import { copyLine, mirrorLine, mirrorLocation, mirrorMaps, mirrorServer } from './mirror.ts';
import { compressionLines, knownDown, tlsToServerLines, upstreamVariable } from './pools.ts';
import { defaults, literally, milliseconds, path, text, upstreamName } from './vocabulary.ts';

/** Kinds of requests that NGINX must treat apart from the first byte; `$holdfast_kind` is one of these. */
const kinds = ['', '.stream', '.tunnel'] as const;
type Kind = (typeof kinds)[number];

/**
 * Every different thing that a request may get has a named location, for each kind; the rules choose one by its name.
 * `maps` and `lines` are complete when every rule was asked for.
 */
export class Locations {
  readonly maps: string[] = [];
  readonly lines: string[] = [];
  /** Beside the site's own server. */
  readonly servers: string[] = [];
  readonly #pools: readonly Pool[];
  readonly #limits: Limits;
  readonly #edge: Edge;
  readonly #placement: Placement;
  readonly #folder: string;
  readonly #known = new Map<string, string>();

  constructor(
    pools: readonly Pool[],
    limits: Limits,
    edge: Edge,
    { placement, folder }: { readonly placement: Placement; readonly folder: string },
  ) {
    this.#folder = folder;
    this.#pools = pools;
    this.#placement = placement;
    this.#limits = limits;
    this.#edge = edge;
  }

  /** A location's name, or the variable that is one. */
  nameOf(action: Action, filters: Filters | null): string {
    const { servers: _, ...meaning } = { servers: null, ...action };
    const key = JSON.stringify([meaning, filters]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const number = this.#known.size + 1;
    const name = action.kind === 'split' ? `$holdfast_split${number}` : this.#name(action, number);
    this.#known.set(key, name);
    if (action.kind === 'split') {
      const all = action.shares.map(({ pool, servers, weight }) => {
        return [this.nameOf({ kind: 'pool', pool, servers }, filters), weight] as const;
      });
      this.maps.push(...splitClients(name, all));
    } else
      for (const kind of kinds) {
        const lines = this.#linesOf(action, filters, { number, kind });
        const access = filters?.access ?? null;
        const limits = this.#limits.linesFor(access);
        if (action.kind === 'pool' || !this.#limits.counts(access))
          this.#add(`${name}${kind}`, [...limits, ...lines]);
        else {
          this.#add(`${name}${kind}`, [...limits, `try_files /holdfast.none ${name}.own${kind};`]);
          this.#add(`${name}.own${kind}`, lines);
        }
      }
    return name;
  }

  #add(name: string, lines: readonly string[]): void {
    const says = (word: string) => lines.some((line) => line.startsWith(word));
    const { hsts } = this.#edge;
    const edge = [
      ...(hsts && says('add_header') ? [hstsLines.add] : []),
      ...(hsts && says('proxy_hide_header') ? [hstsLines.hide] : []),
    ];
    this.lines.push(`location ${name} {`, ...[...edge, ...lines].map((line) => `  ${line}`), '}');
  }

  /** `@2.p0.web`: evidence reads the pool's number from it. */
  #name(action: Exclude<Action, { kind: 'split' }>, number: number): string {
    if (action.kind !== 'pool') return `@${number}.${action.kind}`;
    return `@${number}.${upstreamName(this.#pools, action.pool)}`;
  }

  #linesOf(
    action: Exclude<Action, { kind: 'split' }>,
    filters: Filters | null,
    at: { readonly number: number; readonly kind: Kind },
  ): string[] {
    switch (action.kind) {
      case 'pool':
        return this.#poolLines(action.pool, filters, at);
      case 'answer':
        return [
          'set $holdfast_led own;',
          `default_type ${text(action.body?.contentType ?? '')};`,
          ...action.headers.map(addHeader),
          `return ${action.status} ${this.#body(action.body?.text ?? '', at)};`,
        ];
      case 'redirect': {
        const { scheme, hostname, port, path: change } = action.to;
        const target = change === null ? '$holdfast_target' : this.#changed(change, at);
        const host = hostname === null ? '$host' : text(hostname).slice(1, -1);
        const location = `${scheme}://${host}${port === null ? '' : `:${port}`}${target}`;
        return [
          'set $holdfast_led own;',
          ...(hostname === null ? ['if ($holdfast_host = "") { return 400 "$holdfast_nothing"; }'] : []),
          `return ${action.status} "${location}";`,
        ];
      }
      case 'reject':
        return ['return 444;'];
      default:
        return unreachable(action);
    }
  }

  #poolLines(name: string, filters: Filters | null, at: { readonly number: number; readonly kind: Kind }) {
    const pool = this.#pools.find((p) => p.name === name);
    assert(pool, `no pool is called ${name}`);
    const { serverMs, tunnelMs } = pool.timeouts;
    const own = filters?.timeouts;
    const silence = at.kind === '.tunnel' ? (own?.tunnelMs ?? tunnelMs) : (own?.serverMs ?? serverMs);
    const change = filters?.rewrite?.path ?? null;
    const target = change === null ? '$holdfast_target' : this.#changed(change, at);
    return [
      ...this.#mirrorLines(filters, at, target),
      `proxy_connect_timeout ${milliseconds(pool.timeouts.connectMs)};`,
      `proxy_read_timeout ${milliseconds(silence)};`,
      `proxy_send_timeout ${milliseconds(silence)};`,
      ...(at.kind === '' ? [] : ['proxy_request_buffering off;']),
      ...(filters === null
        ? []
        : filterLines(filters, this.#edge.headers, (name, value, nth) =>
            this.#added(name, value, { ...at, nth }),
          )),
      `proxy_next_upstream_tries ${pool.retries.max + 1};`,
      'error_page 502 = $holdfast_failed502;',
      'error_page 504 = $holdfast_failed504;',
      ...compressionLines(pool),
      ...tlsToServerLines(pool, this.#placement),
      `proxy_pass http${pool.tls !== null && this.#placement.servers === null ? 's' : ''}://${this.#upstreamOf(pool)}${target};`,
    ];
  }

  /** A body that is passed on while it comes has no copy. */
  #mirrorLines(
    filters: Filters | null,
    { number, kind }: { readonly number: number; readonly kind: Kind },
    target: string,
  ): string[] {
    if (!filters?.mirror || kind !== '') return [];
    const at = { number, folder: this.#folder, placement: this.#placement, pools: this.#pools };
    const added = (name: string, value: string, nth: number) =>
      this.#added(name, value, { number, kind: '.stream', nth });
    const headers = filterLines({ ...filters, responseHeaders: null }, this.#edge.headers, added);
    this.lines.push(...mirrorLocation(filters.mirror, at, { target, headers }));
    if (this.servers.length === 0) this.servers.push(...mirrorMaps);
    this.servers.push(...mirrorServer(filters.mirror, at));
    return [mirrorLine(at)];
  }

  #upstreamOf(pool: Pool): string {
    return knownDown(pool, this.#placement).length === 0
      ? upstreamName(this.#pools, pool.name)
      : upstreamVariable(this.#pools.indexOf(pool));
  }

  /** NGINX reads no word of 4 KB: what is longer is put together from variables. */
  #body(body: string, { number, kind }: { readonly number: number; readonly kind: Kind }): string {
    const parts = wordsOf(body);
    if (body === '') return '"$holdfast_nothing"';
    if (parts.length <= 1) return text(body);
    const variables = parts.map((_, index) => `$holdfast_body${number}_${index}`);
    if (kind === '')
      this.maps.push(...parts.flatMap((part, index) => map('', variables[index] ?? '', [], part)));
    return `"${variables.join('')}"`;
  }

  /** The variable that is a header's value; empty when a neighbour has added it before its net sent the request here. */
  #added(
    name: string,
    value: string,
    { number, kind, nth }: { readonly number: number; readonly kind: Kind; readonly nth: number },
  ): string {
    const variable = `$holdfast_add${number}_${nth}`;
    const before = `~*^e:.*,${literally(name.toLowerCase())},`;
    if (kind === '')
      this.maps.push(...map('$holdfast_side:$http_holdfast_added', variable, [[before, '']], value));
    return variable;
  }

  /** The variable that is path and query as changed. */
  #changed(change: PathChange, { number, kind }: { readonly number: number; readonly kind: Kind }): string {
    const variable = `$holdfast_path${number}`;
    if (kind !== '') return variable;
    const [found, instead] = replacement(change);
    const rest = `holdfast_rest${number}`;
    this.maps.push(
      ...map(
        '$holdfast_target',
        variable,
        [[`~${found}(?<${rest}>.*)$`, { raw: `${text(instead).slice(1, -1)}$${rest}` }]],
        {
          raw: '$holdfast_target',
        },
      ),
    );
    return variable;
  }
}

const wordBytesMax = 4_000;

function wordsOf(body: string): string[] {
  const parts: string[] = [];
  let part = '';
  let bytes = 0;
  for (const character of body) {
    const more = Buffer.byteLength(text(character)) - 2;
    if (bytes + more > wordBytesMax) {
      parts.push(part);
      part = '';
      bytes = 0;
    }
    part += character;
    bytes += more;
  }
  return [...parts, part];
}

/** `/foo` by nothing leaves `/` of `/foo` itself, and `/bar` of `/foo/bar`. */
function replacement(change: PathChange): readonly [found: string, instead: string] {
  if (change.kind === 'full') return ['^[^?]*', change.value];
  const instead = withoutSlash(change.value);
  const prefix = `^${literally(change.prefix)}`;
  return instead === '' ? [`${prefix}/?`, '/'] : [prefix, instead];
}

function filterLines(
  { rewrite, requestHeaders, responseHeaders }: Filters,
  edgeHeaders: Edge['headers'],
  addedOf: (name: string, value: string, nth: number) => string,
): string[] {
  const host = rewrite?.hostname ?? null;
  const changed = requestHeaders ?? { remove: [], set: [], add: [] };
  const lower = (names: readonly string[]) => new Set(names.map((name) => name.toLowerCase()));
  const instead = lower([...changed.remove, ...changed.set.map(({ name }) => name)]);
  const edge = edgeHeaders.filter(([name]) => !instead.has(name.toLowerCase()));
  const kept = lower(edge.map(([name]) => name));
  const set = (name: string, value: string) => `proxy_set_header ${name} ${value};`;
  const own = host === null && requestHeaders === null;
  const added = new Set<string>();
  const response = responseHeaders ?? { remove: [], set: [], add: [] };
  return [
    ...(own
      ? []
      : [
          ...edge.map(([name, value]) => set(name, name === 'Host' && host !== null ? text(host) : value)),
          ...changed.remove.map((name) => set(name, '""')),
          ...changed.set.map(({ name, value }) => set(name, text(value))),
          ...changed.add.flatMap(({ name, value }, nth) => {
            const key = name.toLowerCase();
            const before = instead.has(key) || kept.has(key) || added.has(key) || !/^[\w-]+$/.test(name);
            added.add(key);
            const there = before ? [] : [set(name, `$http_${key.replaceAll('-', '_')}`)];
            return [...there, set(name, addedOf(name, value, nth))];
          }),
        ]),
    ...[...response.remove, ...response.set.map(({ name }) => name)].map(
      (name) => `proxy_hide_header ${name};`,
    ),
    ...[...response.set, ...response.add].map(addHeader),
  ];
}

function addHeader({ name, value }: Header): string {
  return `add_header ${name} ${text(value)} always;`;
}

/** What a request gets when its server does not answer, and the ways to the neighbour. */
export function fixedLocations(
  { neighbour, netOut }: { readonly neighbour: string | null; readonly netOut: string | null },
  edge: Edge,
  { pages, copies }: { readonly pages: readonly ErrorPage[]; readonly copies: boolean },
): string[] {
  const paged = pages.map(({ status, contentType }) => {
    const lines = `default_type ${text(contentType)}; return ${status} ${pageVariables(status, pages)};`;
    return `location @holdfast.failed.${status} { ${lines} }`;
  });
  const plain = [502, 503, 504].filter((status) => !pages.some((page) => page.status === status));
  return [
    ...paged,
    ...plain.map((status) => `location @holdfast.failed.${status} { return ${status}; }`),
    ...(neighbour === null ? [] : neighbourLocations(neighbour, { netOut, copies }, edge)),
  ];
}

function pageVariables(status: number, pages: readonly ErrorPage[]): string {
  const parts = wordsOf(pages.find((page) => page.status === status)?.text ?? '');
  return `"${parts.map((_, index) => `$holdfast_page${status}_${index}`).join('')}"`;
}

/** The bodies of the site's own pages. */
export function pageMaps(pages: readonly ErrorPage[]): string[] {
  return pages.flatMap(({ status, text: body }) =>
    wordsOf(body).flatMap((part, index) => map('', `$holdfast_page${status}_${index}`, [], part)),
  );
}

/**
 * The neighbour is told the client's address by the PROXY protocol. NGINX has no word for that in HTTP; its own line in
 * front of the method is the same bytes. One connection for each request, because the line opens a connection.
 */
function neighbourLocations(
  neighbour: string,
  { netOut, copies }: { readonly netOut: string | null; readonly copies: boolean },
  edge: Edge,
): string[] {
  const toNeighbour = [
    'proxy_method $holdfast_proxy$request_method;',
    ...edge.headers.map(([name, value]) => {
      return `proxy_set_header ${name} ${name === 'Connection' ? '$holdfast_last' : value};`;
    }),
    `proxy_connect_timeout ${milliseconds(defaults.neighbourConnectMs)};`,
    // Longer than the neighbour waits itself: it knows why, we do not.
    `proxy_read_timeout ${milliseconds(defaults.neighbourTimeoutMs)};`,
    'error_page 502 504 = @holdfast.failed.503;',
    `proxy_pass http://unix:${path(neighbour)}:;`,
  ];
  const back = [
    ...(copies ? [copyLine] : []),
    'set $holdfast_led back;',
    'proxy_request_buffering off;',
    // Whoever is led away comes back on a new connection, to who accepts.
    'keepalive_timeout 0;',
    ...(edge.hsts ? [hstsLines.add] : []),
    ...toNeighbour,
  ];
  const net = ['set $holdfast_led net;', `if (-x ${netOut}) { return 503; }`, ...toNeighbour];
  const block = (name: string, lines: readonly string[]) => [
    `location ${name} {`,
    ...lines.map((line) => `  ${line}`),
    '}',
  ];
  return [...block('@holdfast.back', back), ...(netOut === null ? [] : block('@holdfast.net', net))];
}
