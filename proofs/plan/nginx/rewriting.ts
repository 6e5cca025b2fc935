/** Directives of the rewrite module: `set`, `rewrite`, `if`, `break`, `return`. */
import { type Around, expressions, origin, type Place, pathOf, values, variable } from './ink.ts';

export function codes(around: Around, depth: number, place: Place): readonly string[] {
  const { chance } = around.ink;
  if (depth > 0 && chance.percent(6)) return both(around);
  return Array.from({ length: 1 + chance.below(2) }, () => code(around, depth, place));
}

/** Two conditions at once, as people write them. */
function both(around: Around): readonly string[] {
  return [
    'set $v1 "";',
    `if (${condition(around)}) { set $v1 A; }`,
    `if (${condition(around)}) { set $v1 "\${v1}B"; }`,
    `if ($v1 = ${around.ink.chance.pick(['AB', 'AB', 'B', 'A', '""'])}) { ${answer(around)} }`,
  ];
}

function code(around: Around, depth: number, place: Place): string {
  const { chance } = around.ink;
  const kind = chance.below(100);
  if (kind < 25) return set(around);
  if (kind < 55) return rewrite(around);
  if (kind < 90 && depth > 0) return test(around, depth, place);
  return kind < 94 ? 'break;' : `set $v1 "${variable(around)}";`;
}

function set(around: Around): string {
  const { chance } = around.ink;
  const name = chance.percent(6) ? '$args' : chance.pick(['$v1', '$v2']);
  const long = () => variable(around).replace(/\$([a-z]\w*)$/, (_, one: string) => `$\{${one}}y`);
  const value = chance.pick([
    '0',
    '1',
    'x',
    '',
    variable(around),
    long(),
    '$v1$v2',
    `${variable(around)}-$1`,
  ]);
  return `set ${name} "${value}";`;
}

const sources = [
  '^/a(.*)$',
  '^(.*)$',
  '^/(api|img)/(.*)$',
  '/x',
  '^/([^/]+)/(.*)$',
  '(.*)/$',
  '\\.php$',
  '^/ab',
  '^',
  '^(.+)/+$',
  '^/img/?(.*)$',
  '^/(?<part>[^/]+)/(.*)$',
  '(?i)^/API/(.*)',
];

function rewrite(around: Around): string {
  const { chance } = around.ink;
  const source = chance.pick(sources);
  const groups = source.replaceAll('(?i)', '').split('(').length - 1;
  const taken = groups === 0 ? '' : chance.pick(['$1', '/$1', groups > 1 ? '/$2' : '$1']);
  const own = source.includes('?<part>') ? ['/p/$part', '/$part?part=$part'] : [];
  const target = chance.pick([
    `/img${taken}`,
    `/new${taken}?k=1`,
    `/a${taken}`,
    `/b${taken}?`,
    '/api/v1',
    `https://r.example${taken}`,
    `$scheme://r.example/z${taken}?y`,
    `/q?w=${taken === '' ? '$uri' : taken.replace('/', '')}`,
    'https://$host$request_uri?',
    `http://r.example/x${taken}`,
    `${taken === '' ? '/there.txt' : taken}`,
    `/x.php?path=${taken}&kind=$http_x_kind`,
    '/folder/',
    `$uri/${taken.replace('/', '')}`,
    ...own,
    ...own,
  ]);
  const flag = chance.pick(['', '', ' last', ' last', ' break', ' redirect', ' permanent']);
  return `rewrite "${source}" "${target}"${flag};`;
}

function test(around: Around, depth: number, place: Place): string {
  const { ink } = around;
  const { chance, machine } = ink;
  const asked = condition(around);
  // What its own expression names is there inside.
  const within = asked.includes('(?<i>') ? { ...around, groups: [...around.groups, '$i', '$i'] } : around;
  const inner = codes(within, depth - 2, place).filter((line) => !line.startsWith('if'));
  const isHere = place.kind !== 'server';
  const end = chance.percent(45)
    ? [answer(within)]
    : isHere && chance.percent(30)
      ? [
          `proxy_pass http://${chance.pick([origin(ink), `u${ink.id}`, `w${ink.id}$request_uri`, `u${ink.id}/if$uri`])};`,
        ]
      : [];
  const settings = isHere
    ? chance.some(
        [
          `root ${machine.root};`,
          'error_page 404 /a;',
          'error_page 405 =200 /error;',
          'add_header X-In if;',
          'expires 1h;',
        ],
        1,
      )
    : [];
  const all = chance.percent(12) ? settings : [];
  return `if (${asked}) { ${[...inner, ...all, ...end].join(' ')} }`;
}

export function condition(around: Around): string {
  const { ink } = around;
  const { chance, machine } = ink;
  const one = variable(around)
    .replace('$1', '$v1')
    .replace('$scheme://$host$uri', '$scheme')
    .replace('$host:$server_port', '$host')
    .replace('$is_args$args', '$is_args');
  const no = chance.percent(30) ? '!' : '';
  return chance.pick([
    one,
    one,
    `${one} = ${chance.pick(['a', '1', 'GET', '""', '/a', 'one', 'POST', 'a.example', "''", '$arg_q', '$host'])}`,
    `${one} != ${chance.pick(['one', '""', 'x', '/api/', '$http_x_kind'])}`,
    `${one} ~ "${chance.pick(['^/a', '(.)$', '^(?<i>[a-z]+)$', 'b', 'GET|POST', '^(one|a)', '/(api)/?(.*)'])}"`,
    `${one} ~* "${chance.pick(['^/A', 'EXAMPLE$', '^$', '^(GET|HEAD)$', '.'])}"`,
    `${one} !~ "${chance.pick(['^/a', 'x', '^a$', '(one)'])}"`,
    `${one} !~* "${chance.pick(['^/A', 'X', '^(A|B)$'])}"`,
    `$request_method ${chance.pick(['=', '!='])} ${chance.pick(['POST', 'GET', 'OPTIONS', 'HEAD'])}`,
    `$host ~ "${chance.pick(['^www\\.(.*)$', '^(a|b)\\.example$', '^[^.]+$'])}"`,
    `$uri ~ "${chance.pick([...expressions])}"`,
    `$request_uri ~* "${chance.pick(['/api/(.*)$', '^/a\\?', '^/([^?]*)', '//'])}"`,
    `$http_user_agent ~* ${chance.pick(['"(bot|x)"', 'x', '"^$"'])}`,
    `$http_cookie ~* "c=([^;]+)(?:;|$)"`,
    `${no}-f ${chance.pick([`${machine.root}/there.txt`, '$request_filename', '$document_root$uri', `${machine.root}$uri`])}`,
    `${no}-d ${chance.pick([`${machine.root}/gone`, '$request_filename', `${machine.root}/folder`])}`,
    `${no}-e ${chance.pick(['$request_filename', `${machine.root}$uri`, '$document_root/there.txt'])}`,
    `${no}-x ${machine.root}/there.txt`,
  ]);
}

export function answer(around: Around): string {
  const { ink, groups } = around;
  const { chance } = ink;
  const value = chance.pick([...values, ...groups]);
  return chance.pick([
    'return 301 https://$host$request_uri;',
    'return 301 $scheme://$host/x$request_uri;',
    'return 301 https://$server_name$request_uri;',
    `return 302 "${pathOf(ink)}";`,
    `return 200 "${value}";`,
    'return 404;',
    'return 403;',
    'return 204;',
    'return 444;',
    'return https://other.example$uri;',
    `return 308 "${value}";`,
    `return 503 "busy ${value}";`,
    'return 200;',
    'return 418 "$1-$2";',
    'return 405;',
    'return 301 $uri/;',
    'return 500;',
    'return 503;',
    'return 410 "";',
    'return 404 "$1 is not here\\n";',
    'return 307 $1;',
    'return 418;',
    'return 401;',
    'return 200 \'{"a":"$arg_a"}\';',
    'return 302 /sign_in?rd=$scheme://$http_host$request_uri;',
    'return 302;',
    'return $scheme://b.example/;',
  ]);
}
