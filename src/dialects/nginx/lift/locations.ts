import type { Place } from '#base';
import { begins, holds, is, matches } from './folding.ts';
import { all, type Condition, not, some, type Value } from './meaning.ts';
import { pcre } from './regex.ts';
import { type Scope, scopeOf } from './scope.ts';
import type { Node } from './tree.ts';

export interface Location {
  readonly kind: 'exact' | 'prefix' | 'regex' | 'named';
  /** Without its modifier; the expression of a regex. */
  readonly name: string;
  /** `^~` */
  readonly noRegex: boolean;
  readonly ignoreCase: boolean;
  /** It answers its name without the slash at the end with a redirect. */
  readonly slash: boolean;
  readonly scope: Scope;
  readonly inner: Level;
  readonly place: Place;
  readonly text: string;
}

/** Locations that stand side by side. */
export interface Level {
  readonly exact: readonly Location[];
  /** The longest first. */
  readonly prefixes: readonly Location[];
  readonly regexes: readonly Location[];
}

const passes = /^(?:proxy|fastcgi|uwsgi|scgi|memcached|grpc|perl)(?:_pass)?$/;

export function levelOf(nodes: readonly Node[], parent: Scope, named: Map<string, Location>): Level {
  const all = nodes
    .filter(({ name, block }) => name === 'location' && block)
    .map((node) => locationOf(node, parent, named));
  const first = new Map<string, Location>();
  for (const location of all)
    if (location.kind === 'exact' || location.kind === 'prefix') {
      const key = `${location.kind} ${location.name}`;
      if (!first.has(key)) first.set(key, location);
    } else if (location.kind === 'named' && !named.has(location.name)) named.set(location.name, location);
  const unique = [...first.values()];
  return {
    exact: unique.filter(({ kind }) => kind === 'exact'),
    prefixes: unique
      .filter(({ kind }) => kind === 'prefix')
      .toSorted((a, b) => b.name.length - a.name.length),
    regexes: all.filter(({ kind }) => kind === 'regex'),
  };
}

/** `location =/x`, `location ~\.php$`: the modifier may touch the name. */
export function modifierOf(words: readonly string[]): { readonly modifier: string; readonly name: string } {
  const [first = '', second] = words;
  if (second !== undefined) return { modifier: first, name: second };
  const [, modifier = '', name = ''] = /^(=|\^~|~\*|~|)([\s\S]*)$/.exec(first) ?? [];
  return { modifier, name };
}

function locationOf(node: Node, parent: Scope, named: Map<string, Location>): Location {
  const { modifier, name } = modifierOf(node.words);
  const scope = scopeOf('location', node, node.block ?? [], parent);
  const kind =
    modifier === '='
      ? 'exact'
      : modifier.startsWith('~')
        ? 'regex'
        : name.startsWith('@')
          ? 'named'
          : 'prefix';
  return {
    kind,
    name,
    noRegex: modifier === '^~',
    ignoreCase: modifier === '~*',
    slash: name.endsWith('/') && scope.nodes.some((one) => passes.test(one.name)),
    scope,
    inner: levelOf(scope.nodes, scope, named),
    place: node.place,
    text: node.text,
  };
}

export interface Entry {
  readonly when: Condition;
  readonly location: Location;
  /** The redirect to the name with its slash. */
  readonly slash: boolean;
}

/** Which location takes the URI, as `ngx_http_core_find_location` finds it: the first entry that holds. */
export function entriesOf(level: Level, uri: Value): readonly Entry[] {
  const found = select(level, uri, true);
  return [...found.decisive, ...found.soft].filter(({ when }) => when.kind !== 'never');
}

interface Selected {
  /** These end the search on every level. */
  readonly decisive: readonly Entry[];
  /** These hold unless an expression of a level outside matches. */
  readonly soft: readonly Entry[];
}

const isEmptyLevel = ({ exact, prefixes, regexes }: Level) =>
  exact.length + prefixes.length + regexes.length === 0;

function select(level: Level, uri: Value, top: boolean): Selected {
  const exact = level.exact.map((location) => ({
    when: holds(uri, is(location.name)),
    location,
    slash: false,
  }));
  const inner: Entry[] = [];
  const early: Entry[] = [];
  const soft: Entry[] = [];
  const longer = extensionsOf(level.prefixes);
  for (const location of level.prefixes) {
    const inside = holds(uri, begins(location.name));
    if (inside.kind === 'never') continue;
    const nested = isEmptyLevel(location.inner) ? null : select(location.inner, uri, false);
    const itself = { when: inside, location, slash: false };
    if (nested || location.noRegex) {
      const extensions = longer(location).map((one) => not(holds(uri, begins(one.name))));
      const here = all([inside, ...extensions]);
      const guarded = (entry: Entry): Entry => ({ ...entry, when: all([here, entry.when]) });
      inner.push(...(nested?.decisive ?? []).map(guarded));
      const rest = [...(nested?.soft ?? []), { ...itself, when: here }].map(guarded);
      if (location.noRegex) early.push(...rest);
      else soft.push(...rest);
    } else soft.push(itself);
  }
  const slashes = slashesOf(level, uri);
  const barrier = top || early.length === 0 ? [] : [not(some(early.map(({ when }) => when)))];
  const regexes = level.regexes.map((location) => ({
    when: all([holds(uri, matches(pcre(location.name, location.ignoreCase))), ...barrier]),
    location,
    slash: false,
  }));
  return top
    ? { decisive: [...exact, ...slashes, ...inner, ...early, ...regexes], soft }
    : { decisive: [...exact, ...slashes, ...inner, ...regexes], soft: [...early, ...soft] };
}

/** For each prefix, the prefixes that begin with it and are not behind another one of them. */
function extensionsOf(prefixes: readonly Location[]): (location: Location) => readonly Location[] {
  return (location) => {
    const found = prefixes.filter(({ name }) => name !== location.name && name.startsWith(location.name));
    return found.filter(
      ({ name }) => !found.some((other) => other.name !== name && name.startsWith(other.name)),
    );
  };
}

function slashesOf({ exact, prefixes }: Level, uri: Value): readonly Entry[] {
  const names = new Set([...exact, ...prefixes].map(({ name }) => name));
  const seen = new Set<string>();
  return [...exact, ...prefixes].flatMap((location) => {
    const name = location.name.slice(0, -1);
    if (!location.slash || names.has(name) || seen.has(name)) return [];
    seen.add(name);
    return [{ when: holds(uri, is(name)), location, slash: true }];
  });
}
