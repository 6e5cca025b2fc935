/** `nginx.conf` written otherwise. Reads words by its own rules, so that it does not share a mistake with the lift. */
import type { Form } from './reformat.ts';

interface Directive {
  /** As they are written, quotes and all. */
  readonly words: readonly string[];
  readonly block: readonly Directive[] | null;
}

const token =
  /\s+|#[^\n]*|"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'|[;{}]|(?:\$\{[^}]*\}|\\[\s\S]|[^\s;{}\\$]|\$(?!\{))+/gy;

/** Null: it is not read here (a block in another language, brackets that do not match). */
function parse(text: string): readonly Directive[] | null {
  if (/_by_lua_block|js_content|perl\s/.test(text)) return null;
  const stack: { words: string[]; block: Directive[] }[] = [{ words: [], block: [] }];
  let words: string[] = [];
  let at = 0;
  token.lastIndex = 0;
  for (const found of text.matchAll(token)) {
    if (found.index !== at) return null;
    const [word] = found;
    at += word.length;
    if (/^[\s#]/.test(word)) continue;
    if (word === ';') {
      if (words.length === 0) return null;
      stack.at(-1)?.block.push({ words, block: null });
      words = [];
    } else if (word === '{') {
      stack.push({ words, block: [] });
      words = [];
    } else if (word === '}') {
      const done = stack.pop();
      if (words.length > 0 || !done || stack.length === 0) return null;
      stack.at(-1)?.block.push(done);
    } else words.push(word);
  }
  const [root] = stack;
  return at === text.length && stack.length === 1 && words.length === 0 && root ? root.block : null;
}

function written(
  all: readonly Directive[],
  depth: number,
  line: (words: readonly string[], index: number) => string,
): string {
  return all
    .map(({ words, block }, index) => {
      const indent = '\t'.repeat(depth);
      const said = line(words, index);
      if (block === null) return `${indent}${said} ;${index % 3 ? '' : ' # a comment'}`;
      return `${indent}${said}\n${indent}{ # {\n\n${written(block, depth + 1, line)}\n${indent}}`;
    })
    .join('\n');
}

const byTree =
  (change: (all: readonly Directive[]) => string): Form =>
  (text) => {
    const all = parse(text);
    return all === null ? text : `${change(all)}\n`;
  };

const plainly = (words: readonly string[]) => words.join(' ');

const spaced = byTree((all) => written(all, 0, (words, index) => words.join(index % 2 ? '   ' : '\n\t')));

const quoted = byTree((all) =>
  written(all, 0, (words) => {
    const [name = ''] = words;
    if (name === 'if' || name === 'set_by_lua') return plainly(words);
    return words.map((word, at) => (at > 0 && /^[\w./:-]+$/.test(word) ? `"${word}"` : word)).join(' ');
  }),
);

/** Named locations and variables of maps get other names. */
const renamed: Form = (text) => {
  if (parse(text) === null) return text;
  const locations = [...text.matchAll(/\blocation\s+@([\w-]+)\s*\{/g)].map(([, name = '']) => name);
  const variables = [...text.matchAll(/^\s*map\s+\S+\s+\$(\w+)\s*\{/gm)].map(([, name = '']) => name);
  const free = variables.filter(
    (name) => !/^(?:http|arg|cookie|sent|upstream|proxy|ssl|geoip)_|^args$/.test(name),
  );
  const withLocations = locations.reduce(
    (before, name) => before.replaceAll(new RegExp(`@${literal(name)}(?![\\w-])`, 'g'), `@n-${name}`),
    text,
  );
  return free.reduce(
    (before, name) =>
      before
        .replaceAll(new RegExp(`\\$(?:${name}(?!\\w)|\\{${name}\\})`, 'g'), `\${n_${name}}`)
        .replaceAll(new RegExp(`(\\bmap\\s+\\S+\\s+)\\$\\{n_${name}\\}`, 'g'), `$1$n_${name}`),
    withLocations,
  );
};

const literal = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\-]/g, '\\$&');

/** Locations that are no expressions and upstreams change places with their like: neither has an order. */
const reordered = byTree((all) => written(shuffled(all), 0, plainly));

function shuffled(all: readonly Directive[]): readonly Directive[] {
  const inner = all.map((one) =>
    one.block === null || one.words[0] === 'map' ? one : { ...one, block: shuffled(one.block) },
  );
  const isFree = ({ words: [name, second = ''], block }: Directive) =>
    block !== null && (name === 'upstream' || (name === 'location' && !second.startsWith('~')));
  const places = inner.flatMap((one, index) => (isFree(one) ? [index] : []));
  const turned = [...inner];
  for (const kind of ['upstream', 'location']) {
    const own = places.filter((index) => inner[index]?.words[0] === kind);
    own.forEach((place, index) => {
      const other = inner[own[own.length - 1 - index] ?? place];
      if (other) turned[place] = other;
    });
  }
  return turned;
}

/** Names before quotes: a quoted name is not looked for. */
export const nginxForms = { renamed, reordered, quoted, spaced } as const;
