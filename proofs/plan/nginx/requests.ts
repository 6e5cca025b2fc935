import type { Chance } from './chance.ts';

/** A request as its bytes are made; what the model is asked is the same. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: string | null;
  readonly host: string | null;
  readonly version: '1.0' | '1.1';
  readonly headers: Readonly<Record<string, string>>;
}

/** Requests that the text's own words suggest, and their neighbours. */
export function requestsFor(text: string, count: number, chance: Chance): readonly Asked[] {
  const paths = [
    ...text.matchAll(/(?:location\s+(?:=|\^~)?\s*"?|rewrite "[^"]*" "|error_page[^;]* )(\/[^"?;\s$]*)/g),
  ].map(([, path = '/']) => path);
  const hosts = [...text.matchAll(/server_name ([^;]+);/g)]
    .flatMap(([, said = '']) => said.split(' '))
    .map(concrete);
  const all = [
    ...paths,
    '/',
    '/a',
    '/api/v1',
    '/a/x.php',
    '/img/pic.jpg',
    '/ab',
    '/x',
    '/there.txt',
    '/folder/',
    '/folder',
  ];
  return Array.from({ length: count }, () => ({
    method: chance.pick([
      'GET',
      'GET',
      'GET',
      'GET',
      'GET',
      'POST',
      'HEAD',
      'PUT',
      'OPTIONS',
      'TRACE',
      'get',
    ]),
    path: changed(chance.pick(all), chance),
    query: chance.pick([null, null, null, 'q=a', 'q=', 'Q=b&q=1', '', 'x=%41+b', 'q=a&q=b']),
    ...hostOf(chance.pick([...hosts, ...hosts, 'a.example', 'nobody.example']), chance),
    headers: headersOf(chance),
  }));
}

const concrete = (name: string): string =>
  name.startsWith('~')
    ? 'abc.dyn.example'
    : name.replace(/^\*\./, 'sub.').replace(/^\./, 'deep.sub.').replace(/\.\*$/, '.org');

function changed(path: string, chance: Chance): string {
  const at = chance.below(path.length + 1);
  const insert = (piece: string) => path.slice(0, at) + piece + path.slice(at);
  switch (chance.below(22)) {
    case 0:
      return `${path}x`;
    case 1:
      return path.slice(0, -1) || '/';
    case 2:
      return `${path}/`;
    case 3:
      return path.toUpperCase();
    case 4:
      return path.replace(/[a-z]/, (char) => `%${char.charCodeAt(0).toString(16)}`);
    case 5:
      return path.replace('/', '//');
    case 6:
      return `${path.replace(/\/$/, '')}/./b`;
    case 7:
      return `/zzz/..${path}`;
    case 8:
      return `${path}/../..`;
    case 9:
      return insert('%20');
    case 10:
      return insert('%');
    case 11:
      return insert('%3F');
    case 12:
      return insert(chance.pick(['|', '"', '%25', '%2f', '+', ';', '%2B', '%22', '{', '%00', '%0a']));
    case 13:
      return `${path.replace(/\/$/, '')}/deep/er.php`;
    case 14:
      return `${path}a/b`;
    default:
      return path;
  }
}

function hostOf(name: string, chance: Chance): Pick<Asked, 'host' | 'version'> {
  const host = chance.pick([
    name,
    name,
    name,
    name,
    name.toUpperCase(),
    `${name}:8080`,
    `${name}.`,
    `x${name}`,
    `${name}.:1`,
    `a..b`,
    '',
    'a/b',
    '.',
  ]);
  if (chance.percent(4)) return { host: null, version: chance.pick(['1.0', '1.1']) };
  return { host: chance.percent(80) ? name : host, version: chance.percent(4) ? '1.0' : '1.1' };
}

function headersOf(chance: Chance): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  if (chance.percent(30)) headers['x-kind'] = chance.pick(['a', 'B', 'one', '', '0', 'abc']);
  if (chance.percent(20)) headers.cookie = chance.pick(['c=a', 'd=1; c=one', 'C=a', 'c=']);
  if (chance.percent(10)) headers['x-forwarded-for'] = '10.1.2.3';
  return headers;
}
