import { entriesOf, type Level, type Location } from './locations.ts';
import { text } from './meaning.ts';
import { groupsOf } from './regex.ts';
import { said } from './scope.ts';
import { type State, unknownValue, type Where } from './state.ts';
import type { Node } from './tree.ts';

/**
 * Behind `auth_request`: a subrequest has the request's own variables, so that what is set on its way (`set`, groups with names)
 * is set for the request too, whatever that had in them.
 */
export function behindSubrequest(state: State, where: Where): State {
  const asked = said(where.scope, 'auth_request').at(-1);
  if (asked === undefined || asked.words[0] === 'off') return state;
  const found = setOnTheWay(where, asked.words[0] ?? '');
  if (found.size === 0) return state;
  const variables = new Map(state.variables);
  for (const [name, value] of found) {
    const own = variables.get(name);
    const isSame = value !== null && own?.kind === 'text' && own.text === value;
    if (!isSame) variables.set(name, unknownValue(asked, 'elsewhere', `${asked.text}: $${name} behind it`));
  }
  return { ...state, variables };
}

/** By their names in lower case; null: not known here. */
type Found = Map<string, string | null>;

function setOnTheWay({ server }: Where, uri: string): Found {
  const found: Found = new Map();
  const own = server.scope.nodes.filter(({ name }) => name !== 'location');
  setIn(own, found, true);
  const isElsewhere = !/^\/[^$]*$/.test(uri) || leads(own);
  if (isElsewhere) everywhere(server.level, found);
  else
    for (const location of on(server.level, uri)) {
      setBy(location, found);
      if (leads(location.scope.nodes)) everywhere(server.level, found);
    }
  return found;
}

/** Locations that may take it, and those that stand in one with an expression. */
function on(level: Level, uri: string): readonly Location[] {
  return entriesOf(level, text(uri)).flatMap(({ location }) =>
    location.kind === 'regex' ? [location, ...on(location.inner, uri)] : [location],
  );
}

function everywhere({ exact, prefixes, regexes }: Level, found: Found): void {
  for (const location of [...exact, ...prefixes, ...regexes]) {
    setBy(location, found);
    everywhere(location.inner, found);
  }
}

function setBy({ kind, name, scope }: Location, found: Found): void {
  if (kind === 'regex') for (const group of groupsOf(name).names) found.set(group.toLowerCase(), null);
  setIn(
    scope.nodes.filter((node) => node.name !== 'location'),
    found,
    true,
  );
}

/** Whether it may come to another location from here. */
const leads = (nodes: readonly Node[]): boolean =>
  nodes.some(
    ({ name, block }) => ['rewrite', 'try_files'].includes(name) || (name === 'if' && leads(block ?? [])),
  );

/** @param isSure nothing decides whether it is set. */
function setIn(nodes: readonly Node[], found: Found, isSure: boolean): void {
  for (const { name, words, block } of nodes) {
    const [first = '', value = ''] = words;
    if (name === 'set') {
      const key = first.replace(/^\$/, '').toLowerCase();
      const isPlain =
        isSure && !value.includes('$') && (found.get(key) ?? value) === value && !isLost(found, key);
      found.set(key, isPlain ? value : null);
    }
    if (name === 'rewrite' || name === 'if')
      for (const word of words)
        for (const group of groupsOf(word).names) found.set(group.toLowerCase(), null);
    if (name === 'if') setIn(block ?? [], found, false);
  }
}

const isLost = (found: Found, key: string): boolean => found.get(key) === null;
