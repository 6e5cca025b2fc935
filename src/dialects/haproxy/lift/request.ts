import { meaning } from '#routing';

type Value = meaning.Value;
type Condition = meaning.Condition;
const { absent, field, header } = meaning;

/** A sample: what a fetch and its converters give. */
export type Sample =
  | {
      readonly kind: 'value';
      readonly type: 'text' | 'number' | 'method' | 'version' | 'any';
      readonly value: Value;
      /** Asked by a condition, each part between commas counts; elsewhere the last one. */
      readonly list?: true;
      /** Where it is more than one value: a condition asks each, and nothing here says so. */
      readonly several?: Condition;
    }
  | { readonly kind: 'bool'; readonly when: Condition }
  | { readonly kind: 'address'; readonly of: 'source' | 'local' }
  /** A number that conditions may ask for; elsewhere it is too much. */
  | ({
      readonly kind: 'measured';
      readonly by: 'length' | 'items';
      readonly of: Value;
      readonly list?: true;
    } & meaning.Unknown)
  | ({ readonly kind: 'unknown' } & meaning.Unknown);

/** A request under way: each part as a function of the request as it came. */
export class Request {
  method: Value = field('method');
  path: Value = field('path');
  query: Value = field('query');
  host: Value = field('host');
  /** Null: what `src` is from here on, nobody can say. */
  source: 'as it came' | 'changed' = 'as it came';
  readonly variables: Map<string, Sample>;
  readonly #headers: Map<string, Value>;
  readonly #removed: { readonly names: (name: string) => boolean; readonly when: Condition }[] = [];
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

  /** The path with its query. */
  get url(): Value {
    return withQuery(this.path, this.query);
  }

  header(name: string): Value {
    const lower = name.toLowerCase();
    if (lower === 'host') return this.host;
    const known = this.#headers.get(lower);
    if (known !== undefined) return known;
    let value = header(lower);
    for (const { names, when } of this.#removed) if (names(lower)) value = chosen(when, absent, value);
    return value;
  }

  setHeader(name: string, value: Value, when: Condition): void {
    const lower = name.toLowerCase();
    const now = chosen(when, value, this.header(lower));
    if (lower === 'host') this.host = now;
    else this.#headers.set(lower, now);
    this.version += 1;
  }

  addHeader(name: string, value: Value, when: Condition): void {
    const before = this.header(name);
    const none: Condition = { kind: 'in', value: before, language: { kind: 'absent' } };
    const both = meaning.joined([before, meaning.text(', '), value]);
    this.setHeader(name, chosen(none, value, both), when);
  }

  /** All headers whose names are among them. */
  removeHeaders(names: (name: string) => boolean, when: Condition): void {
    for (const [name, value] of this.#headers)
      if (names(name)) this.#headers.set(name, chosen(when, absent, value));
    if (names('host')) this.host = chosen(when, absent, this.host);
    this.#removed.push({ names, when });
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

  sent(): meaning.Sent {
    const changed = (now: Value, kind: 'method' | 'path' | 'query' | 'host') =>
      now.kind === 'field' && now.field.kind === kind ? null : now;
    return {
      method: changed(this.method, 'method'),
      path: changed(this.path, 'path'),
      query: changed(this.query, 'query'),
      host: changed(this.host, 'host'),
      headers: Object.fromEntries(
        [...this.#headers].map(([name, value]) => [name, value.kind === 'absent' ? null : value]),
      ),
    };
  }
}

export function chosen(when: Condition, then: Value, otherwise: Value): Value {
  if (when.kind === 'always' || then === otherwise) return then;
  return when.kind === 'never' ? otherwise : meaning.chosen(when, then, otherwise);
}

export function withQuery(path: Value, query: Value): Value {
  if (query.kind === 'absent') return path;
  const none: Condition = { kind: 'in', value: query, language: { kind: 'absent' } };
  return chosen(none, path, meaning.joined([path, meaning.text('?'), query]));
}
