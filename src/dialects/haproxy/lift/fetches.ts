import { meaning } from '#routing';
import type { Line } from '../own/sections.ts';
import { drawn } from './draws.ts';
import type { Call } from './expression.ts';
import type { Sample } from './request.ts';
import {
  asValue,
  chosen,
  isIn,
  isReadNumber,
  lastOf,
  no,
  pcre,
  type Scene,
  textSample,
  unknownSample,
  yes,
} from './scene.ts';
import { bytes } from './source.ts';

const { absent, field, joined, text } = meaning;

export interface Asked extends Scene {
  readonly line: Line;
  /** The fetch as it is written. */
  readonly said: string;
}

type Fetch = (args: readonly string[], asked: Asked) => Sample;

/** Names that mean another one. */
const aliases: Readonly<Record<string, string>> = {
  'req.hdr': 'hdr',
  'req.hdr_cnt': 'hdr_cnt',
  'req.hdr_val': 'hdr_val',
  'req.hdr_ip': 'hdr_ip',
  'req.fhdr': 'req.fhdr',
  hdr_count: 'hdr_cnt',
  'req.cook': 'cook',
  'req.cook_cnt': 'cook_cnt',
  cookie: 'cook',
  url_param: 'urlp',
  req_ssl_sni: 'req.ssl_sni',
  req_ssl_hello_type: 'req.ssl_hello_type',
  req_ssl_ver: 'req.ssl_ver',
  req_proto_http: 'req.proto_http',
  req_ver: 'req.ver',
  ssl_fc_has_sni: 'ssl_fc_has_sni',
  req_len: 'req.len',
  payload: 'req.payload',
};

export function canonicalFetch(name: string): string {
  return aliases[name] ?? name;
}

/** In mode `tcp` the bytes are read as HTTP where they are there; those of a ClientHello are none. */
const http = (of: Fetch): Fetch => {
  return (args, asked) => {
    if (asked.protocol === 'http' || (asked.awaited && asked.tls === true)) return of(args, asked);
    if (!asked.awaited) return unknownSample(asked, asked.line, 'time', asked.said);
    const sample = of(args, asked);
    if (sample.kind === 'value') return { ...sample, value: chosen(plainly, sample.value, absent) };
    if (sample.kind === 'bool') return { kind: 'bool', when: meaning.all([plainly, sample.when]) };
    return unknownSample(asked, asked.line, 'complex', asked.said, 'HTTP is asked for in mode tcp');
  };
};

/** Whether what comes is read as HTTP, where that can be waited for. */
export function isHttpIn(scene: Scene): meaning.Condition {
  return scene.protocol === 'http' || (scene.awaited && scene.tls === true) ? yes : plainly;
}

const plainly = isIn(field('scheme'), { kind: 'is', text: 'http', ignoreCase: false });

const flag = (when: meaning.Condition): Sample => ({ kind: 'bool', when });
const ignoreCase = false;
const is = (word: string): meaning.Language => ({ kind: 'is', text: word, ignoreCase });

const httpFetches: Readonly<Record<string, Fetch>> = {
  path: http((_, { request }) => textSample(request.foundPath)),
  pathq: http((_, { request }) => textSample(request.foundUrl)),
  url: http((_, { request }) => textSample(asWritten(request.url))),
  query: http((_, { request }) => textSample(request.query)),
  base: http((_, { request }) => textSample(joined([firstOf(request.host), request.foundPath]))),
  baseq: http((_, { request }) => textSample(joined([firstOf(request.host), request.foundUrl]))),
  method: http((_, { request }) => ({ kind: 'value', type: 'method', value: askedMethod(request.method) })),
  'req.ver': http(() => ({ kind: 'value', type: 'version', value: field('version') })),
  hdr: http((args, asked) => headerOf(args, asked)),
  'req.fhdr': http(([name = ''], { request }) => wholeHeader(name, request)),
  hdr_cnt: http(([name = ''], asked) => measured(asked, 'items', asked.request.header(name))),
  'req.fhdr_cnt': http(([name = ''], asked) => linesIn(name, asked)),
  hdr_val: http((args, asked) => numberOf(headerOf(args, asked))),
  hdr_ip: http((args, asked) => addressIn(headerOf(args, asked), asked)),
  cook: http(([name = ''], asked) => cookieOf(name, asked)),
  urlp: http(([name = '', , flags = ''], asked) => parameterOf(name, flags === 'i', asked)),
  urlp_val: http(([name = '', , flags = ''], asked) => numberOf(parameterOf(name, flags === 'i', asked))),
  'capture.req.uri': http((_, asked) => kept(asked, asItCame(asked.request))),
  'capture.req.method': http((_, asked) => kept(asked, field('method'))),
  'capture.req.ver': http(() => textSample(joined([text('HTTP/'), field('version')]))),
  'capture.req.hdr': http(([number = ''], asked) => textSample(asked.captures[Number(number)] ?? absent)),
};

const connectionFetches: Readonly<Record<string, Fetch>> = {
  src: (_, asked) =>
    asked.request.source === 'changed'
      ? unknownSample(asked, asked.line, 'complex', 'src', 'the source address was set from something else')
      : { kind: 'address', of: 'source' },
  dst: () => ({ kind: 'address', of: 'local' }),
  dst_port: () => ({ kind: 'value', type: 'number', value: field('localPort') }),
  src_port: () => ({ kind: 'value', type: 'number', value: field('sourcePort') }),
  ssl_fc: (_, { tls }) => flag(tls === null ? isIn(field('scheme'), is('https')) : tls ? yes : no),
  ssl_fc_sni: (_, { tls }) => textSample(tls === false ? absent : field('sni')),
  ssl_fc_has_sni: (_, { tls }) => flag(tls === false ? no : isIn(field('sni'), { kind: 'present' })),
  'req.ssl_sni': (_, asked) => hello(asked, () => textSample(field('sni'))),
  'req.ssl_hello_type': (_, asked) => hello(asked, helloType),
  'req.proto_http': http(() => flag(yes)),
  'req.payload': ([from = '', length = ''], asked) => payload(Number(from), Number(length), asked),
  fe_name: (_, { names }) => textSample(text(bytes(names.front))),
  be_name: (_, { names }) => textSample(text(bytes(names.back))),
  'req.len': (_, asked) =>
    asked.protocol === 'http' ? { kind: 'value', type: 'number', value: text('1') } : measuredBytes(asked),
};

const constants: Readonly<Record<string, Fetch>> = {
  always_true: () => flag(yes),
  always_false: () => flag(no),
  wait_end: () => flag(yes),
  str: ([value = '']) => textSample(text(bytes(value))),
  int: ([value = '']) => ({ kind: 'value', type: 'number', value: text(value) }),
  bool: ([value = '']) => flag(/^(?:true|yes|on|1)$/i.test(value) || Number(value) > 0 ? yes : no),
  env: ([name = ''], asked) => {
    const value = asked.notes.source.environment(name);
    return value === null
      ? unknownSample(asked, asked.line, 'not understood', asked.said, setIt(name))
      : textSample(text(bytes(value)));
  },
  var: ([name = ''], asked) => variableOf(name, asked),
  acl: (names, asked) => {
    const all = names.map((name) => {
      const plain = name.replace(/^!+/, '');
      const found = asked.named(plain, asked.line, asked);
      if (found === null) return null;
      return name.startsWith('!') ? meaning.not(found) : found;
    });
    const missing = all.indexOf(null);
    if (missing !== -1)
      return unknownSample(asked, asked.line, 'not understood', asked.said, `no ACL ${names[missing]}`);
    return flag(meaning.all(all.flatMap((one) => (one === null ? [] : [one]))));
  },
};

/** Fetches of which the text and the request say nothing, by how their names begin. */
const outside: readonly (readonly [RegExp, meaning.Unknown['why']])[] = [
  [/^(?:sc\d?_|src_(?!port|is)|table_|stkctr)/, 'state'],
  [
    /^(?:nbsrv|srv_|be_|fe_|queue|avg_queue|connslots|quota|act_conn|pid|proc|http_first_req|nbproc)/,
    'state',
  ],
  [/^(?:bc_|fc_|so_|lat_|thread|cpu_|last_rule|txn\.|res\.|status|scook|shdr)/, 'state'],
  [/^(?:rand|uuid|unique-id)/, 'chance'],
  [/^(?:date|date_us|hostname)$/, 'time'],
  [/^(?:http_auth|ssl_c_|ssl_f_|ssl_fc_|ssl_s_|ssl_bc_|ssl_r_|req\.ssl_|req\.rdp_cookie|req_ssl_)/, 'secret'],
  [/^(?:req\.body|body)/, 'body'],
  [/^lua\./, 'elsewhere'],
  [/^(?:req\.|body|src_is_local|dst_is_local|cook_|url|req_|base32|distcc|mqtt|fix)/, 'complex'],
];

const fetches: Readonly<Record<string, Fetch>> = { ...httpFetches, ...connectionFetches, ...constants };

export function isFetch(name: string): boolean {
  return Object.hasOwn(fetches, canonicalFetch(name));
}

export function isOutside(name: string): boolean {
  return outside.some(([names]) => names.test(name));
}

export function fetchOf({ name, args }: Call, scene: Scene, line: Line): Sample {
  const canonical = canonicalFetch(name);
  const said = args.length === 0 ? canonical : `${canonical}(${args.join(',')})`;
  const fetch = Object.hasOwn(fetches, canonical) ? fetches[canonical] : undefined;
  if (fetch !== undefined) return fetch(args, { ...scene, line, said });
  const why = outside.find(([names]) => names.test(canonical))?.[1];
  if (why === undefined)
    return unknownSample(scene, line, 'not understood', said, `the fetch "${name}" is not known`);
  return unknownSample(scene, line, why, drawn(scene, said), `"${name}" is not followed`);
}

export const setIt = (name: string) => `only the environment knows ${name}: set it there, or in the text`;

/** Methods that HAProxy keeps as numbers. */
export const wellKnownMethods: readonly string[] = [
  'OPTIONS',
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'TRACE',
  'CONNECT',
];

/** `set-method` is for the server: conditions go on seeing a well-known method as it came. */
export function askedMethod(now: meaning.Value): meaning.Value {
  if (now.kind === 'field') return now;
  const came = field('method');
  return meaning.chosen(isIn(came, { kind: 'union', of: wellKnownMethods.map(is) }), came, now);
}

/** Of several lines a condition asks each. */
function wholeHeader(name: string, request: Scene['request']): Sample {
  const several = request.hasLines(name);
  const sample = { kind: 'value', type: 'text', value: request.header(name) } as const;
  return several.kind === 'never' ? sample : { ...sample, several };
}

/** As HTTP/2 has it, with scheme and host. */
export function asWritten(url: meaning.Value): meaning.Value {
  const whole = joined([field('scheme'), text('://'), field('host'), url]);
  return meaning.chosen(isIn(field('version'), is('2.0')), whole, url);
}

/** A part of the request line as it came, where the frontend has kept that. */
function kept(asked: Asked, part: meaning.Value): Sample {
  if (asked.keepsLine === null)
    return unknownSample(
      asked,
      asked.line,
      'complex',
      asked.said,
      'its frontend may not keep the request line',
    );
  return textSample(asked.keepsLine ? part : absent);
}

export function asItCame(request: Scene['request']): meaning.Value {
  const query = field('query');
  const path = field('path');
  if (request.path.kind === 'field' && request.query.kind === 'field') return request.url;
  const none = isIn(query, { kind: 'absent' });
  return meaning.chosen(none, path, joined([path, text('?'), query]));
}

/** The first part between commas. */
export function firstOf(value: meaning.Value): meaning.Value {
  if (value.kind === 'absent' || value.kind === 'unknown') return value;
  if (value.kind === 'text' && !value.text.includes(',')) return value;
  const several = isIn(value, { kind: 'contains', text: ',', ignoreCase });
  const regex = pcre('^[ \\t]*([^,]*?)[ \\t]*(?:,|$)');
  return meaning.chosen(several, { kind: 'captured', of: value, regex, group: 1 }, value);
}

function headerOf([name = '', occurrence]: readonly string[], asked: Asked): Sample {
  const value = asked.request.header(name);
  if (occurrence === undefined || occurrence === '0' || occurrence === '')
    return { kind: 'value', type: 'text', value, list: true };
  if (occurrence === '1') return textSample(firstOf(value));
  if (occurrence === '-1') return textSample(lastOf(value));
  return unknownSample(asked, asked.line, 'complex', asked.said, 'only the first or last part is followed');
}

function cookieOf(name: string, { request }: Asked): Sample {
  const of = request.header('cookie');
  const several = isIn(of, { kind: 'matches', regex: twice(name, '[;,] *', ' *=') });
  return { kind: 'value', type: 'text', value: { kind: 'cookie', of, name }, several };
}

function parameterOf(name: string, anyCase: boolean, { request }: Asked): Sample {
  const of = request.query;
  const several = isIn(of, { kind: 'matches', regex: { ...twice(name, '[&;?]', '='), ignoreCase: anyCase } });
  const plain: meaning.Value = { kind: 'parameter', of, name, ignoreCase: anyCase };
  // `;` and a second `?` divide parameters, too.
  const divided = isIn(of, { kind: 'matches', regex: pcre('[;?]') });
  const regex = pcre(`(?:^|[&;?])${literally(name)}=([^&;?]*)`, anyCase);
  const value = meaning.chosen(divided, { kind: 'captured', of, regex, group: 1 }, plain);
  return { kind: 'value', type: 'text', value, several };
}

function twice(name: string, before: string, behind: string): meaning.Regex {
  const literal = literally(name);
  return pcre(`(?:^|${before})${literal}${behind}.*${before}${literal}${behind}`);
}

function literally(name: string): string {
  return name.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

/** Parts that are no address count for nothing. */
function addressIn(sample: Sample, asked: Asked): Sample {
  if (sample.kind !== 'value') return sample;
  const single = anAddress(asValue(sample), asked);
  return sample.list ? { ...sample, type: 'address', single } : { ...sample, type: 'address', value: single };
}

/** As a value it is known only where it is plain. */
function anAddress(of: meaning.Value, { notes, line, said }: Asked): meaning.Value {
  const octet = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
  const isPlain = isIn(of, { kind: 'matches', regex: pcre(`^${octet}(?:\\.${octet}){3}$`) });
  const other: meaning.Value = { kind: 'unknown', text: said, place: notes.place(line), why: 'complex' };
  return chosen(isIn(of, { kind: 'absent' }), absent, chosen(isPlain, of, other));
}

/** The first bytes: a request line, or those of a ClientHello. */
function payload(from: number, length: number, asked: Asked): Sample {
  if (!asked.awaited) return unknownSample(asked, asked.line, 'time', asked.said);
  if (asked.protocol === 'http' || from !== 0 || !(length > 0))
    return unknownSample(
      asked,
      asked.line,
      'complex',
      asked.said,
      'only the first bytes of a connection are followed',
    );
  const { method, url } = asked.request;
  const first = joined([method, text(' '), url, text(' HTTP/'), field('version'), text('\r\n')]);
  const request: meaning.Value = { kind: 'slice', of: first, from: 0, length };
  const value = asked.tls === true ? request : chosen(plainly, request, text('\x16'));
  return { kind: 'value', type: 'bytes', value };
}

function numberOf(sample: Sample): Sample {
  if (sample.kind !== 'value') return sample;
  return { ...sample, type: 'number' };
}

/** Lines of a header: what the client sent is taken as one. */
function linesIn(name: string, asked: Asked): Sample {
  const lines = asked.request.linesOf(name);
  if (lines.length > linesMax) {
    const why = `more than ${linesMax} lines of a header are not counted`;
    return unknownSample(asked, asked.line, 'complex', asked.said, why);
  }
  const counted = (at: number, count: number): meaning.Value => {
    const there = lines[at];
    if (there === undefined) return text(String(count));
    return chosen(there, counted(at + 1, count + 1), counted(at + 1, count));
  };
  return { kind: 'value', type: 'number', value: counted(0, 0) };
}

const linesMax = 6;

function measured(asked: Asked, by: 'length' | 'items', of: meaning.Value): Sample {
  return { kind: 'measured', by, of, text: asked.said, place: asked.notes.place(asked.line), why: 'complex' };
}

function measuredBytes(asked: Asked): Sample {
  if (asked.awaited) return { kind: 'value', type: 'number', value: text('1') };
  return unknownSample(asked, asked.line, 'time', asked.said);
}

function hello(asked: Asked, of: (asked: Asked) => Sample): Sample {
  if (asked.protocol === 'http' || asked.tls === true) return textSample(absent);
  if (!asked.awaited) return unknownSample(asked, asked.line, 'time', asked.said);
  return of(asked);
}

/** A number where the client speaks TLS. */
function helloType(): Sample {
  const tls = isIn(field('scheme'), is('https'));
  const value: meaning.Value = meaning.chosen(tls, text('1'), absent);
  return { kind: 'value', type: 'number', value };
}

/** What it holds: where no rule has set it, nothing, or what another request or program has left there. */
export function variableOf(name: string, asked: Asked): Sample {
  const known = asked.request.variables.get(name);
  if (known !== undefined) return known;
  if (asked.others) return unknownSample(asked, asked.line, 'elsewhere', asked.said);
  if (name.startsWith('proc.') || name.startsWith('sess.'))
    return unknownSample(asked, asked.line, 'state', asked.said);
  return { kind: 'value', type: 'any', value: absent };
}

/** Two samples as one: the first where the condition holds. `asRead`: a number that was read from a text, as text. */
export function chosenSample(
  when: meaning.Condition,
  then: Sample,
  otherwise: Sample,
  asRead: meaning.Value,
): Sample {
  if (when.kind === 'always') return then;
  if (then.kind === 'unknown' && otherwise.kind === 'unknown' && then.text === otherwise.text) return then;
  const isNumber = [then, otherwise].every(
    (one) => one.kind === 'bool' || (one.kind === 'value' && (one.type === 'number' || isNothing(one))),
  );
  const value: meaning.Value = meaning.chosen(when, kept(then), kept(otherwise));
  return { kind: 'value', type: isNumber ? 'number' : 'any', value };

  /** Beside what is no number nothing tells any more that it was read as one. */
  function kept(one: Sample): meaning.Value {
    return isNumber || !isReadNumber(one) ? asValue(one) : asRead;
  }
}

const isNothing = (sample: Sample) => sample.kind === 'value' && sample.value.kind === 'absent';
