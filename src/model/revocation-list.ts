/**
 * What a certificate revocation list (RFC 5280, section 5.1) says of itself. Node can use one, and not read it, so the few
 * fields are taken out of its DER here; whether its signature holds, the engine sees in each handshake.
 */
export interface RevocationList {
  /** The name as it is encoded, to be compared. */
  readonly issuer: string;
  /** Milliseconds since 1970. Null: it never ends. */
  readonly nextUpdate: number | null;
  readonly thisUpdate: number;
}

const block = /-----BEGIN X509 CRL-----([^-]+)-----END X509 CRL-----/g;
const tag = { integer: 0x02, sequence: 0x30, utcTime: 0x17, generalizedTime: 0x18 } as const;

/** Every list of a PEM file. @throws Error when there is none, or one cannot be read. */
export function revocationListsIn(pem: string): RevocationList[] {
  const begun = pem.split('-----BEGIN X509 CRL-----').length - 1;
  const lists = [...pem.matchAll(block)].map(([, body = '']) => readList(Buffer.from(body, 'base64')));
  if (lists.length === 0 || lists.length < begun) throw new Error('no whole revocation list');
  return lists;
}

/** The encoded subject of a certificate, as lists name their issuer. */
export function subjectOf(der: Buffer): string {
  const fields = childrenOf(childrenOf(der)[0] ?? fail());
  // An explicit version comes first (0xa0) where there is one: then serial number, algorithm, issuer, validity, subject.
  const at = fields[0]?.[0] === 0xa0 ? 5 : 4;
  return (fields[at] ?? fail()).toString('hex');
}

function readList(der: Buffer): RevocationList {
  const fields = childrenOf(childrenOf(der)[0] ?? fail());
  const [, issuer, thisUpdate, nextUpdate] = fields[0]?.[0] === tag.integer ? fields.slice(1) : fields;
  if (issuer?.[0] !== tag.sequence) fail();
  return {
    issuer: (issuer ?? fail()).toString('hex'),
    thisUpdate: timeOf(thisUpdate) ?? fail(),
    nextUpdate: timeOf(nextUpdate),
  };
}

function timeOf(element: Buffer | undefined): number | null {
  if (element === undefined || (element[0] !== tag.utcTime && element[0] !== tag.generalizedTime))
    return null;
  const text = contentOf(element).toString('latin1');
  const short = /^(\d\d)(\d{10})Z$/.exec(text);
  // Two digits of a year: from 1950 to 2049.
  const whole = short ? `${Number(short[1]) < 50 ? '20' : '19'}${text}` : text;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(whole)?.slice(1).map(Number) ?? fail();
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function childrenOf(element: Buffer): Buffer[] {
  const content = contentOf(element);
  const children: Buffer[] = [];
  for (let at = 0; at < content.length; ) {
    const length = lengthOf(content.subarray(at));
    if (at + length > content.length) fail();
    children.push(content.subarray(at, at + length));
    at += length;
  }
  return children;
}

function contentOf(element: Buffer): Buffer {
  return element.subarray(headOf(element), lengthOf(element));
}

function headOf(element: Buffer): number {
  const first = element[1] ?? fail();
  return first < 0x80 ? 2 : 2 + (first & 0x7f);
}

/** Of the whole element, its head included. */
function lengthOf(element: Buffer): number {
  const head = headOf(element);
  if (element.length < head || head > 6) fail();
  const length = head === 2 ? (element[1] ?? 0) : element.readUIntBE(2, head - 2);
  if (head + length > element.length) fail();
  return head + length;
}

function fail(): never {
  throw new Error('not DER');
}

/** When a list of this file is to be renewed, the first of them. Null: it is none, or never ends. */
export function revocationsEnd(pem: string): number | null {
  try {
    const ends = revocationListsIn(pem).flatMap(({ nextUpdate }) => nextUpdate ?? []);
    return ends.length === 0 ? null : Math.min(...ends);
  } catch {
    return null;
  }
}
