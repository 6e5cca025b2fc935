/** A concrete request, as it comes to a listener. What a client leaves unsaid is null. */
export interface Request {
  readonly method: string;
  /** Whether it comes over TLS. */
  readonly scheme: 'http' | 'https';
  /** The address it is sent to; `*` where any will do. A path for a Unix socket. */
  readonly address: string;
  /** Null: a Unix socket. */
  readonly port: number | null;
  /** The Host header, with its port where it has one. */
  readonly host: string | null;
  /** The name in the ClientHello. */
  readonly sni: string | null;
  /** Raw, up to `?`. */
  readonly path: string;
  /** Raw, behind `?`. */
  readonly query: string | null;
  /** Names in lower case, without `host`; several of one name are one, with `, ` between them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly version: '0.9' | '1.0' | '1.1' | '2.0' | '3.0';
}

const plain: Request = {
  method: 'GET',
  scheme: 'http',
  address: '*',
  port: 80,
  host: 'www.example.com',
  sni: null,
  path: '/',
  query: null,
  headers: {},
  sourceAddress: '127.0.0.1',
  sourcePort: 40_000,
  version: '1.1',
};

/** A plain GET of `/`, but for what is said. Header names in any case; over TLS the host's name is asked for. */
export function requestOf(said: Partial<Request>): Request {
  const scheme = said.scheme ?? 'http';
  const host = said.host === undefined ? plain.host : said.host;
  const headers = Object.fromEntries(
    Object.entries(said.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const port = scheme === 'https' ? 443 : 80;
  const sni = scheme === 'https' ? nameIn(host) : null;
  return { ...plain, scheme, port, sni, ...said, host: headers.host ?? host, headers: without(headers) };
}

function without({
  host: _,
  ...headers
}: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return headers;
}

/** Clients ask for names, never for addresses. */
export function nameIn(host: string | null): string | null {
  const name = (host ?? '').toLowerCase().replace(/:\d*$/, '');
  return name === '' || /^[\d.]+$|^\[/.test(name) ? null : name;
}
