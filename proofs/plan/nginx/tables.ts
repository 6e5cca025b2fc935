/** Variables that a text makes of others: `map`, `geo`, `split_clients`. */
import { fileOf, type Ink, origin } from './ink.ts';

export function tables(ink: Ink): readonly string[] {
  const { chance } = ink;
  const found = Array.from({ length: chance.below(3) }, (_, at) => map(ink, at));
  if (chance.percent(14)) found.push(geo(ink));
  if (chance.percent(8)) found.push(split(ink));
  ink.hasMapOfPools = chance.percent(15);
  return ink.hasMapOfPools ? [...found, mapOfPools(ink)] : found;
}

function made(ink: Ink, kind: string): string {
  const name = `$${kind}${ink.id}`;
  ink.own.push(name);
  return name;
}

const sources = [
  '$uri',
  '$host',
  '$host',
  '$http_x_kind',
  '$arg_q',
  '$request_method',
  '$cookie_c',
  '$scheme',
  '$remote_addr',
  '$uri$arg_q',
  '$http_host',
  '$request_uri',
  '$ssl_server_name',
  '$http_x_forwarded_proto',
  '$http_upgrade',
  '$http_user_agent',
  '$scheme$host',
  '$server_port',
  '$http_referer',
  '"$http_x_kind:$arg_q"',
];

const texts = ['a', 'B', '/a', '/api/', '""', 'GET', 'POST', 'https', '127.0.0.1', 'b.example', 'websocket'];
const patterns = [
  '~^/a',
  '~*b$',
  '"~^(?<m>[a-z]+)$"',
  '~(.)$',
  '~^127\\.',
  '~\\.example',
  '~*^(a|one)',
  '~.',
  '~*^/API/(.*)$',
];
const results = ['one', 'two', '""', '$host', '0', '1', '/mapped', '$uri', 'x$arg_q', 'upgrade', 'close'];

export function map(ink: Ink, at: number): string {
  const { chance } = ink;
  const before = ink.own.filter((name) => name.startsWith('$map'));
  const source = chance.percent(10) && before.length > 0 ? chance.pick(before) : chance.pick(sources);
  const isHosts = ['$host', '$http_host'].includes(source) && chance.percent(70);
  const keys = isHosts
    ? [...chance.some(['a.example', '*.example', '.b.example', 'www.*', '*.a.example', 'x.y.*'], 3)]
    : [...chance.some(texts, 3)];
  keys.push(...chance.some(patterns, isHosts ? 1 : 2));
  const result = (key: string) => {
    if (!key.includes('~') || chance.percent(65)) return chance.pick(results);
    return chance.pick(key.includes('<m>') ? ['$m', '$1'] : ['$1', 'x$1']);
  };
  const lines = [...new Set(keys)].map((key) => `${key} ${result(key)};`);
  const standard = chance.percent(60) ? `default ${chance.pick(['none', '0', '$uri', '""'])};` : '';
  const flags = `${isHosts ? 'hostnames; ' : ''}${chance.percent(6) ? 'volatile; ' : ''}`;
  const inside = chance.percent(6)
    ? `include ${fileOf(ink, `# a map's lines\n${lines.join('\n')}\n`)};`
    : lines.join(' ');
  return `map ${source} ${made(ink, `map${at}_`)} { ${flags}${standard} ${inside} }`;
}

const networks = ['127.0.0.0/8', '127.1.0.0/16', '127.0.0.1', '10.0.0.0/8', '0.0.0.0/0', '127.2.0.9/32'];
const ranges = ['127.2.0.0-127.2.255.255', '127.0.0.1-127.0.0.1', '127.0.0.0-127.1.2.2', '10.0.0.0-10.1.1.1'];

export function geo(ink: Ink): string {
  const { chance } = ink;
  const isRanges = chance.percent(25);
  const lines = (isRanges ? ranges : networks)
    .filter(() => chance.percent(50))
    .map((network, at) => `${network} ${chance.pick(['one', 'two', '1', '0', `net${at}`])};`);
  const standard = chance.percent(70) ? `default ${chance.pick(['none', '0', '1'])};` : '';
  const gone = !isRanges && chance.percent(8) ? ' delete 127.1.0.0/16;' : '';
  const source = chance.percent(15) ? '$arg_ip ' : '';
  return `geo ${source}${made(ink, 'geo')} { ${isRanges ? 'ranges; ' : ''}${standard} ${lines.join(' ')}${gone} }`;
}

/** By a hash that nobody can tell in advance: one of what it gives has to be what comes. */
function split(ink: Ink): string {
  const key = ink.chance.pick(['$remote_addr', '$remote_addr$http_x_kind', '$arg_q', '$request_id']);
  return `split_clients "${key}" ${made(ink, 'split')} { 30% a; 20.5% /b; * one; }`;
}

function mapOfPools(ink: Ink): string {
  const { chance, id } = ink;
  const source = chance.pick(['$host', '$uri', '$http_x_kind', '$arg_q', '$cookie_c', '$ssl_server_name']);
  const keys = chance.some(['a.example', '~^/a', 'a', '~*^WWW', 'b.example', '""'], 3);
  const to = () => chance.pick([`u${id}`, chance.percent(10) ? `W${id}` : `w${id}`, origin(ink)]);
  const lines = [...new Set(keys)].map((key) => `${key} ${to()};`);
  const whole = [...new Set(chance.some(['a.example', 'a', '~^/a', '~*(b)'], 2))].map(
    (key) => `${key} http://${to()};`,
  );
  return [
    `map ${source} $pool${id} { default ${to()}; ${lines.join(' ')} }`,
    `map ${source} $whole${id} { default http://${to()}; ${whole.join(' ')} }`,
  ].join('\n');
}
