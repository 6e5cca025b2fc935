import { isIP } from 'node:net';
import { meaning } from '#routing';
import type { Line } from '../own/sections.ts';
import { drawn } from './draws.ts';
import { isHttpIn, wellKnownMethods } from './fetches.ts';
import { isHollow, isTextMethod, languageOf, type Range, rangesOf } from './languages.ts';
import type { Sample } from './request.ts';
import { asValue, isFromText, isIn, isReadNumber, no, pcre, type Scene, yes } from './scene.ts';
import { bytes } from './source.ts';

type Condition = meaning.Condition;
type Language = meaning.Language;

/** What an ACL asks of a sample. */
export interface Question {
  /** As `-m` has it; null: by the sample's own type. */
  readonly method: string | null;
  readonly patterns: readonly string[];
  readonly ignoreCase: boolean;
  /** The whole question in one form. */
  readonly said: string;
  readonly line: Line;
  readonly scene: Scene;
}

/** Whether a sample is among the patterns. */
export function matchOf(sample: Sample, question: Question): Condition {
  const { scene, line, said } = question;
  if (sample.kind === 'unknown') return { ...sample, kind: 'unknown', text: drawn(scene, said) };
  const method = question.method ?? methodOf(sample);
  if (method === null) return miss(question, 'it says no matching method: add "-m str", or another');
  if (method === 'found') return found(sample);
  if (method === 'bool') return truth(sample, question);
  if (sample.kind === 'address' && method === 'ip') return from(sample.of, question);
  if (method === 'int') return numbered(sample, question);
  if (isReadNumber(sample)) {
    const why = 'a number that is read from a text is not followed as text';
    return { kind: 'unknown', ...scene.notes.unknown(line, 'complex', said, why) };
  }
  if (method === 'len') return measuredBy(question, (language) => textual(sample, language, question));
  if (method === 'ip') return address(sample, question);
  if (sample.kind === 'value' && sample.type === 'bytes') return begun(sample.value, method, question);
  if (!isTextMethod(method)) {
    const isKnown = method === 'bin';
    return isKnown
      ? { kind: 'unknown', ...scene.notes.unknown(line, 'complex', said, `-m ${method} is not followed`) }
      : miss(question, `the matching method "${method}" is not known`);
  }
  if (sample.kind === 'measured') return miss(question, 'a number is compared as text');
  if (sample.kind === 'value' && sample.type === 'method' && question.method === null)
    return meaning.all([isHttpIn(scene), amongMethods(sample.value, question)]);
  if (question.patterns.some((one) => isHollow(method, one))) {
    const why = 'what follows a value in memory decides about a pattern of delimiters alone';
    return { kind: 'unknown', ...scene.notes.unknown(line, 'complex', said, why) };
  }
  const languages = question.patterns.map((pattern) => languageOf(method, pattern, question.ignoreCase));
  return textual(sample, unionOf(languages), question);
}

/** A well-known method is compared by its number, which `set-method` leaves as it came; others by their letters. */
function amongMethods(value: meaning.Value, { patterns, ignoreCase, scene }: Question): Condition {
  const came = scene.protocol === 'http' ? meaning.field('method') : value;
  const ofKind = (isKnown: boolean): Language =>
    unionOf(
      patterns
        .filter((pattern) => wellKnownMethods.includes(pattern) === isKnown)
        .map((text) => ({ kind: 'is', text: bytes(text), ignoreCase: !isKnown && ignoreCase })),
    );
  const known: Language = {
    kind: 'union',
    of: wellKnownMethods.map((text) => ({ kind: 'is', text, ignoreCase: false })),
  };
  const byLetters = ofKind(false);
  const lettered = byLetters.kind === 'union' && byLetters.of.length === 0;
  const others = lettered ? no : meaning.all([meaning.not(isIn(came, known)), isIn(value, byLetters)]);
  const byNumber = ofKind(true);
  return byNumber.kind === 'union' && byNumber.of.length === 0
    ? others
    : meaning.some([isIn(came, byNumber), others]);
}

function miss({ scene, line, said }: Question, why: string): Condition {
  return { kind: 'unknown', ...scene.notes.unknown(line, 'not understood', said, why) };
}

function methodOf(sample: Sample): string | null {
  if (sample.kind === 'bool') return 'bool';
  if (sample.kind === 'address' || (sample.kind === 'value' && sample.type === 'address')) return 'ip';
  if (sample.kind === 'measured') return 'int';
  if (sample.kind !== 'value' || sample.type === 'any' || sample.type === 'bytes') return null;
  return sample.type === 'number' ? 'int' : 'str';
}

export function unionOf(of: readonly Language[]): Language {
  const [only] = of;
  return of.length === 1 && only !== undefined ? only : { kind: 'union', of };
}

function textual(sample: Sample, language: Language, { scene, line, said }: Question): Condition {
  if (language.kind === 'union' && language.of.length === 0) return no;
  if (sample.kind === 'value' && sample.list)
    return isIn(sample.value, { kind: 'item', separators: ',', of: language });
  const asked = isIn(asValue(sample), language);
  if (sample.kind !== 'value' || sample.several === undefined) return asked;
  const several: Condition = { kind: 'unknown', text: said, place: scene.notes.place(line), why: 'complex' };
  const { some, all, not } = meaning;
  return some([all([not(sample.several), asked]), all([sample.several, several])]);
}

/** What begins as a ClientHello does is not known any further. */
function begun(value: meaning.Value, method: string, question: Question): Condition {
  const { patterns, ignoreCase, scene, line, said } = question;
  const isBinary = method === 'bin';
  const words = patterns.map((one) => (isBinary ? Buffer.from(one, 'hex').toString('latin1') : one));
  const isPlain = isBinary
    ? patterns.every((one) => /^(?:[0-9a-f]{2})+$/i.test(one))
    : /^(?:str|beg)$/.test(method);
  if (!isPlain || words.some((one) => one === '' || one.startsWith('\x16'))) {
    const why = `-m ${method} is not followed here`;
    return { kind: 'unknown', ...scene.notes.unknown(line, 'complex', said, why) };
  }
  const by = isBinary ? 'str' : method;
  return isIn(value, unionOf(words.map((one) => languageOf(by, one, ignoreCase))));
}

export function found(sample: Sample): Condition {
  switch (sample.kind) {
    case 'bool':
      return sample.found ?? yes;
    case 'address':
      return yes;
    case 'measured':
      return sample.by === 'length' ? isIn(sample.of, { kind: 'present' }) : yes;
    case 'unknown':
      return sample;
    case 'value':
      return isIn(sample.value, { kind: 'present' });
  }
}

const zero: Range = { min: 0, max: 0 };

export function truth(sample: Sample, question: Question): Condition {
  if (sample.kind === 'bool') return sample.when;
  if (sample.kind === 'address') return yes;
  return meaning.all([found(sample), meaning.not(inRanges(sample, [zero], question))]);
}

function numbered(sample: Sample, question: Question): Condition {
  const ranges = rangesOf(question.patterns);
  if (ranges === null) return miss(question, 'a pattern is no number and no range');
  return ranges.length === 0 ? no : inRanges(sample, ranges, question);
}

function inRanges(sample: Sample, ranges: readonly Range[], question: Question): Condition {
  if (sample.kind === 'measured') return meaning.some(ranges.map((range) => measuredIn(sample, range)));
  const value = asValue(sample);
  const numbers = unionOf(ranges.map((range) => ({ kind: 'number', ...range })));
  const isExact =
    sample.kind === 'bool' || (sample.kind === 'value' && ['field', 'text', 'chosen'].includes(value.kind));
  if (isExact && !(sample.kind === 'value' && isFromText(value))) return isIn(value, numbers);
  const digits: meaning.Value = { kind: 'captured', of: value, regex: pcre('^(-?[0-9]+)'), group: 1 };
  const isZero = ranges.some(({ min, max }) => (min ?? 0) <= 0 && (max ?? 0) >= 0);
  const { some, all, not } = meaning;
  const none = all([isIn(value, { kind: 'present' }), isIn(digits, { kind: 'absent' })]);
  const asked = some([isIn(digits, numbers), isZero ? none : no]);
  const raw = sample.kind === 'value' ? sample.value : value;
  const odd = isIn(raw, { kind: 'matches', regex: oddNumber });
  const strange: Condition = {
    kind: 'unknown',
    text: question.said,
    place: question.scene.notes.place(question.line),
    why: 'complex',
  };
  return some([all([not(odd), asked]), all([odd, strange])]);
}

/** What is no digit is counted into a number by its code, as far as that is below theirs; several are each asked. */
const oddNumber = pcre('^-?[0-9]*[^0-9:-\\x7f]|,');

function measuredIn(sample: Extract<Sample, { kind: 'measured' }>, { min, max }: Range): Condition {
  if (sample.by === 'length') {
    if (max !== null && max < 0) return no;
    const language: Language = { kind: 'length', min: Math.max(0, min ?? 0), max };
    return isIn(sample.of, sample.list ? { kind: 'item', separators: ',', of: language } : language);
  }
  const upper = max === null ? yes : meaning.not(atLeast(sample.of, max + 1));
  return meaning.all([min === null ? yes : atLeast(sample.of, min), upper]);
}

const partsMax = 100;

/** Empty parts count, too. */
function atLeast(value: meaning.Value, count: number): Condition {
  if (count <= 0) return yes;
  if (count === 1) return isIn(value, { kind: 'present' });
  if (count > partsMax) return no;
  return isIn(value, { kind: 'matches', regex: pcre(`(?:[^,]*,){${count - 1}}`) });
}

function measuredBy(question: Question, of: (language: Language) => Condition): Condition {
  const ranges = rangesOf(question.patterns);
  if (ranges === null) return miss(question, 'a pattern is no length and no range');
  const asked = ranges.flatMap((range) => unsigned(range) ?? []);
  return of(unionOf(asked.map(({ min, max }) => ({ kind: 'length', min: min ?? 0, max }))));
}

/** A length is compared without a sign (`pat_match_len`): what is below zero is more than any. Null: nothing is in it. */
function unsigned({ min, max }: Range): Range | null {
  if (min !== null && min < 0) return null;
  return max !== null && max < 0 ? { min, max: null } : { min, max };
}

function from(of: 'source' | 'local', question: Question): Condition {
  const networks = question.patterns.map(networkOf);
  const bad = networks.indexOf(null);
  if (bad !== -1) return named(question, question.patterns[bad] ?? '');
  const known = networks.flatMap((one) => (one === null ? [] : [one]));
  if (known.length === 0) return no;
  if (of === 'source') return { kind: 'from', networks: known };
  return amongAddresses(meaning.field('localAddress'), known, question);
}

function named(question: Question, name: string): Condition {
  const { scene, line, said } = question;
  const why = `"${name}" is no address and no network: the name is asked for when the engine starts`;
  return { kind: 'unknown', ...scene.notes.unknown(line, 'complex', said, why) };
}

function amongAddresses(
  value: meaning.Value,
  networks: readonly string[],
  { scene, line, said }: Question,
): Condition {
  const languages = networks.map(addressesOf);
  if (!languages.includes(null)) return isIn(value, unionOf(languages.flatMap((one) => (one ? [one] : []))));
  const why = 'only whole addresses, and networks of whole numbers, are followed here';
  return { kind: 'unknown', ...scene.notes.unknown(line, 'complex', said, why) };
}

function addressesOf(network: string): Language | null {
  const [address = '', bits] = network.split('/');
  if (bits === undefined) return { kind: 'is', text: address, ignoreCase: true };
  const whole = Number(bits) / 8;
  if (isIP(address) !== 4 || !Number.isInteger(whole)) return null;
  const fixed = address.split('.').slice(0, whole);
  const rest = Array.from({ length: 4 - whole }, () => '[0-9]{1,3}');
  return { kind: 'matches', regex: pcre(`^${[...fixed, ...rest].join('\\.')}$`) };
}

function address(sample: Sample, question: Question): Condition {
  const networks = question.patterns.map(networkOf);
  const bad = networks.indexOf(null);
  if (bad !== -1) return named(question, question.patterns[bad] ?? '');
  const known = networks.flatMap((one) => (one === null ? [] : [one]));
  if (sample.kind === 'value' && sample.type === 'address') return amongListed(sample, known, question);
  return amongAddresses(asValue(sample), known, question);
}

/** Addresses in a header, as a client writes them: of IPv6, which has many ways to be written, nothing is said. */
function amongListed(sample: Sample, networks: readonly string[], question: Question): Condition {
  const version4 = networks.filter((one) => !one.includes(':'));
  const regex = pcre(`^(?:${version4.map(writtenOf).join('|')})${portOrNone}$`);
  const asked = version4.length === 0 ? no : textual(sample, { kind: 'matches', regex }, question);
  const { scene, line, said } = question;
  const unknown: Condition = { kind: 'unknown', text: said, place: scene.notes.place(line), why: 'complex' };
  const isVersion6 = textual(sample, { kind: 'matches', regex: pcre(':.*:') }, question);
  return meaning.some([asked, meaning.all([isVersion6, unknown])]);
}

/** Octets of decimal digits, with zeros before them or not. */
function writtenOf(network: string): string {
  const [address = '', bits = '32'] = network.split('/');
  const octets = address.split('.').map((octet, index) => {
    const free = 2 ** Math.min(8, Math.max(0, 8 * (index + 1) - Number(bits)));
    const first = Number(octet) - (Number(octet) % free);
    const all = Array.from({ length: free }, (_, at) => first + at);
    return free === 256 ? anyOctet : `0*(?:${all.join('|')})`;
  });
  return octets.join('\\.');
}

const portOrNone =
  '(?::(?:-0+|0*(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])))?';

const anyOctet = '0*(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[0-9]{1,2})';

/** `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, an address. The bits behind the mask do not count. Null: a name. */
export function networkOf(text: string): string | null {
  const [address = '', mask] = text.split('/');
  const plain = address.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(plain);
  if (family === 0) return /^\d+(?:\.\d+){0,2}$/.test(plain) ? networkOf(padded(plain, mask)) : null;
  if (mask === undefined) return bytes(plain);
  const bits = /^\d+$/.test(mask) ? Number(mask) : bitsOf(mask);
  const most = family === 4 ? 32 : 128;
  if (bits === null || bits > most) return null;
  return bits === most ? plain : `${plain}/${bits}`;
}

/** As `inet_aton` reads it, by which names are looked up: the last number is the end, so that `10/8` is `0.0.0.10/8`. */
function padded(plain: string, mask: string | undefined): string {
  const parts = plain.split('.');
  const last = Number(parts.pop());
  const places = 4 - parts.length;
  const end = Array.from({ length: places }, (_, at) => Math.floor(last / 256 ** (places - 1 - at)) % 256);
  const whole = [...parts, ...end].join('.');
  return mask === undefined ? whole : `${whole}/${mask}`;
}

function bitsOf(mask: string): number | null {
  if (isIP(mask) !== 4) return null;
  const bits = mask.split('.').map((part) => Number(part).toString(2).padStart(8, '0'));
  const [, ones] = /^(1*)0*$/.exec(bits.join('')) ?? [];
  return ones === undefined ? null : ones.length;
}
