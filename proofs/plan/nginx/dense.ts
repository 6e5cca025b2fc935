/**
 * Texts of NGINX made of many small servers, each for one thing that few texts have, and asked by its own name; and of tables whose
 * answers the server is told in headers, so that one request asks all of them.
 */
import type { Chance } from '../chance.ts';
import { expression } from '../expressions.ts';
import { noWords, type Words } from '../requests.ts';
import { type Around, type Ink, type Machine, origin, pathOf } from './ink.ts';
import { inside, locations, onceEach, shared } from './locations.ts';
import { rareLines } from './rare.ts';
import { codes, condition } from './rewriting.ts';
import { geo, map } from './tables.ts';
import { type MadeText, withKnown } from './texts.ts';

const serversPerText = 10;

export function denseText(chance: Chance, id: number, machine: Machine): MadeText {
  const ink: Ink = { chance, id, machine, files: {}, own: [], hasMapOfPools: false, hasStandard: false };
  const words = wordsFor(chance);
  const upstreams = `upstream u${id} { server ${origin(ink)}; server ${origin(ink)} backup; }\nupstream w${id} { server ${origin(ink)}; }`;
  const make = chance.pick([small, small, asking, asking, looking, tabled, tabled]);
  const made = make(ink, words);
  const texts = [upstreams, ...made, ...Object.values(ink.files)].join('\n');
  for (const [path, text] of Object.entries(ink.files)) ink.files[path] = withKnown(text, texts);
  return {
    http: withKnown([upstreams, ...made].join('\n'), texts),
    stream: null,
    files: ink.files,
    words,
    steady: make === tabled || make === looking,
  };
}

function wordsFor(chance: Chance): Words {
  const words: Words = { ...noWords(), pairs: [] };
  words.paths.push('/', '/a', '/api/v1', '/a/x.php', '/there.txt', '/folder');
  words.hosts.push('nobody.example');
  words.queries.push('q=a', 'q=one', 'a=1', 'q=/a', 'q=there.txt');
  for (const value of ['a', 'B', 'one', '0', 'abc']) words.headers.push(['x-kind', value]);
  words.headers.push(['cookie', 'c=a'], ['cookie', 'd=1; c=one'], ['x-forwarded-proto', 'https']);
  words.headers.push(['x-forwarded-for', chance.pick(['10.1.2.3', '10.1.2.3, 127.0.0.1', '1.2.3.4:80'])]);
  words.headers.push(
    ['authorization', 'Basic c29tZW9uZTp3b3Jk'],
    ['user-agent', 'x'],
    ['upgrade', 'websocket'],
  );
  words.sources.push('127.0.0.1', '127.0.0.1', '127.1.2.3', '127.2.0.9', '127.3.3.3');
  return words;
}

const around = (ink: Ink): Around => ({ ink, named: [], hasPool: false, groups: [] });

function serverOf(ink: Ink, name: string, lines: readonly string[]): string {
  const { http, https, pair } = ink.machine;
  const listens = [
    `listen 127.0.0.1:${http};`,
    `listen 127.0.0.1:${https} ssl;`,
    `ssl_certificate ${pair};`,
    `ssl_certificate_key ${pair};`,
  ];
  return `server {\n  ${[...listens, `server_name ${name};`, ...lines].filter(Boolean).join('\n  ')}\n}`;
}

const pathsIn = (lines: readonly string[]) =>
  [...lines.join('\n').matchAll(/(?:location\s+"?(?:=|\^~)?\s*"?|rewrite \^?)(\/[\w./-]*)/g)].map(
    ([, path = '/']) => path,
  );

/** Behind the name of a location. */
const tails = ['', '', '/', '/a', '/there.txt', '/x/b', 'x', '.php', '/a/', '/folder', '/in', '.x'];

function asksOf(name: string, paths: readonly string[], { chance }: Ink, words: Words): void {
  for (const path of paths)
    for (const tail of chance.some(tails, 6)) words.pairs?.push([name, (path + tail).replaceAll('//', '/')]);
}

/** A few lines of one kind in each. */
function small(ink: Ink, words: Words): readonly string[] {
  const { chance, id, machine } = ink;
  const { root, sockets } = machine;
  const tables = [map(ink, 0), geo(ink)];
  const servers = Array.from({ length: serversPerText }, (_, at) => {
    const name = `s${at}.example`;
    const variable = chance.pick(['$arg_q', '$http_x_kind', '$cookie_c', '$args', '$uri', ...ink.own]);
    const place = { pools: [`u${id}`, `w${id}`], origin: origin(ink), root, sockets, variable };
    const lines = [
      ...(chance.percent(30) ? [onceEach(shared(around(ink)).join(' '))] : []),
      ...(chance.percent(75) ? rareLines(chance, place) : locations(around(ink)).slice(0, 3)),
    ];
    asksOf(name, ['/', ...pathsIn(lines), ...pathsIn(lines)], ink, words);
    return serverOf(ink, name, lines);
  });
  return [...tables, ...servers];
}

/** Conditions whose answers the server is told. */
function asking(ink: Ink, words: Words): readonly string[] {
  const { chance } = ink;
  const tables = [map(ink, 0), map(ink, 1), geo(ink)];
  const servers = Array.from({ length: 4 }, (_, at) => {
    const name = `s${at}.example`;
    const asked = Array.from({ length: 8 }, () => condition(around(ink)));
    const lines = asked.map((one, number) => `set $q${number} no; if (${one}) { set $q${number} yes; }`);
    const some = chance.percent(30) ? codes(around(ink), 1, { kind: 'prefix', name: '/' }) : [];
    const seen = asked.map((_, number) => `proxy_set_header X-Q${number} $q${number};`);
    const own = ink.own.map((one, number) => `proxy_set_header X-M${number} "${one}";`);
    asksOf(
      name,
      ['/', '/a', '/api/v1', pathOf(ink).replaceAll(' ', '%20'), '/there.txt', '/folder'],
      ink,
      words,
    );
    return serverOf(ink, name, [
      `root ${ink.machine.root};`,
      `location / { ${[...some, ...lines, ...seen, ...own].join(' ')} proxy_pass http://${origin(ink)}; }`,
    ]);
  });
  return [...tables, ...servers];
}

/** Locations by expressions of all kinds, and texts that they take. */
function looking(ink: Ink, words: Words): readonly string[] {
  const { chance } = ink;
  return Array.from({ length: serversPerText }, (_, at) => {
    const name = `s${at}.example`;
    const lines = Array.from({ length: 3 }, (_, number) => {
      const one = expression(chance);
      for (let left = 3; left > 0; left -= 1) {
        const text = one.text(chance);
        words.pairs?.push([name, text.startsWith('/') ? text : `/${text}`]);
      }
      const groups = Array.from({ length: Math.min(3, one.groups) }, (_, group) => `$${group + 1}`).join('|');
      const content = chance.pick([
        `return 200 "${number} ${groups}";`,
        `rewrite "${expression(chance).source}" "/r${number}/${groups.split('|')[0] ?? ''}" break; proxy_pass http://${origin(ink)};`,
        `proxy_set_header X-Took "${groups}"; proxy_pass http://${origin(ink)};`,
        inside(around(ink), 0, { kind: 'regex' }),
      ]);
      return `location ${chance.pick(['~', '~', '~*'])} "${one.source}" { ${content} }`;
    });
    return serverOf(ink, name, lines);
  });
}

/** Tables of all kinds, each told in a header of its own. */
function tabled(ink: Ink, words: Words): readonly string[] {
  const { chance, id } = ink;
  const known = [map(ink, 0), map(ink, 1), map(ink, 2), map(ink, 3), geo(ink), geo(ink)].filter(
    (line, at, all) => all.findIndex((other) => other.split('{')[0] === line.split('{')[0]) === at,
  );
  const made = Array.from({ length: 10 }, (_, number) => {
    const one = expression(chance);
    for (let left = 2; left > 0; left -= 1) {
      const text = one.text(chance);
      words.pairs?.push(['s0.example', text.startsWith('/') ? text : `/${text}`]);
    }
    const taken = one.groups > 0 ? chance.pick(['$1', 'x$1', 'yes']) : 'yes';
    return `map $uri $x${id}_${number} { default no; "${chance.pick(['~', '~', '~*'])}${one.source}" "${taken}"; }`;
  });
  const own = [...new Set(ink.own)].map((one, number) => `proxy_set_header X-M${number} "${one}";`);
  const seen = made.map((_, number) => `proxy_set_header X-R${number} "$x${id}_${number}";`);
  asksOf('s0.example', ['/', '/a', '/api'], ink, words);
  words.hosts.push(
    'a.example',
    'sub.a.example',
    'www.b.example',
    'b.example',
    'x.y.org',
    'deep.sub.b.example',
  );
  return [
    ...known,
    ...made,
    serverOf(ink, 's0.example', [
      `location / { ${[...own, ...seen].join(' ')} proxy_pass http://${origin(ink)}; }`,
    ]),
  ];
}
