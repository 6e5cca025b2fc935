import { meaning } from '#routing';

type Value = meaning.Value;
type Condition = meaning.Condition;
const { absent, field, header } = meaning;

/** A sample: what a fetch and its converters give. */
export type Sample =
  | {
      readonly kind: 'value';
      /** `bytes`: of a ClientHello only the first is told. */
      readonly type: 'text' | 'number' | 'method' | 'version' | 'any' | 'address' | 'bytes';
      readonly value: Value;
      /** Asked by a condition, each part between commas counts; elsewhere the last one. */
      readonly list?: true;
      /** What it is elsewhere, where that is not the last part as it stands. */
      readonly single?: Value;
      /** Where it is more than one value: a condition asks each, and nothing here says so. */
      readonly several?: Condition;
    }
  /** Absent, and then false, unless `found`. */
  | { readonly kind: 'bool'; readonly when: Condition; readonly found?: Condition }
  | { readonly kind: 'address'; readonly of: 'source' | 'local' }
  /** A number that conditions may ask for; elsewhere it is too much. */
  | ({
      readonly kind: 'measured';
      readonly by: 'length' | 'items';
      readonly of: Value;
      readonly list?: true;
    } & meaning.Unknown)
  | ({ readonly kind: 'unknown' } & meaning.Unknown);

/** A header: what came or was set, the lines that rules have added to it, and all of them as one value. */
interface HeaderLines {
  readonly first: Value;
  readonly added: readonly AddedLine[];
  readonly whole: Value;
}
type Names = (name: string) => boolean;
interface AddedLine {
  readonly value: Value;
  readonly when: Condition;
}

function linesOf(first: Value, added: readonly AddedLine[]): HeaderLines {
  const kept = added.filter(({ when }) => when.kind !== 'never');
  const whole = kept.reduce((before, { value, when }) => chosen(when, both(before, value), before), first);
  return { first, added: kept, whole };
}

const without = (lines: readonly AddedLine[], when: Condition): readonly AddedLine[] =>
  lines.map((line) => ({ ...line, when: meaning.all([line.when, meaning.not(when)]) }));

function both(before: Value, value: Value): Value {
  const none: Condition = { kind: 'in', value: before, language: { kind: 'absent' } };
  return chosen(none, value, meaning.joined([before, meaning.text(', '), value]));
}

/** A request under way: each part as a function of the request as it came. */
export class Request {
  method: Value = field('method');
  path: Value = field('path');
  query: Value = field('query');
  host: Value = field('host');
  /** Null: what `src` is from here on, nobody can say. */
  source: 'as it came' | 'changed' = 'as it came';
  readonly variables: Map<string, Sample>;
  readonly #headers: Map<string, HeaderLines>;
  readonly #removed: { readonly names: Names; readonly when: Condition; readonly instead: Value }[] = [];
  /** Counts what was changed: what was found out before a change is not asked again behind it. */
  version = 0;

  constructor(variables: ReadonlyMap<string, Sample> = new Map()) {
    this.variables = new Map(variables);
    this.#headers = new Map();
  }

  copy(): Request {
    const copy = new Request(this.variables);
    copy.method = this.method;
    copy.path = this.path;
    copy.query = this.query;
    copy.host = this.host;
    copy.source = this.source;
    for (const [name, value] of this.#headers) copy.#headers.set(name, value);
    copy.#removed.push(...this.#removed);
    return copy;
  }

  /** No rule has changed what a client says of method, address and headers. */
  get isAsItCame(): boolean {
    const { method, path, query, host } = this;
    const are = (value: Value, kind: string) => value.kind === 'field' && value.field.kind === kind;
    return (
      this.#headers.size + this.#removed.length === 0 &&
      are(method, 'method') &&
      are(path, 'path') &&
      are(query, 'query') &&
      are(host, 'host')
    );
  }

  /** The path with its query, whatever rules have made of them. */
  get url(): Value {
    return withQuery(this.path, this.query);
  }

  /** The path as rules find it: one that does not begin with a slash is none. */
  get foundPath(): Value {
    return chosen(this.#isPath(), this.path, absent);
  }

  get foundUrl(): Value {
    return chosen(this.#isPath(), this.url, absent);
  }

  #isPath(): Condition {
    if (isSlashed(this.path)) return meaning.always;
    return { kind: 'in', value: this.path, language: { kind: 'begins', text: '/', ignoreCase: false } };
  }

  header(name: string): Value {
    const lower = name.toLowerCase();
    if (lower === 'host') return this.host;
    return this.#linesOf(lower).whole;
  }

  /** Whether a rule has spoken of it. */
  touches(name: string): boolean {
    return this.#headers.has(name.toLowerCase());
  }

  /** When each of its lines is there. */
  linesOf(name: string): readonly Condition[] {
    if (name.toLowerCase() === 'host')
      return [{ kind: 'in', value: this.host, language: { kind: 'present' } }];
    const { first, added } = this.#linesOf(name.toLowerCase());
    const there = [first, ...added.map(({ value }) => value)].map(
      (value): Condition => ({ kind: 'in', value, language: { kind: 'present' } }),
    );
    return there.map((is, at) => meaning.all([added[at - 1]?.when ?? meaning.always, is]));
  }

  /** Whether rules have added lines to it, so that it has several. */
  hasLines(name: string): Condition {
    const lines = this.linesOf(name);
    return meaning.some(
      lines.flatMap((line, at) => lines.slice(at + 1).map((other) => meaning.all([line, other]))),
    );
  }

  #linesOf(lower: string): HeaderLines {
    const known = this.#headers.get(lower);
    if (known !== undefined) return known;
    let value = header(lower);
    for (const { names, when, instead } of this.#removed)
      if (names(lower)) value = chosen(when, instead, value);
    return linesOf(value, []);
  }

  setHeader(name: string, value: Value, when: Condition): void {
    const lower = name.toLowerCase();
    if (lower === 'host') this.host = chosen(when, value, this.host);
    else {
      const { first, added } = this.#linesOf(lower);
      this.#headers.set(lower, linesOf(chosen(when, value, first), without(added, when)));
    }
    this.version += 1;
  }

  addHeader(name: string, value: Value, when: Condition): void {
    const lower = name.toLowerCase();
    if (lower === 'host') this.host = chosen(when, both(this.host, value), this.host);
    else {
      const { first, added } = this.#linesOf(lower);
      this.#headers.set(lower, linesOf(first, [...added, { value, when }]));
    }
    this.version += 1;
  }

  /** Each line of the header by itself: what the client sent is taken as one. */
  changeLines(name: string, change: (line: Value) => Value): void {
    const lower = name.toLowerCase();
    if (lower === 'host') this.host = change(this.host);
    else {
      const { first, added } = this.#linesOf(lower);
      const changed = added.map(({ value, when }) => ({ value: change(value), when }));
      this.#headers.set(lower, linesOf(change(first), changed));
    }
    this.version += 1;
  }

  /** All headers whose names are among them; where that cannot be told of a name, what it is instead. */
  removeHeaders(names: Names, when: Condition, instead: Value = absent): void {
    for (const [name, { first, added }] of this.#headers)
      if (names(name)) this.#headers.set(name, linesOf(chosen(when, instead, first), without(added, when)));
    if (names('host')) this.host = chosen(when, instead, this.host);
    this.#removed.push({ names, when, instead });
    this.version += 1;
  }

  change(part: 'method' | 'path' | 'query' | 'host', value: Value, when: Condition): void {
    this[part] = chosen(when, value, this[part]);
    this.version += 1;
  }

  setVariable(name: string, sample: Sample): void {
    this.variables.set(name, sample);
    this.version += 1;
  }

  /** What was made of itself again and again is not known from here on. */
  forgetTooComplex(unknown: () => meaning.Unknown): void {
    const isLarge = (one: object) => meaning.sizeOf(one) > meaning.valueSizeMax;
    const said = (): Value & { kind: 'unknown' } => ({ kind: 'unknown', ...unknown() });
    for (const part of ['method', 'path', 'query', 'host'] as const)
      if (isLarge(this[part])) this[part] = said();
    for (const [name, { whole }] of this.#headers)
      if (isLarge(whole)) this.#headers.set(name, linesOf(said(), []));
    for (const [name, sample] of this.variables) if (isLarge(sample)) this.variables.set(name, said());
  }

  sent(): meaning.Sent {
    const changed = (now: Value, kind: 'method' | 'path' | 'query' | 'host') =>
      now.kind === 'field' && now.field.kind === kind ? null : now;
    return {
      method: changed(this.method, 'method'),
      path: changed(this.path, 'path'),
      query: changed(this.query, 'query'),
      host: changed(this.host, 'host'),
      headers: Object.fromEntries(
        [...this.#headers].map(([name, { whole }]) => [name, whole.kind === 'absent' ? null : whole]),
      ),
    };
  }
}

export function chosen(when: Condition, then: Value, otherwise: Value): Value {
  if (when.kind === 'always' || then === otherwise) return then;
  return when.kind === 'never' ? otherwise : meaning.chosen(when, then, otherwise);
}

/** Whether it surely begins with a slash. */
function isSlashed(path: Value): boolean {
  switch (path.kind) {
    case 'field':
      return path.field.kind === 'path';
    case 'text':
      return path.text.startsWith('/');
    case 'joined':
      return path.parts[0] !== undefined && isSlashed(path.parts[0]);
    case 'chosen':
      return isSlashed(path.then) && isSlashed(path.otherwise);
    case 'lower':
    case 'upper':
      return isSlashed(path.of);
    default:
      return false;
  }
}

export function withQuery(path: Value, query: Value): Value {
  if (query.kind === 'absent') return path;
  const none: Condition = { kind: 'in', value: query, language: { kind: 'absent' } };
  return chosen(none, path, meaning.joined([path, meaning.text('?'), query]));
}
