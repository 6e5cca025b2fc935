import { isIP } from 'node:net';
import { hostName } from '#routing';

/** Recent requests as a log tells them: enough to say where each goes, and no more. */
export interface Traffic {
  /** The file's name. */
  readonly source: string;
  readonly requests: readonly LoggedRequest[];
  /** Lines that were no request. */
  readonly unread: number;
}

export interface LoggedRequest {
  /** Null for what the log does not tell. */
  readonly host: string | null;
  readonly scheme: 'http' | 'https' | null;
  readonly method: string;
  readonly path: string;
  /** Names of parameters; their values only where they were asked for. */
  readonly query: string;
  readonly sourceAddress: string | null;
}

export interface TrafficOptions {
  /** For lines that name no host. */
  readonly host: string | null;
  readonly queryValues: boolean;
  readonly requestsMax: number;
}

const lineCharactersMax = 64 * 1024;
/** `"GET /cart?x=1 HTTP/1.1"`, wherever it stands in a line. */
const requestLine = /"([A-Z][A-Z-]*) (\S+) HTTP\/\d(?:\.\d)?"/;
/** Request headers that HAProxy captured: `{shop.example|Mozilla/5.0}` before the request line. */
const captured = /\{([^|}]*)(?:\|[^}]*)?\}(?= (?:\{[^}]*\} )?")/;

/**
 * The last `requestsMax` requests of an access log: NGINX's and Apache's `combined` (with the host in front or behind,
 * as `vhost_combined` has it), HAProxy's `option httplog`, or one JSON object a line.
 */
export function trafficOf(text: string, source: string, options: TrafficOptions): Traffic {
  const requests: LoggedRequest[] = [];
  let unread = 0;
  const lines = text.split('\n');
  for (let i = lines.length - 1; i >= 0 && requests.length < options.requestsMax; i -= 1) {
    const line = lines[i]?.trim() ?? '';
    if (line === '') continue;
    const request = line.length > lineCharactersMax ? null : requestOf(line, options);
    if (request) requests.push(request);
    else unread += 1;
  }
  return { source, requests: requests.reverse(), unread };
}

function requestOf(line: string, options: TrafficOptions): LoggedRequest | null {
  const told = line.startsWith('{') ? fromJson(line) : fromLine(line);
  if (!told) return null;
  const host = told.host ?? options.host;
  const query = options.queryValues ? told.query : namesOnly(told.query);
  return { ...told, host: host === null ? null : hostName(host), query };
}

/** Values are what people type: names are enough to choose a route in all but few sites. */
function namesOnly(query: string): string {
  return query
    .split('&')
    .map((part) => part.replace(/=.*$/, '='))
    .join('&');
}

function fromLine(line: string): LoggedRequest | null {
  const found = requestLine.exec(line);
  if (!found) return null;
  const [, method = '', target = ''] = found;
  const before = line.slice(0, found.index);
  const vhost = /^([a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?) (?:\d{1,3}\.){3}\d{1,3} /i.exec(line)?.[1];
  const host = vhost ?? captured.exec(line)?.[1] ?? null;
  return {
    ...splitTarget(target, host === '' || host === '-' ? null : host),
    method,
    sourceAddress: firstAddress(before),
  };
}

const keys = {
  host: ['host', 'http_host', 'hostname', 'server_name', 'vhost', 'authority'],
  method: ['method', 'request_method', 'http_method', 'verb'],
  target: ['target', 'request_uri', 'uri', 'path', 'url', 'request_path'],
  query: ['query', 'args', 'query_string'],
  source: ['client', 'client_ip', 'remote_addr', 'source', 'client_address'],
  scheme: ['scheme', 'protocol'],
} as const;

function fromJson(line: string): LoggedRequest | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const entries = new Map(Object.entries(value).map(([key, one]) => [key.toLowerCase(), one]));
  const first = (names: readonly string[]) => {
    for (const name of names) {
      const one: unknown = entries.get(name);
      if (typeof one === 'string' && one !== '' && one !== '-') return one;
    }
    return null;
  };
  const whole = first(['request', 'request_line']);
  if (whole && entries.get('method') === undefined) {
    const told = fromLine(`"${whole}"`);
    return told && { ...told, host: first(keys.host) ?? told.host, sourceAddress: first(keys.source) };
  }
  const [method, target] = [first(keys.method), first(keys.target)];
  if (!method || !target) return null;
  const split = splitTarget(target, first(keys.host));
  const scheme = first(keys.scheme);
  return {
    ...split,
    method,
    query: split.query || (first(keys.query)?.replace(/^\?/, '') ?? ''),
    scheme: scheme === 'http' || scheme === 'https' ? scheme : split.scheme,
    sourceAddress: firstAddress(first(keys.source) ?? ''),
  };
}

/** The client stands first in NGINX's lines, and behind a time and a process's name, with its port, in HAProxy's. */
function firstAddress(text: string): string | null {
  for (const word of text.split(/[\s[\]]+/)) {
    if (isIP(word) > 0) return word;
    const withoutPort = word.replace(/:\d+$/, '');
    if (isIP(withoutPort) > 0) return withoutPort;
  }
  return null;
}

/** `http://shop.example/cart?x=1` names its host itself. */
function splitTarget(
  target: string,
  host: string | null,
): Pick<LoggedRequest, 'host' | 'scheme' | 'path' | 'query'> {
  const absolute = /^(https?):\/\/([^/?]*)(.*)$/i.exec(target);
  const rest = absolute ? absolute[3] || '/' : target;
  const mark = rest.indexOf('?');
  const scheme = absolute?.[1]?.toLowerCase();
  return {
    host: absolute?.[2] ?? host,
    scheme: scheme === 'http' || scheme === 'https' ? scheme : null,
    path: mark < 0 ? rest : rest.slice(0, mark),
    query: mark < 0 ? '' : rest.slice(mark + 1),
  };
}
