/** Changes of texts and of bytes, decided by a seed. */
import type { Random } from '../../test/world/random.ts';

const pick = <T>(random: Random, from: readonly T[], otherwise: T): T =>
  from[random.integer(Math.max(1, from.length))] ?? otherwise;

/** Words that mean something somewhere, and patterns that engines and JavaScript read differently. */
const words = [
  'a++b',
  '(?>a+)b',
  '(?R)',
  '(a(?1)?b)',
  'x\\Ky',
  '(?(1)a|b)',
  '(?i:a)b',
  '(?-i)A',
  '(?x) a b',
  '[[:alpha:]]+',
  '[^[:space:]]',
  '\\Qa.b\\E',
  '\\p{L}+',
  '\\X',
  '\\R',
  '\\h+',
  '(?<n>a)\\k<n>',
  '(?P<n>a)(?P=n)',
  '(?#c)a',
  '(?|(a)|(b))',
  '\\x{1F600}',
  '(*UTF8)a',
  '(a+)+$',
  '(a|a)*b',
  '(?=a)b',
  '(?<!x)y',
  '.{0,60000}',
  '(((((a{9}){9}){9}){9}){9})',
  '[',
  '(',
  '*',
  '\\',
  'a{2,1}',
  '[z-a]',
  '{',
  '}',
  ';',
  '"',
  "'",
  '#',
  '\\\n',
  '%[',
  ']',
  '%[path,lower]',
  '$uri',
  '\x24{x}',
  '$',
  '${',
  '$1',
  '%{+Q}o',
  '!',
  '||',
  'or',
  'if',
  'unless',
  '{ }',
  '-i',
  '-f /dev/null',
  '-f /nowhere',
  '-m reg',
  '-m',
  '--',
  '0',
  '-1',
  '99999999999999999999',
  '1e400',
  '0x10',
  '10.0.0.0/33',
  '::/129',
  '[::1]:80',
  '*:*',
  ':',
  'default',
  'default_server',
  '~',
  '~*',
  '=',
  '^~',
  '@x',
  '*',
  '*.example',
  '.example',
  '_',
  'hash',
  'random',
  'from',
  'include',
  'include *;',
  'include nginx.conf;',
  'use_backend',
  'acl',
  'http-request',
  'server',
  'location / {',
  'if ($x) {',
  'rewrite ^ / last;',
  'return 200;',
  'proxy_pass http://$host$uri;',
  'map $uri $x {',
  'map_reg(/nowhere)',
  'lua.x',
  'var(txn.x)',
  'set-var(txn.x)',
  'frontend',
  'backend',
  'listen',
  'defaults',
  'global',
  '.if',
  '.else',
  '.endif',
  '.notice x',
  'constructor',
  '__proto__',
  'toString',
  'hasOwnProperty',
  '\u0000',
  '\u0001',
  '\u001b[31m',
  '\ufeff',
  '\u2028',
  '\u202e',
  'é',
  '😀',
  '\r',
  '\t',
  '\v',
  '!!js/function x',
  '&a [*a]',
  '<<: *a',
  '? x',
  '- - - -',
  '| ',
  '>-',
  '2026-01-01',
  'null',
  '~',
  'yes',
  '.inf',
  '1_000',
  '0o17',
] as const;

type Change = (text: string, random: Random, other: string) => string;

const lineOf = (lines: readonly string[], random: Random) => random.integer(Math.max(1, lines.length));

const byLine =
  (change: (lines: string[], at: number, random: Random, other: string) => void): Change =>
  (text, random, other) => {
    const lines = text.split('\n');
    change(lines, lineOf(lines, random), random, other);
    return lines.join('\n');
  };

const byWord =
  (change: (word: string, random: Random) => string): Change =>
  (text, random) => {
    const found = [...text.matchAll(/[^\s{};"']+/g)];
    const one = found[random.integer(Math.max(1, found.length))];
    if (!one) return text;
    const [word] = one;
    return text.slice(0, one.index) + change(word, random) + text.slice(one.index + word.length);
  };

const otherLine = (other: string, random: Random) => pick(random, other.split('\n'), '');

const changes: readonly Change[] = [
  byLine((lines, at) => lines.splice(at, 1)),
  byLine((lines, at) => lines.splice(at, 0, lines[at] ?? '')),
  byLine((lines, at, random) => {
    const to = lineOf(lines, random);
    [lines[at], lines[to]] = [lines[to] ?? '', lines[at] ?? ''];
  }),
  byLine((lines, at, random, other) => lines.splice(at, 0, otherLine(other, random))),
  byLine((lines, at, random, other) => lines.splice(at, 1, otherLine(other, random))),
  byLine((lines, at, random) => lines.splice(at, 1 + random.integer(20))),
  byLine((lines, at, random) =>
    lines.splice(
      at,
      0,
      ...lines
        .slice(at, at + 20)
        .flatMap((line) => Array.from({ length: 1 + random.integer(8) }, () => line)),
    ),
  ),
  byLine((lines, at, random) => {
    lines[at] = `${lines[at]} ${pick(random, words, '')}`;
  }),
  byLine((lines, at) => {
    lines[at] = `${lines[at]}${lines[at + 1] ?? ''}`;
    lines.splice(at + 1, 1);
  }),
  byWord((_, random) => pick(random, words, '')),
  byWord((word, random) => word + pick(random, words, '')),
  byWord((word) => word.slice(0, word.length >> 1)),
  byWord(() => ''),
  byWord((word, random) =>
    word.replaceAll(/\d+/g, () => String([0, -1, 65_536, 4_294_967_296, 10 ** 21][random.integer(5)])),
  ),
  byWord((word, random) => word.repeat(1 + random.integer(random.integer(50) === 0 ? 20_000 : 30))),
  byWord((word) => (word === word.toUpperCase() ? word.toLowerCase() : word.toUpperCase())),
  byWord((word) => `"${word}"`),
  (text, random) => text.slice(0, random.integer(text.length + 1)),
  (text, random, other) =>
    text.slice(0, random.integer(text.length + 1)) + other.slice(random.integer(other.length + 1)),
  (text, random) => {
    const at = random.integer(text.length + 1);
    return text.slice(0, at) + pick(random, words, '') + text.slice(at);
  },
  (text, random) => {
    const at = random.integer(text.length + 1);
    return text.slice(0, at) + text.slice(at + 1 + random.integer(4));
  },
];

/** A few changes of the text; now and then of its bytes, too. */
export function mutated(text: string, random: Random, other: string): Uint8Array {
  let changed = text;
  for (let left = 1 + random.integer(4); left > 0; left -= 1)
    changed = changes[random.integer(changes.length)]?.(changed, random, other) ?? changed;
  const bytes = Buffer.from(changed.slice(0, 4 * 1024 * 1024));
  if (random.integer(10) === 0)
    for (let left = 1 + random.integer(8); left > 0 && bytes.length > 0; left -= 1)
      bytes[random.integer(bytes.length)] = random.integer(256);
  return bytes;
}
