import { parse } from 'tldts';

/** Replaces secrets, and names of hosts, networks and people; the same name everywhere by the same stand-in. */
export interface Redactor {
  (text: string): string;
  /** Stand-in and what it stands for, to read an answer by: it stays at home. Secrets are not in it. */
  readonly names: ReadonlyMap<string, string>;
}

/** Say nothing of anybody: loopback, every address, the documentation's own. */
const everybodys = /^(127\.|0\.0\.0\.0$|255\.|192\.0\.2\.|198\.51\.100\.|203\.0\.113\.|::1?$|2001:db8:)/i;
/** Top-level names that people use inside, beside those of the public list. */
const insideNames = [
  'local',
  'localdomain',
  'internal',
  'intranet',
  'lan',
  'corp',
  'home',
  'private',
  'consul',
  'test',
];
const examples = /(^|\.)(example|example\.(com|net|org)|localhost|invalid)$/i;
/** Endings of files that are top-level domains too. */
const fileEndings =
  /\.(cfg|conf|pem|crt|key|lua|map|lst|acl|txt|html?|http|sock|socket|log|pid|so|json|js|css|php|sh|service|py|rs|md|zip|ts)$/i;

/** HAProxy's variables and what it fetches. */
const fetched = /^(proc|sess|txn|req|res|check|ssl|srv|be|fe)\./i;

const block = /-----BEGIN ([A-Z0-9 ]{1,40})-----[\s\S]*?(?:-----END \1-----|$)/g;
const secretWords =
  /\b(insecure-password|password|passwd|secret|token|api[-_]?key|private[-_]?key|community)\b(["']?\s{0,8}[:=]?\s{0,8}["']?)([^\s"',;]{1,1000})/gi;
const secretHeaders = /\b((?:proxy-)?authorization|(?:set-)?cookie)(["']?\s{0,8}:\s{0,8}["']?)([^"'\r\n]+)/gi;
const schemes = /\b(basic|bearer)\s{1,8}[a-z0-9+/._~-]{8,}=*/gi;
const statsAuth = /\b(stats\s{1,8}auth\s{1,8})([^\s:]{1,200}):(\S{1,200})/gi;

/** Whatever may be a name, an address or a key; the rest of the expressions sees one of these at a time. */
const word = /[\w.:@+=%$/[\]-]+/g;
const wordCharactersMax = 400;
const crypt = /\$(?:1|2[aby]?|5|6|y|apr1)\$\S+/;
const userinfo = /(:\/\/)[^/@]+@/;
const mail = /[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}/gi;
const random = /(?<![A-Za-z0-9+])(?=[A-Za-z0-9+]*\d)(?=[A-Za-z0-9+]*[A-Za-z])[A-Za-z0-9+]{32,}={0,2}/g;
const person = /^person:([\w.@-]+)/;
const ipv6 = /(?<![\w:.])((?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4})(?![\w:])/i;
const ipv4 = /(?<![\w.-])(\d{1,3}(?:\.\d{1,3}){3})(?![\w-]|\.\d)/g;
const host = /(?<![\w.@\\-])((?:[a-z0-9_-]+\.)+[a-z][a-z0-9-]*)(?![\w(-]|\.\w)/gi;

export function redactor(): Redactor {
  const standIns = new Map<string, string>();
  const names = new Map<string, string>();
  const counts = new Map<string, number>();

  function standIn(kind: string, original: string, make: (number: number) => string): string {
    const key = `${kind} ${original.toLowerCase()}`;
    const known = standIns.get(key);
    if (known !== undefined) return known;
    const number = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, number);
    const made = make(number);
    standIns.set(key, made);
    names.set(made, original);
    return made;
  }

  const address4 = (text: string) =>
    isIPv4(text) && !everybodys.test(text) ? standIn('ipv4', text, documentationAddress) : text;
  const address6 = (whole: string, text: string) =>
    isIPv6(text) && !everybodys.test(text)
      ? whole.replace(
          text,
          standIn('ipv6', text, (n) => `2001:db8::${n.toString(16)}`),
        )
      : whole;
  /** Names of one domain stay names of one domain. */
  const hostName = (text: string) => {
    const domain = domainOf(text);
    if (domain === null) return text;
    const stand = standIn('domain', domain, (n) => `site-${n}.example`);
    const label = text.slice(0, text.length - domain.length).replace(/\.$/, '');
    return label === '' ? stand : `${standIn(`host of ${domain}`, label, (n) => `host-${n}`)}.${stand}`;
  };

  const inWord = (text: string) =>
    text.length > wordCharactersMax
      ? 'LONG-WORD'
      : text
          .replace(crypt, 'SECRET')
          .replace(userinfo, '$1USER:SECRET@')
          .replace(mail, (one) => standIn('mail', one, (n) => `person-${n}@site.example`))
          .replace(random, 'SECRET')
          .replace(person, (_, name: string) => `person:${standIn('person', name, (n) => `person-${n}`)}`)
          .replace(ipv6, address6)
          .replace(ipv4, address4)
          .replace(host, hostName);
  const redact = (text: string) =>
    text
      .replace(block, '-----BEGIN $1----- (left out) -----END $1-----')
      .replace(statsAuth, '$1USER:SECRET')
      .replace(secretHeaders, '$1$2SECRET')
      .replace(secretWords, '$1$2SECRET')
      .replace(schemes, '$1 SECRET')
      .replace(word, inWord);
  return Object.assign(redact, { names });
}

function isIPv4(text: string): boolean {
  return text.split('.').every((part) => Number(part) <= 255);
}

function isIPv6(text: string): boolean {
  return URL.canParse(`http://[${text}]/`);
}

/** What somebody owns of a name; null: it is none of anybody's, or no name. */
function domainOf(text: string): string | null {
  if (examples.test(text) || fileEndings.test(text) || fetched.test(text)) return null;
  const { domain, isIcann, isPrivate } = parse(text);
  if (domain !== null && (isIcann || isPrivate)) return domain;
  const labels = text.split('.');
  return insideNames.includes(labels.at(-1)?.toLowerCase() ?? '') ? labels.slice(-2).join('.') : null;
}

const networks = ['192.0.2', '198.51.100', '203.0.113'];
const inNetwork = 254;

/** 192.0.2.1 and on; past the documentation's 762 addresses, in what carriers use inside. */
function documentationAddress(number: number): string {
  const network = networks[Math.floor((number - 1) / inNetwork)];
  if (network !== undefined) return `${network}.${((number - 1) % inNetwork) + 1}`;
  const beyond = number - networks.length * inNetwork;
  return `100.${64 + (Math.floor(beyond / 65_536) % 64)}.${Math.floor(beyond / 256) % 256}.${beyond % 256}`;
}
