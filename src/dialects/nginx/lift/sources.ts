import { captured, chosen, empty, holds, is, notEmptyWord } from './folding.ts';
import { geoValue } from './geo.ts';
import { type Fate, type Language, text, type Value } from './meaning.ts';
import { asJavaScript, groupsOf, pcre } from './regex.ts';
import { shownBlock } from './settings.ts';
import { type State, unknownValue } from './state.ts';
import { variablesOf } from './template.ts';
import type { Node } from './tree.ts';
import { type Asking, evaluate } from './variables.ts';

/** Variables that the text makes itself: `map`, `geo`, `split_clients`, `set`, and what programs set. */
export interface Sources {
  valueOf(name: string, asking: Asking): Value | null;
  /** Some `set` or named group gives it a value somewhere; where none did yet, it is empty. */
  isSet(name: string): boolean;
  /** All variables that the text makes, in one form: a server may ask for one that another one sets. */
  readonly said: string;
  /** Names of `split_clients` that these words depend on and that are not decided yet. */
  splitsIn(words: readonly string[], state: State): readonly string[];
  /** It is worked out once and kept, though what it is made of may change. */
  keeps(name: string): boolean;
  /** The words that are asked for it, in each case and in some. */
  asks(name: string): { readonly always: readonly string[]; readonly perhaps: readonly string[] };
  /** Whether evaluating these may match an expression of a map, whose groups then are `$1`. */
  matchesIn(nodes: readonly Node[]): boolean;
  /** The fate with each share's value in its place. */
  split(name: string, state: State, go: (state: State) => Fate): Fate;
}

const nameIn = (word: string | undefined) => (word ?? '').replace(/^\$/, '').toLowerCase();
const setByPrograms =
  /^(?:js_set|js_var|perl_set|set_by_lua\w*|auth_request_set|auth_jwt_claim_set|auth_jwt_header_set|geoip2|keyval|set_random|secure_link)$/;

export function sourcesOf(nodes: readonly Node[]): Sources {
  const maps = new Map<string, Node>();
  const set = new Set<string>();
  const programs = new Map<string, Node>();
  let movesAddress = false;
  const walk = (list: readonly Node[]): void => {
    for (const node of list) {
      if (node.plainBlock !== null) continue;
      const { name, words, block } = node;
      if (block && ['map', 'split_clients'].includes(name)) maps.set(nameIn(words[1]), node);
      else if (block && name === 'geo') maps.set(nameIn(words.at(-1)), node);
      else if (name === 'set') set.add(nameIn(words[0]));
      else if (name === 'set_real_ip_from') movesAddress = true;
      else if (setByPrograms.test(name))
        for (const word of words) if (word.startsWith('$')) programs.set(nameIn(word), node);
      if (['location', 'rewrite', 'if', 'server_name'].includes(name))
        for (const word of words) for (const group of groupsOf(word).names) set.add(group.toLowerCase());
      if (block && !['map', 'geo', 'split_clients', 'types'].includes(name)) walk(block);
    }
  };
  walk(nodes);
  return new Own(maps, set, programs, movesAddress);
}

class Own implements Sources {
  readonly #maps: ReadonlyMap<string, Node>;
  readonly #set: ReadonlySet<string>;
  readonly #programs: ReadonlyMap<string, Node>;
  readonly #known = new WeakMap<State, Map<string, Value>>();
  readonly #movesAddress: boolean;
  /** Maps that ask for what may change on a request's way. */
  readonly #changing: ReadonlySet<string>;
  /** Maps that ask for what is another thing in each location. */
  readonly #located: ReadonlySet<string>;
  /** Maps that match expressions, and those that ask for such. */
  readonly #matching: ReadonlySet<string>;
  readonly #asks = new Map<string, Asks>();
  readonly #asksMatching = new WeakMap<Node, boolean>();

  constructor(
    maps: ReadonlyMap<string, Node>,
    set: ReadonlySet<string>,
    programs: ReadonlyMap<string, Node>,
    movesAddress: boolean,
  ) {
    this.#maps = maps;
    this.#set = set;
    this.#programs = programs;
    this.#movesAddress = movesAddress;
    const those = (test: (map: Node, asked: readonly string[]) => boolean): ReadonlySet<string> => {
      const found = new Set<string>();
      for (let before = -1; before !== found.size; ) {
        before = found.size;
        for (const [name, map] of maps) {
          const asked = [map.words[0] ?? '', ...valuesOf(map)].flatMap(variablesOf);
          if (test(map, asked) || asked.some((one) => found.has(one))) found.add(name);
        }
      }
      return found;
    };
    this.#matching = those(
      ({ name, block }) => name === 'map' && (block ?? []).some((one) => one.name.startsWith('~')),
    );
    this.#changing = those(
      (map, asked) =>
        (movesAddress && map.name === 'geo') ||
        asked.some((one) => changing.test(one) || set.has(one) || (movesAddress && ofAddress.has(one))),
    );
    this.#located = those((_, asked) => asked.some((one) => ofLocation.test(one)));
  }

  keeps(name: string): boolean {
    if (ofAddress.has(name)) return this.#movesAddress;
    const map = this.#maps.get(name);
    return map !== undefined && map.name !== 'split_clients' && this.#changing.has(name) && !isVolatile(map);
  }

  asks(name: string): Asks {
    const map = this.#maps.get(name);
    if (map?.name !== 'map') return nothing;
    const known = this.#asks.get(name);
    if (known) return known;
    const perhaps = valuesOf(map).filter((word) => word.includes('$'));
    const made = { always: map.words.slice(0, 1), perhaps };
    this.#asks.set(name, made);
    return made;
  }

  get said(): string {
    const made = [...this.#maps.values(), ...this.#programs.values()];
    return [[...this.#set].sort().join(' '), shownBlock(made)].join('; ');
  }

  isSet(name: string): boolean {
    return this.#set.has(name);
  }

  valueOf(name: string, asking: Asking): Value | null {
    const program = this.#programs.get(name);
    if (program) return unknownValue(program, program.name === 'keyval' ? 'state' : 'elsewhere', `$${name}`);
    const map = this.#maps.get(name);
    if (!map) return null;
    const known = this.#known.get(asking.state) ?? new Map<string, Value>();
    this.#known.set(asking.state, known);
    const { server, scope } = asking.where;
    const { file, line, column } = (this.#located.has(name) ? scope.node?.place : undefined) ?? server.place;
    const key = `${name} ${file}:${line}:${column}`;
    const value = known.get(key) ?? sourceValue(map, { ...asking, node: map });
    known.set(key, value);
    return value;
  }

  splitsIn(words: readonly string[], state: State): readonly string[] {
    const found = new Set<string>();
    const seen = new Set<string>();
    const look = (word: string): void => {
      for (const name of variablesOf(word)) {
        if (seen.has(name)) continue;
        seen.add(name);
        const map = this.#maps.get(name);
        if (map?.name === 'split_clients' && !state.shares.has(name)) found.add(name);
        if (map?.name === 'map') for (const part of [map.words[0] ?? '', ...valuesOf(map)]) look(part);
      }
    };
    for (const word of words) look(word);
    return [...found];
  }

  matchesIn(nodes: readonly Node[]): boolean {
    if (this.#matching.size === 0) return false;
    return nodes.some((node) => {
      const known = this.#asksMatching.get(node);
      if (known !== undefined) return known;
      const found =
        node.words.some((word) => variablesOf(word).some((name) => this.#matching.has(name))) ||
        this.matchesIn(node.block ?? []);
      this.#asksMatching.set(node, found);
      return found;
    });
  }

  split(name: string, state: State, go: (state: State) => Fate): Fate {
    const map = this.#maps.get(name);
    const shares = sharesOf(map?.block ?? []).map(({ weight, value }) => ({
      weight,
      fate: go({ ...state, shares: new Map([...state.shares, [name, text(value)]]) }),
    }));
    return { kind: 'split', shares };
  }
}

type Asks = ReturnType<Sources['asks']>;
const nothing: Asks = { always: [], perhaps: [] };

/** What is worked out anew each time. */
const changing =
  /^(?:uri|document_uri|args|query_string|is_args|arg_.*|request_method|request_filename|document_root|realpath_root|[0-9]+)$/;
/** Of the client's address, which is worked out once. */
const ofAddress: ReadonlySet<string> = new Set([
  'remote_addr',
  'binary_remote_addr',
  'remote_port',
  'proxy_add_x_forwarded_for',
]);
const ofLocation = /^(?:request_filename|document_root|realpath_root|proxy_host|proxy_port)$/;

const isVolatile = ({ block }: Node): boolean =>
  (block ?? []).some(({ name, words }) => name === 'volatile' && words.length === 0);

const valuesOf = ({ block }: Node) => (block ?? []).flatMap(({ words }) => words.slice(0, 1));

/** In hundredths of a per cent, as NGINX counts them; `*` is what is left. */
export function sharesOf(
  block: readonly Node[],
): readonly { readonly weight: number; readonly value: string }[] {
  let left = 10_000;
  return block.flatMap(({ name, words }) => {
    const weight = name === '*' ? left : Math.round(Number(name.replace('%', '')) * 100);
    if (!(weight > 0)) return [];
    left -= weight;
    return [{ weight, value: words[0] ?? '' }];
  });
}

function sourceValue(map: Node, asking: Asking): Value {
  if (map.name === 'geo') return geoValue(map, asking.state);
  if (map.name === 'split_clients')
    return unknownValue(map, 'chance', `split_clients ${map.words.join(' ')}`);
  return mapValue(map, asking);
}

const parameters = new Set(['hostnames', 'volatile', 'default', 'include']);

function mapValue(map: Node, asking: Asking): Value {
  const isHosts = (map.block ?? []).some(({ name, words }) => name === 'hostnames' && words.length === 0);
  const evaluated = evaluate(map.words[0] ?? '', asking);
  const source = isHosts && evaluated.kind === 'text' ? text(evaluated.text.replace(/\.$/, '')) : evaluated;
  const names: Names = isHosts ? (mayEndInDot(source) ? 'hosts with a dot' : 'hosts') : 'texts';
  const held = names === 'hosts with a dot' ? withoutDot(source) : source;
  const entries = (map.block ?? []).filter(
    ({ name, words }) => !(parameters.has(name) && name !== 'default') || words.length > 1,
  );
  const cases = entries.filter(({ name }) => name !== 'default').map((node) => caseOf(node, names));
  const ordered = cases.toSorted((a, b) => a.rank - b.rank || (a.rank < 3 ? b.size - a.size : 0));
  const fallback = entries.find(({ name }) => name === 'default');
  const valueFor = (node: Node, taken: Case | null): Value => {
    const state = taken?.regex ? justTaken(node, held, taken.regex, asking) : asking.state;
    return evaluate(node.words[0] ?? '', { ...asking, node, state });
  };
  const plain = ordered.findIndex(({ rank, node }) => rank > 0 || (node.words[0] ?? '').includes('$'));
  const table = ordered.slice(0, plain < 0 ? ordered.length : plain);
  const isTable = table.length > nestedMax && source.kind !== 'text' && source.kind !== 'absent';
  const nested = isTable ? ordered.slice(table.length) : ordered;
  if (nested.length > casesMax) {
    asking.lifting.refuse(map, 'too complex, treated as not understood');
    return unknownValue(map, 'complex', `map ${map.words.join(' ')}`);
  }
  const behind = nested.reduceRight<Value>(
    (otherwise, one) =>
      chosen(
        holds(one.regex === null ? lowered(source, one) : held, one.language),
        valueFor(one.node, one),
        otherwise,
      ),
    fallback ? valueFor(fallback, null) : empty,
  );
  if (!isTable) return behind;
  const rows = table.map(({ language, node }) => ({ language, text: node.words[0] ?? '' }));
  return { kind: 'mapped', of: source, cases: rows, otherwise: behind };
}

/** What it has just matched is what `$1` is, unless its own words ask for another map with an expression. */
function justTaken(node: Node, of: Value, regex: string, { state, lifting }: Asking): State {
  const taken = withCaptures(state, of, regex);
  return taken.captures && !lifting.sources.matchesIn([node])
    ? { ...taken, captures: { ...taken.captures, fresh: true } }
    : taken;
}

/** `$host` has no dot at its end. */
const mayEndInDot = (source: Value): boolean =>
  source.kind === 'joined' && source.parts.length === 1 && source.parts[0]
    ? mayEndInDot(source.parts[0])
    : source.kind !== 'orElse' && source.kind !== 'text';

const withoutDot = (source: Value): Value =>
  chosen(holds(source, endsInDot), captured(source, pcre('^(.*)\\.$'), 1), source);

const endsInDot: Language = { kind: 'ends', text: '.', ignoreCase: false };

/** A longer map is a table as far as its values are plain text; what is left is one choice inside the other. */
const nestedMax = 100;
const casesMax = 2_000;

interface Case {
  readonly node: Node;
  readonly language: Language;
  /** 0: exact, 1: a star in front, 2: a star behind, 3: an expression. */
  readonly rank: number;
  readonly size: number;
  readonly regex: string | null;
}

const lowered = (source: Value, one: Case): Value =>
  one.regex === null && source.kind === 'text' ? text(source.text.toLowerCase()) : source;

/** What its keys are. A dot at the end of a host is left out before it is looked up. */
type Names = 'texts' | 'hosts' | 'hosts with a dot';

/** Strings of a map are looked up in lower case. */
function caseOf(node: Node, names: Names): Case {
  const made = (language: Language, rank: number, regex: string | null = null): Case => ({
    node,
    language,
    rank,
    size: node.name.length,
    regex,
  });
  const { name } = node;
  if (name.startsWith('~')) {
    const ignoreCase = name.startsWith('~*');
    const source = name.slice(ignoreCase ? 2 : 1);
    // What is empty is not held against expressions.
    const language: Language = { kind: 'matches', regex: pcre(source, ignoreCase) };
    const isSure = asJavaScript(language.regex)?.test('') === false;
    return made(isSure ? language : { kind: 'intersection', of: [language, notEmptyWord] }, 3, name);
  }
  const key = name.startsWith('\\') ? name.slice(1) : name;
  const isHosts = names !== 'texts';
  const end = names === 'hosts with a dot' ? '\\.?$' : '$';
  const matching = (source: string): Language => ({ kind: 'matches', regex: pcre(source, true) });
  if (isHosts && key.startsWith('*.')) return made(matching(literal(key.slice(1)) + end), 1);
  if (isHosts && key.startsWith('.')) return made(matching(`(?:^|\\.)${literal(key.slice(1))}${end}`), 1);
  if (isHosts && key.endsWith('.*')) return made(matching(`^${literal(key.slice(0, -1))}.`), 2);
  const plain: Language = key === '' ? is('') : { kind: 'is', text: key, ignoreCase: true };
  const dotted: Language = { kind: 'is', text: `${key}.`, ignoreCase: true };
  return made(names === 'hosts with a dot' ? { kind: 'union', of: [plain, dotted] } : plain, 0);
}

export const literal = (word: string): string => word.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

export function withCaptures(state: State, of: Value, word: string): State {
  const ignoreCase = word.startsWith('~*');
  const source = word.replace(/^~\*?/, '');
  return taking(state, of, source, ignoreCase);
}

/** An expression that matched: its groups are `$1` and the variables of their names from here on. */
export function taking(state: State, of: Value, source: string, ignoreCase: boolean): State {
  const regex = pcre(source, ignoreCase);
  const groups = groupsOf(source);
  if (groups.names.length === 0) return { ...state, captures: { of, regex, count: groups.count } };
  const variables = new Map(state.variables);
  for (const name of groups.names) variables.set(name.toLowerCase(), captured(of, regex, name));
  return { ...state, captures: { of, regex, count: groups.count }, variables };
}
