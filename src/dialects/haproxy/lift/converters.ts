import { meaning } from '#routing';
import type { Line } from '../own/sections.ts';
import { type Expression, textOfExpression } from './expression.ts';
import { fetchOf } from './fetches.ts';
import { networksOf, tableOf } from './lists.ts';
import { found, truth } from './match.ts';
import type { Sample } from './request.ts';
import { asValue, isIn, isReadNumber, pcre, type Scene, textSample, unknownSample } from './scene.ts';
import { bytes } from './source.ts';
import { templateOf } from './template.ts';

type Value = meaning.Value;
const { absent, chosen, joined, text } = meaning;

interface Given {
  readonly args: readonly string[];
  readonly scene: Scene;
  readonly line: Line;
  /** The expression up to and with this converter. */
  readonly said: string;
}
type Converter = (value: Value, given: Given) => Value | null;

/** Text to text. What is here commutes with commas or not: `bytewise` does. */
const bytewise: Readonly<Record<string, Converter>> = {
  lower: (of) => ({ kind: 'lower', of }),
  upper: (of) => ({ kind: 'upper', of }),
};

/** A `%` without two digits makes nothing of the whole. */
const decodable = pcre('^(?:[^%]|%[0-9A-Fa-f]{2})*$');

const converters: Readonly<Record<string, Converter>> = {
  ...bytewise,
  field: (of, { args: [number = '', separators = '', count] }) =>
    count === undefined ? { kind: 'part', of, separators: bytes(separators), number: Number(number) } : null,
  regsub: (of, { args: [source = '', by = '', flags = ''] }) => ({
    kind: 'replaced',
    of,
    regex: pcre(source, flags.includes('i')),
    every: flags.includes('g'),
    by: templateOf(by),
  }),
  word: (of, { args: [number = '', separators = '', count] }) =>
    count === undefined && /^-?[1-9]\d?$/.test(number) && separators !== ''
      ? word(of, Number(number), separators)
      : null,
  host_only: (of) => ({
    kind: 'replaced',
    of: { kind: 'lower', of },
    regex: pcre(':[0-9]*$'),
    every: false,
    by: [],
  }),
  url_dec: (of, { args: [form = '0'] }) =>
    /^\d+$/.test(form)
      ? chosen(isIn(of, { kind: 'matches', regex: decodable }), decoded(of, Number(form) !== 0), absent)
      : null,
  bytes: (of, { args: [from = '', length] }) =>
    /^\d+$/.test(from)
      ? { kind: 'slice', of, from: Number(from), length: length === undefined ? null : Number(length) }
      : null,
  concat: (of, given) => concatenated(of, given),
  ltrim: (of, { args: [chars = ''] }) => trimmed(of, `^[${inClass(chars)}]+`),
  rtrim: (of, { args: [chars = ''] }) => trimmed(of, `[${inClass(chars)}]+$`),
  ...Object.fromEntries(
    ['str', 'beg', 'end', 'sub', 'dir', 'dom', 'reg', 'regm'].map((method) => [
      `map_${method}`,
      (of: Value, given: Given) => mapped(of, method, given),
    ]),
  ),
  map: (of, given) => mapped(of, 'str', given),
};

/** Kept as they are: types of HAProxy, not values. */
const nothing = new Set(['str', 'ipmask32']);

const known =
  /^(?:add|sub|mul|div|mod|neg|and|or|xor|cpl|not|bool|even|odd|hex|hex2i|base64|b64dec|ub64enc|ub64dec|sha1|sha2|md5|crc32c?|djb2|sdbm|wt6|xxh\d+|hmac|digest|json|json_query|jwt_.*|ipmask|language|utime|ltime|http_date|word|url_enc|table_.*|in_table|map_.*|iif|length|strcmp|capture-req|debug|da-csv-conv|nbsrv|srv_queue|protobuf|mqtt_.*|fix_.*|param|rfc7239_.*|add_item|set-var|unset-var|secure_memcmp|aes_gcm_dec|be2dec|be2hex|bitset|x509_.*|when|port_only|host_only|ungrpc|c14n|sub)$/;

export function sampleOf(expression: Expression, scene: Scene, line: Line): Sample {
  let sample = fetchOf(expression.fetch, scene, line);
  expression.converters.forEach(({ name, args }, index) => {
    const so = { fetch: expression.fetch, converters: expression.converters.slice(0, index + 1) };
    sample = converted(sample, name, { args, scene, line, said: textOfExpression(so) });
  });
  return sample;
}

function converted(sample: Sample, name: string, given: Given): Sample {
  const { scene, line, said } = given;
  if (sample.kind === 'unknown') return { ...sample, text: said };
  if (isReadNumber(sample) && !['not', 'bool'].includes(name) && !nothing.has(name)) {
    const why = 'a number that is read from a text is not followed here';
    return unknownSample(scene, line, 'complex', said, why);
  }
  if (name === 'length') return measuredLength(sample, given);
  if (name === 'not' || name === 'bool') return truthOf(sample, name === 'not', given);
  if (nothing.has(name)) return sample;
  if (/^map_ip(?:_str)?$/.test(name) && sample.kind === 'address' && sample.of === 'source')
    return byNetwork(given);
  const constant = calculated(sample, name, given);
  if (constant !== null) return constant;
  const convert = Object.hasOwn(converters, name) ? converters[name] : undefined;
  if (sample.kind === 'value' && sample.list && Object.hasOwn(bytewise, name)) {
    const value = convert?.(sample.value, given);
    return value ? { ...sample, value } : sample;
  }
  const value = convert?.(asValue(sample), given) ?? null;
  if (value === null) {
    const isKnown = known.test(name) || convert !== undefined;
    return isKnown
      ? unknownSample(scene, line, 'complex', said, `the converter "${name}" is not followed`)
      : unknownSample(scene, line, 'not understood', said, `the converter "${name}" is not known`);
  }
  const several = severalOf(sample);
  return several === null ? textSample(value) : { kind: 'value', type: 'text', value, several };
}

/** What is not there, or no number, is neither true nor false. */
function truthOf(sample: Sample, isNegated: boolean, { scene, line, said }: Given): Sample {
  const question = { method: 'bool', patterns: [], ignoreCase: false, said, line, scene };
  const isText = sample.kind === 'value' && sample.type !== 'number';
  const there = isText ? isIn(asValue(sample), { kind: 'length', min: 1, max: null }) : found(sample);
  const asked = truth(sample, question);
  const when = meaning.all([there, isNegated ? meaning.not(asked) : asked]);
  const several = severalOf(sample);
  if (several === null) return { kind: 'bool', when, found: there };
  const unknown: meaning.Condition = {
    kind: 'unknown',
    text: said,
    place: scene.notes.place(line),
    why: 'complex',
  };
  const both = [meaning.all([meaning.not(several), when]), meaning.all([several, unknown])];
  return { kind: 'bool', when: meaning.some(both), found: there };
}

/** `map_ip`: the longest network that the client's address is in. */
function byNetwork({ args: [file = '', otherwise], scene, line, said }: Given): Sample {
  const networks = networksOf(file, scene.notes);
  if (networks === null)
    return unknownSample(scene, line, 'not understood', said, `${file} cannot be read as networks`);
  if (networks.length > networksMax)
    return unknownSample(scene, line, 'complex', said, `${file} has more than ${networksMax} networks`);
  const none = otherwise === undefined ? meaning.absent : text(bytes(otherwise));
  const from = (network: string): meaning.Condition => ({ kind: 'from', networks: [network] });
  const value = networks.reduceRight<Value>(
    (rest, { network, text: then }) => meaning.chosen(from(network), text(then), rest),
    none,
  );
  return textSample(value);
}

const networksMax = 200;

/** A condition would ask each part; what was made of them is made of the last one only. */
function severalOf(sample: Sample): meaning.Condition | null {
  if (sample.kind !== 'value') return null;
  if (sample.several !== undefined) return sample.several;
  return sample.list ? isIn(sample.value, { kind: 'contains', text: ',', ignoreCase: false }) : null;
}

function measuredLength(sample: Sample, { scene, line, said }: Given): Sample {
  return {
    kind: 'measured',
    by: 'length',
    ...(sample.kind === 'value' && sample.list
      ? { of: sample.value, list: true as const }
      : { of: asValue(sample) }),
    text: said,
    place: scene.notes.place(line),
    why: 'complex',
  };
}

const arithmetic: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => (b === 0n ? 9_223_372_036_854_775_807n : a / b),
  mod: (a, b) => (b === 0n ? 0n : a % b),
};

/** Numbers that the text itself gives. */
function calculated(sample: Sample, name: string, { args: [by = ''] }: Given): Sample | null {
  const of = arithmetic[name];
  if (of === undefined || sample.kind !== 'value' || sample.value.kind !== 'text') return null;
  if (!/^-?\d{1,18}$/.test(by) || !/^-?\d{1,18}$/.test(sample.value.text)) return null;
  const value = text(String(of(BigInt(sample.value.text), BigInt(by))));
  return { kind: 'value', type: 'number', value };
}

function concatenated(of: Value, { args: [before = '', name = '', behind = ''], scene, line }: Given): Value {
  const call = { name: 'var', args: [name] };
  const middle = name === '' ? text('') : asValue(fetchOf(call, scene, line));
  return joined([of, text(bytes(before)), middle, text(bytes(behind))]);
}

/** A plus is a space in a form; elsewhere only behind a question mark. */
function decoded(of: Value, isForm: boolean): Value {
  const whole: Value = { kind: 'decoded', of, plusIsSpace: isForm };
  if (isForm || isPath(of)) return whole;
  const before: Value = { kind: 'part', of, separators: '?', number: 1 };
  const behind: Value = { kind: 'captured', of, regex: pcre('^[^?]*(\\?(?s:.*))$'), group: 1 };
  const parts: readonly Value[] = [
    { kind: 'decoded', of: before, plusIsSpace: false },
    { kind: 'decoded', of: behind, plusIsSpace: true },
  ];
  return chosen(isIn(of, { kind: 'contains', text: '?', ignoreCase: false }), joined(parts), whole);
}

const isPath = (of: Value): boolean => of.kind === 'field' && of.field.kind === 'path';

/** The n-th run of other bytes, from the end when negative: separators beside each other are one. */
function word(of: Value, number: number, separators: string): Value {
  const chars = inClass(separators);
  const [one, between] = [`[^${chars}]+`, `[${chars}]+`];
  const others = `(?:${one}${between}){${Math.abs(number) - 1}}`;
  const behind = `(?:${between}${one}){${Math.abs(number) - 1}}`;
  const source = number > 0 ? `^[${chars}]*${others}(${one})` : `(${one})${behind}[${chars}]*$`;
  const found: Value = { kind: 'captured', of, regex: pcre(source), group: 1 };
  // Where there is no such word, it is an empty one.
  const orNothing: Value = { kind: 'orElse', of: found, otherwise: text('') };
  return isThere(of) ? orNothing : chosen(isIn(of, { kind: 'present' }), orNothing, absent);
}

function trimmed(of: Value, source: string): Value {
  return { kind: 'replaced', of, regex: pcre(source), every: false, by: [] };
}

function inClass(chars: string): string {
  return bytes(chars).replaceAll(/[\\\]^-]/g, '\\$&');
}

function mapped(
  of: Value,
  method: string,
  { args: [file = '', otherwise], scene, line, said }: Given,
): Value {
  const table = tableOf(file, method, scene.notes, line);
  if (table === null) {
    const unknown = scene.notes.unknown(line, 'not understood', said, `${file} cannot be read`);
    return { kind: 'unknown', ...unknown };
  }
  const fallback = otherwise === undefined ? absent : text(bytes(otherwise));
  const found: Value = { kind: 'mapped', of, cases: table, otherwise: fallback };
  // Of nothing nothing is made, not even what stands for keys that are not in the map.
  return otherwise === undefined || isThere(of)
    ? found
    : chosen(isIn(of, { kind: 'present' }), found, absent);
}

/** Whether every request has it. */
function isThere(of: Value): boolean {
  if (of.kind === 'lower' || of.kind === 'upper') return isThere(of.of);
  if (of.kind === 'text' || of.kind === 'joined') return true;
  return of.kind === 'field' && !['header', 'host', 'query', 'sni'].includes(of.field.kind);
}
