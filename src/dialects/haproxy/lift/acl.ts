import { meaning } from '#routing';
import type { Line, Section } from '../own/sections.ts';
import type { Word } from '../own/words.ts';
import { sampleOf } from './converters.ts';
import { isDrawn } from './draws.ts';
import { type Call, expressionOf, textOfExpression } from './expression.ts';
import { canonicalFetch, isFetch, isOutside, setIt } from './fetches.ts';
import { listOf } from './lists.ts';
import { matchOf } from './match.ts';
import { no, type Scene, yes } from './scene.ts';
import { textOf } from './source.ts';

type Condition = meaning.Condition;

/** Conditions that every text has without saying so (`acl.c`). */
const builtIn: Readonly<Record<string, readonly string[]>> = {
  TRUE: ['always_true'],
  FALSE: ['always_false'],
  LOCALHOST: ['src', '127.0.0.1/8', '::1'],
  HTTP: ['req.proto_http'],
  'HTTP_1.0': ['req.ver', '1.0'],
  'HTTP_1.1': ['req.ver', '1.1'],
  'HTTP_2.0': ['req.ver', '2.0'],
  METH_GET: ['method', 'GET', 'HEAD'],
  ...Object.fromEntries(
    ['CONNECT', 'DELETE', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'TRACE'].map((method) => [
      `METH_${method}`,
      ['method', method],
    ]),
  ),
  HTTP_URL_ABS: ['url_reg', '^[^/:]*://'],
  HTTP_URL_SLASH: ['url_beg', '/'],
  HTTP_URL_STAR: ['url', '*'],
  HTTP_CONTENT: ['hdr_val(content-length)', 'gt', '0'],
  RDP_COOKIE: ['req.rdp_cookie_cnt', 'gt', '0'],
  REQ_CONTENT: ['req.len', 'gt', '0'],
  WAIT_END: ['wait_end'],
};

const plain = (value: string): Word => ({ value, start: 0, end: 0, unknown: [] });

/** A section's `acl` lines by name. A name may have several lines, and lines of one name may stand anywhere. */
export class Acls {
  readonly #lines = new Map<string, Line[]>();
  readonly #known = new Map<string, { readonly version: number; readonly condition: Condition }>();
  readonly #open = new Set<string>();

  constructor(sections: readonly Section[]) {
    for (const line of sections.flatMap(({ lines }) => lines)) {
      const [keyword, name] = line.words;
      if (keyword?.value !== 'acl' || name === undefined) continue;
      const lines = this.#lines.get(name.value);
      if (lines === undefined) this.#lines.set(name.value, [line]);
      else lines.push(line);
    }
  }

  /** What a name stands for where the scene is now; null: nothing has that name. */
  named(name: string, scene: Scene): Condition | null {
    const lines = this.#lines.get(name);
    const own = Object.hasOwn(builtIn, name) ? builtIn[name] : undefined;
    if (lines === undefined && own === undefined) return null;
    const { version } = scene.request;
    const before = this.#known.get(name);
    if (before?.version === version) return before.condition;
    if (this.#open.has(name)) return no;
    this.#open.add(name);
    const condition =
      lines === undefined
        ? askedOf((own ?? []).map(plain), scene, {
            number: 0,
            words: [],
            conditional: false,
            environment: new Map(),
          })
        : meaning.some(lines.map((line) => this.#lineOf(line, scene)));
    this.#open.delete(name);
    if (!isDrawn(condition)) this.#known.set(name, { version, condition });
    return condition;
  }

  #lineOf(line: Line, scene: Scene): Condition {
    return askedOf(line.words.slice(2), scene, line);
  }

  /** The text of what a name stands for, so that a setting which uses it shows its changes. */
  textOf(name: string): string | null {
    const lines = this.#lines.get(name);
    return lines === undefined ? null : lines.map(({ words }) => textOf(words.slice(2))).join(' | ');
  }
}

const suffixes = /^(.*)_(beg|dir|dom|end|len|reg|sub)$/;

/** `path_beg -i /a /b`: what a line or an anonymous condition asks. */
export function askedOf(words: readonly Word[], scene: Scene, line: Line): Condition {
  const said = textOf(words);
  const unset = words.flatMap(({ unknown }) => unknown);
  const [name = ''] = unset;
  if (unset.length > 0 || line.conditional) {
    const why = unset.length > 0 ? setIt(name) : 'whether the .if holds is not known';
    return { kind: 'unknown', ...scene.notes.unknown(line, 'not understood', said, why) };
  }
  const [first, ...rest] = words.map(({ value }) => value);
  const expression = expressionOf(first ?? '');
  if (expression === null) return bad(scene, line, said, `"${first ?? ''}" is no sample`);
  const { fetch, method } = methodOfKeyword(expression.fetch);
  const flags = flagsOf(rest, scene);
  if (typeof flags === 'string') return bad(scene, line, said, flags);
  const isConverted = expression.converters.length > 0;
  const sample = sampleOf({ ...expression, fetch }, scene, line);
  const canonical = textOfExpression({
    ...expression,
    fetch: { ...expression.fetch, name: canonicalFetch(expression.fetch.name) },
  });
  return matchOf(sample, {
    method: flags.method ?? (isConverted ? null : method),
    patterns: flags.patterns,
    ignoreCase: flags.ignoreCase,
    said: [canonical, ...rest].join(' '),
    line,
    scene,
  });
}

function bad(scene: Scene, line: Line, said: string, why: string): Condition {
  return { kind: 'unknown', ...scene.notes.unknown(line, 'not understood', said, why) };
}

/** `path_beg` is `path -m beg`, unless it is a fetch of its own. */
function methodOfKeyword(fetch: Call): { readonly fetch: Call; readonly method: string | null } {
  if (isFetch(fetch.name)) return { fetch, method: null };
  const [, name, method] = suffixes.exec(fetch.name) ?? [];
  if (name === undefined || method === undefined) return { fetch, method: null };
  if (!isFetch(name) && !isOutside(name)) return { fetch, method: null };
  return { fetch: { ...fetch, name }, method };
}

interface Flags {
  readonly method: string | null;
  readonly ignoreCase: boolean;
  readonly patterns: readonly string[];
}

/** A text says what is wrong with them. */
function flagsOf(words: readonly string[], { notes }: Scene): Flags | string {
  let method: string | null = null;
  let ignoreCase = false;
  let asMap = false;
  const patterns: string[] = [];
  let at = 0;
  for (; words[at]?.startsWith('-'); at += 1) {
    const [word = '', next = ''] = words.slice(at, at + 2);
    if (word === '--') {
      at += 1;
      break;
    }
    if (/^-\d/.test(word)) return `"${word}" is no flag: "--" before a pattern that begins with "-"`;
    if (word === '-i') ignoreCase = true;
    else if (word === '-M') asMap = true;
    else if (word === '-n') continue;
    else if (word === '-m' || word === '-f' || word === '-u') {
      at += 1;
      if (word === '-m') method = next;
      if (word !== '-f') continue;
      const listed = listOf(next, asMap, notes);
      if (listed === null) return `${next} cannot be read`;
      for (const pattern of listed) patterns.push(pattern);
    } else return `the flag "${word}" is not known`;
  }
  return { method, ignoreCase, patterns: [...patterns, ...words.slice(at)] };
}

/** `if A !B || { path / }`, `unless ...`, or nothing. Words up to the end of the line. */
export function conditionOf(words: readonly Word[], line: Line, scene: Scene): Condition {
  const [first] = words;
  if (line.conditional) {
    const why = 'whether the .if holds is not known';
    return { kind: 'unknown', ...scene.notes.unknown(line, 'not understood', textOf(words), why) };
  }
  if (first === undefined) return yes;
  const { byLine } = scene.notes.shared;
  const from = line.words.length - words.length;
  const isShared = isAsItCame(scene);
  const known = isShared ? byLine.get(line.words) : undefined;
  if (known?.from === from) return known.condition;
  if (first.value !== 'if' && first.value !== 'unless')
    return bad(scene, line, textOf(words), `"${first.value}" is not expected here`);
  const { condition, isPlain } = suitesOf(words.slice(1), line, scene);
  const asked = first.value === 'if' ? condition : meaning.not(condition);
  if (isShared && isPlain) byLine.set(line.words, { from, condition: asked });
  return asked;
}

const isAsItCame = ({ protocol, request }: Scene): boolean => protocol === 'http' && request.isAsItCame;

const plainFetch =
  /^(?:(?:req\.)?hdr(?:_beg|_dir|_dom|_end|_reg|_sub)?\([\w-]+\)|path(?:_beg|_dir|_dom|_end|_reg|_sub)?|method)$/;

function hasUnknown(condition: Condition): boolean {
  switch (condition.kind) {
    case 'all':
    case 'some':
      return condition.of.some(hasUnknown);
    case 'not':
      return hasUnknown(condition.of);
    default:
      return condition.kind === 'unknown';
  }
}

/** `isPlain`: it follows from its words alone, if the request is as it came. */
function suitesOf(
  words: readonly Word[],
  line: Line,
  scene: Scene,
): { readonly condition: Condition; readonly isPlain: boolean } {
  const { shared } = scene.notes;
  const suites: Condition[] = [];
  let terms: Condition[] = [];
  let isNegated = false;
  let isPlain = true;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at]?.value ?? '';
    if (/^(?:or|\|\|)$/i.test(word)) {
      suites.push(shared.wholes.of(terms));
      terms = [];
      continue;
    }
    const [, marks = '', name = ''] = /^(!*)(.*)$/s.exec(word) ?? [];
    if (marks.length % 2 === 1) isNegated = !isNegated;
    if (name === '') continue;
    let term: Condition;
    if (name === '{') {
      const end = words.findIndex(({ value }, index) => index > at && value === '}');
      if (end === -1)
        return { condition: bad(scene, line, textOf(words), 'a "{" without its "}"'), isPlain: false };
      term = anonymous(words.slice(at + 1, end), scene, line);
      isPlain &&= shared.plain.has(term);
      at = end;
    } else {
      term =
        scene.named(name, line, scene) ?? bad(scene, line, name, `no ACL "${name}" stands in this section`);
      isPlain = false;
    }
    terms.push(isNegated ? meaning.not(term) : term);
    isNegated = false;
  }
  return { condition: meaning.some([...suites, shared.wholes.of(terms)]), isPlain };
}

/**
 * `{ path /a }`. About a request as it came the same words ask the same, wherever they stand, and thousands of rules may ask
 * for the same few hosts. What is not understood is told at each line.
 */
function anonymous(words: readonly Word[], scene: Scene, line: Line): Condition {
  const { notes } = scene;
  const { conditions, plain } = notes.shared;
  if (!isPlainTerm(words) || !isAsItCame(scene)) return askedOf(words, scene, line);
  const text = words.map(({ value }) => value).join('\0');
  const known = conditions.get(text);
  if (known) return known;
  const missed = notes.notUnderstood.length;
  const condition = askedOf(words, scene, line);
  if (notes.notUnderstood.length > missed || hasUnknown(condition)) return condition;
  conditions.set(text, condition);
  // Others may come to what always or never holds, too.
  if (condition.kind !== 'always' && condition.kind !== 'never') plain.add(condition);
  return condition;
}

/** About the request alone: no list, no variable of the environment. */
function isPlainTerm(words: readonly Word[]): boolean {
  return (
    plainFetch.test(words[0]?.value ?? '') &&
    words.every(({ value, unknown }) => unknown.length === 0 && value !== '-f' && !value.includes('\0'))
  );
}
