import { begins, captured, chosen, contains, empty, encoded, holds, is, notEmpty, rest } from './folding.ts';
import {
  all,
  type Condition,
  field,
  header,
  joined,
  sizeOf,
  some,
  text,
  type Unknown,
  type Value,
  valueSizeMax,
} from './meaning.ts';
import { pcre } from './regex.ts';
import { said, sayer } from './scope.ts';
import { type Lifting, type State, unknownValue, type Where } from './state.ts';
import { piecesOf } from './template.ts';
import type { Node } from './tree.ts';

/** For whom a word is evaluated: the line that says it, and the request at that moment. */
export interface Asking {
  readonly node: Node;
  readonly state: State;
  readonly where: Where;
  readonly lifting: Lifting;
  /** How many variables of the text's own led here. */
  readonly depth?: number;
  /** Where `proxy_pass` leads, where that is known already. */
  readonly target?: { readonly scheme: string; readonly authority: string };
}

const depthMax = 24;
/** Of a word that is too complex, letters that are told. */
const saidMax = 80;

export function evaluate(word: string, asking: Asking): Value {
  const value = joined(
    piecesOf(word).map((piece) => (piece.kind === 'text' ? text(piece.text) : variable(piece.name, asking))),
  );
  return bounded(value, word, asking);
}

/** What is made of itself again and again is too complex. */
export function bounded(value: Value, word: string, { node, lifting }: Asking): Value {
  if (sizeOf(value) <= valueSizeMax) return value;
  lifting.refuse(node, 'too complex, treated as not understood');
  return unknownValue(node, 'complex', word.length > saidMax ? node.text.slice(0, saidMax) : word);
}

/** What the variable is at this moment; absent or empty where NGINX has nothing. */
export function variable(name: string, asking: Asking): Value {
  const { state, lifting, node } = asking;
  const depth = (asking.depth ?? 0) + 1;
  if (depth > depthMax) return unknownValue(node, 'complex', `$${name}`);
  if (/^[0-9]+$/.test(name)) {
    const isSure =
      state.captures?.fresh === true || !lifting.sources.matchesIn(asking.where.server.scope.nodes);
    return isSure ? group(Number(name), state) : unknownValue(node, 'complex', `$${name}`);
  }
  const set = state.variables.get(name) ?? state.shares.get(name);
  if (set) return set;
  const kept = state.kept.get(name);
  if (!kept) return workedOut(name, asking);
  if (kept.isSure) return kept.value;
  const now = workedOut(name, asking);
  return lifting.keys.of(now) === lifting.keys.of(kept.value)
    ? now
    : unknownValue(node, 'complex', `$${name} as it was asked for first`);
}

function workedOut(name: string, asking: Asking): Value {
  const { state, lifting, node } = asking;
  const depth = (asking.depth ?? 0) + 1;
  const own = lifting.sources.valueOf(name, { ...asking, depth });
  if (own) return own;
  const builtIn =
    request(name, asking) ?? prefixed(name, state) ?? located(name, asking) ?? opaque(name, node);
  if (builtIn) return builtIn;
  if (lifting.sources.isSet(name)) return empty;
  lifting.refuse(node, `the variable $${name} is not known`);
  return unknownValue(node, 'not understood', `$${name}`);
}

function group(number: number, { captures }: State): Value {
  if (!captures || number > captures.count) return empty;
  return captured(captures.of, captures.regex, number);
}

const inFrontOfPort = pcre('^(\\[[^\\]]*\\]|[^:]*?)\\.?(?::.*)?$');
/** The name in the Host header, in lower case, without port and without a dot at its end. */
export const hostName: Value = { kind: 'lower', of: captured(field('host'), inFrontOfPort, 1) };

/** `?` and the query where there is one, even an empty one. */
const queryMark = (): Value =>
  chosen(holds(field('query'), { kind: 'present' }), joined([text('?'), field('query')]), empty);

const http = (version: Value): Value => joined([text('HTTP/'), version]);

function request(name: string, asking: Asking): Value | null {
  const { state } = asking;
  switch (name) {
    case 'uri':
    case 'document_uri':
      return state.uri;
    case 'args':
    case 'query_string':
      return state.args;
    case 'is_args':
      return chosen(notEmpty(state.args), text('?'), empty);
    case 'request_uri':
      return joined([field('path'), queryMark()]);
    case 'request':
      return joined([
        field('method'),
        text(' '),
        field('path'),
        queryMark(),
        text(' '),
        http(field('version')),
      ]);
    case 'request_method':
      return state.method;
    case 'server_protocol':
      return http(field('version'));
    case 'scheme':
      return field('scheme');
    case 'https':
      return chosen(holds(field('scheme'), is('https')), text('on'), empty);
    case 'host':
      return { kind: 'orElse', of: hostName, otherwise: serverName(asking) };
    case 'server_name':
      return serverName(asking);
    case 'remote_addr':
    case 'binary_remote_addr':
      return state.address;
    case 'realip_remote_addr':
      return field('sourceAddress');
    case 'remote_port':
      // Of the address that was put in its place.
      return state.addressBy === null
        ? field('sourcePort')
        : unknownValue(asking.node, 'complex', '$remote_port');
    case 'realip_remote_port':
      return field('sourcePort');
    case 'server_addr':
      return field('localAddress');
    case 'server_port':
      return field('localPort');
    case 'ssl_server_name':
    case 'ssl_preread_server_name':
      return field('sni');
    case 'proxy_add_x_forwarded_for': {
      const before = header('x-forwarded-for');
      const { address } = state;
      // An empty one is there, and is joined to.
      return chosen(holds(before, { kind: 'present' }), joined([before, text(', '), address]), address);
    }
    case 'content_length':
    case 'content_type':
      return header(name.replace('_', '-'));
    default:
      return null;
  }
}

/** The server's first name. */
function serverName({ where }: Asking): Value {
  return text((where.server.names[0] ?? '').replace(/^\./, ''));
}

function prefixed(name: string, state: State): Value | null {
  const [, kind, rest = ''] = /^(arg|http|cookie)_(.+)$/.exec(name) ?? [];
  if (kind === 'arg') return { kind: 'parameter', of: state.args, name: rest, ignoreCase: true };
  if (kind === 'cookie') return captured(header('cookie'), pcre(`(?:^|[;,]) *${rest} *= *([^;]*)`, true), 1);
  return kind === 'http' ? header(rest.replaceAll('_', '-')) : null;
}

function located(name: string, asking: Asking): Value | null {
  const { where, state, node } = asking;
  switch (name) {
    case 'document_root':
    case 'request_filename': {
      const { root } = rootOf(asking);
      // A relative one begins at a folder that only the binary knows.
      if (root.kind === 'text' && root.text !== '' && !root.text.startsWith('/'))
        return unknownValue(node, 'elsewhere', `$${name}`);
      return name === 'document_root' ? root : fileOf(asking, state.uri);
    }
    case 'realpath_root':
      return unknownValue(node, 'files', '$realpath_root');
    case 'proxy_host':
    case 'proxy_port': {
      const target = asking.target ?? writtenTarget(where);
      if (target.authority.includes('$')) return unknownValue(node, 'complex', `$${name}`);
      return text(name === 'proxy_host' ? hostSent(target) : portSent(target));
    }
    default:
      return null;
  }
}

type Target = Exclude<Asking['target'], undefined>;

function writtenTarget({ handler }: Where): Target {
  const word = handler?.node.words[0] ?? '';
  const [, scheme = '', authority = ''] = /^(?:(\$?\w+):\/\/)?(unix:[^:]*|[^/?]*)/i.exec(word) ?? [];
  return { scheme: scheme.toLowerCase(), authority: scheme.startsWith('$') ? '$' : authority };
}

const usualPort = (scheme: string): string => (/^(?:https|grpcs)$/.test(scheme) ? '443' : '80');

/** `$proxy_host`: without the port that goes without saying; `localhost` for a Unix socket. */
export function hostSent({ scheme, authority }: Target): string {
  if (authority.startsWith('unix:')) return 'localhost';
  const usual = `:${usualPort(scheme)}`;
  return authority.endsWith(usual) ? authority.slice(0, -usual.length) : authority;
}

function portSent({ scheme, authority }: Target): string {
  if (authority.startsWith('unix:')) return '';
  return /:(\d+)$/.exec(authority)?.[1] ?? usualPort(scheme);
}

export interface Root {
  readonly root: Value;
  /** How many bytes of the URI `alias` stands for; null: all of it (`alias` in a location with an expression). */
  readonly replaces: number | null;
}

export function rootOf(asking: Asking): Root {
  const { where } = asking;
  const node = said(where.scope, 'root', 'alias').at(-1);
  if (!node) return { root: text('html'), replaces: 0 };
  const root = evaluate((node.words[0] ?? '').replace(/(.)\/+$/, node.name === 'root' ? '$1' : '$&'), {
    ...asking,
    node,
  });
  if (node.name === 'root') return { root: node.words[0] === '/' ? empty : root, replaces: 0 };
  const at = sayer(where.scope, 'root', 'alias');
  const [modifier = '', name = modifier] = (at?.kind === 'if' ? at.parent : at)?.node?.words ?? [];
  return { root, replaces: modifier.startsWith('~') ? null : name.length };
}

export function fileOf(asking: Asking, uri: Value): Value {
  const { root, replaces } = rootOf(asking);
  if (replaces !== null) return joined([root, rest(uri, replaces)]);
  return asking.state.addsUri ? joined([root, uri]) : root;
}

const opaqueKinds: readonly (readonly [RegExp, Unknown['why']])[] = [
  [/^(?:time_iso8601|time_local|msec|date_local|date_gmt)$/, 'time'],
  [/^request_id$|^ssl_session_id$/, 'chance'],
  [/^remote_user$|^ssl_client_|^ssl_early_data$|^jwt_|^secure_link/, 'secret'],
  [
    /^(?:connection|connections_|upstream_|status|bytes_|body_bytes|request_time|request_length|request_completion|tcpinfo_|pipe|limit_|proxy_internal|sent_|ssl_|session_|protocol|gzip_ratio|http2|http3|quic|nginx_version|pid|hostname|slice_range|server_|ancient_browser|modern_browser|msie|invalid_referer|spdy|memcached_key|proxy_protocol_|uid_|fastcgi_|date_|fingerprint)/,
    'state',
  ],
  [/^geoip2?_/, 'files'],
  [/^(?:request_body|request_body_file|jwt|modsec|shib|js_)/, 'elsewhere'],
];

function opaque(name: string, node: Node): Value | null {
  const why = opaqueKinds.find(([pattern]) => pattern.test(name))?.[1];
  return why ? unknownValue(node, why, `$${name}`) : null;
}

/**
 * Escaped where NGINX does so: in a path that is sent on, if the client escaped something or NGINX made the URI itself; in
 * arguments also for a `+` in the client's path.
 */
export function asQuoted(state: State, raw: Value, bytes: 'path' | 'query'): Value {
  const escaped = encoded(raw, bytes);
  if (state.internal && bytes === 'path') return escaped;
  if (raw.kind === 'text' && escaped.kind === 'text' && raw.text === escaped.text) return raw;
  return chosen(bytes === 'path' ? wasEscaped : mayBeQuoted, escaped, raw);
}

const wasEscaped: Condition = holds(field('path'), contains('%'));
/** `quoted_uri` or `plus_in_uri`: a path with neither is put into arguments and redirects as it is. */
export const mayBeQuoted: Condition = some([wasEscaped, holds(field('path'), contains('+'))]);

const hostOrAddress: Value = { kind: 'orElse', of: hostName, otherwise: field('localAddress') };
const unusualPort = chosen(
  some([
    all([holds(field('scheme'), is('http')), holds(field('localPort'), is('80'))]),
    all([holds(field('scheme'), is('https')), holds(field('localPort'), is('443'))]),
  ]),
  empty,
  joined([text(':'), field('localPort')]),
);

/** `https://shop.example:8443` in front of a location that begins with a slash. */
export function absolute(location: Value, asking: Asking): Value {
  const { where } = asking;
  const { scope } = where;
  const flag = (name: string, otherwise: boolean) =>
    (said(scope, name).at(-1)?.words[0] ?? (otherwise ? 'on' : 'off')) === 'on';
  const isRelative = beginsWithSlash(location) ? null : holds(location, begins('/'));
  if (isRelative?.kind === 'never' || !flag('absolute_redirect', true)) return location;
  const host = flag('server_name_in_redirect', false) ? serverName(asking) : hostOrAddress;
  const ending = flag('port_in_redirect', true) ? unusualPort : empty;
  const whole = joined([field('scheme'), text('://'), host, ending, location]);
  return isRelative ? chosen(isRelative, whole, location) : whole;
}

/** Whatever the request. */
export function beginsWithSlash(value: Value): boolean {
  const first = value.kind === 'joined' ? value.parts[0] : value;
  if (first?.kind === 'text') return first.text.startsWith('/');
  return first?.kind === 'field' && ['path', 'normalisedPath'].includes(first.field.kind);
}
