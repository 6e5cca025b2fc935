import { isIP } from 'node:net';
import { Failure } from '#base';
import { meaning } from '#routing';

export interface AskedRequest {
  /** `GET https://shop.example/cart?x=1`; the method may be left out. */
  readonly request: string;
  /** `Name: value` */
  readonly headers: readonly string[];
  readonly from: string | null;
}

const shape = /^(?:([A-Za-z][A-Za-z-]*) )?(https?|tcp):\/\/([^/?#\s]*)([^?#\s]*)(?:\?([^#\s]*))?$/;
const remedy = "Write it as a person would: 'GET https://shop.example/cart?x=1'";

/**
 * A request as it is typed. The URL's host is the Host header, its port the one that is asked; where it names none and
 * nobody listens on the usual one, the only port of the text that speaks the scheme. @throws Failure HF013
 */
export function askedRequest(
  { request, headers, from }: AskedRequest,
  { listeners }: meaning.Meaning,
): meaning.Request {
  const found = shape.exec(request.trim());
  if (!found) throw new Failure('HF013', `${JSON.stringify(request)} is not a request`, remedy);
  const [, method = 'GET', protocol = 'http', authority = '', path = '', query] = found;
  if (from !== null && isIP(from) === 0)
    throw new Failure(
      'HF013',
      `${JSON.stringify(from)} is not an address`,
      'Give an IPv4 or IPv6 address: --from 10.1.2.3',
    );
  const scheme = protocol === 'https' ? 'https' : 'http';
  const port = /:(\d{1,5})$/.exec(authority)?.[1];
  return meaning.requestOf({
    method: method.toUpperCase(),
    scheme,
    host: authority === '' ? null : authority,
    port: port === undefined ? portFor(scheme, listeners) : Number(port),
    path: path === '' ? '/' : path,
    query: query ?? null,
    headers: Object.fromEntries(headers.map(headerOf)),
    ...(from === null ? {} : { sourceAddress: from }),
  });
}

function portFor(scheme: 'http' | 'https', listeners: readonly meaning.ListenerMeaning[]): number {
  const usual = scheme === 'https' ? 443 : 80;
  const speaks = listeners.filter(({ tls, mode }) => mode === 'tcp' || tls === (scheme === 'https'));
  const ports = new Set(speaks.flatMap(({ port }) => port ?? []));
  const [only] = ports;
  return only === undefined || ports.has(usual) || ports.size > 1 ? usual : only;
}

function headerOf(line: string): [string, string] {
  const colon = line.indexOf(':');
  const name = line.slice(0, colon).trim();
  if (colon < 1 || !/^[!#$%&'*+.^_`|~\w-]+$/.test(name))
    throw new Failure('HF013', `${JSON.stringify(line)} is not a header`, "Write it as -H 'Name: value'");
  return [name, line.slice(colon + 1).trim()];
}
