/** Locations, one in another, and what they inherit. */
import { content, headerLine } from './contents.ts';
import {
  type Around,
  expressions,
  fileOf,
  type Ink,
  origin,
  type Place,
  pathOf,
  segments,
  values,
} from './ink.ts';
import { codes } from './rewriting.ts';

export function locations(around: Around): readonly string[] {
  const { ink } = around;
  const { chance } = ink;
  const seen = new Set<string>();
  const found: string[] = [];
  if (chance.percent(70)) found.push(`location / { ${inside(around, 2, { kind: 'prefix', name: '/' })} }`);
  for (let count = chance.below(6); count > 0; count--) {
    const sign = chance.pick(['', '', '', '', '=', '^~', '~', '~', '~*']);
    const isRegex = sign.startsWith('~');
    const name = isRegex ? chance.pick(expressions) : pathOf(ink);
    const key = isRegex ? `${sign} ${name}` : `${sign === '=' ? '=' : ''} ${name}`;
    if (seen.has(key) || (name === '/' && sign !== '=')) continue;
    seen.add(key);
    const place: Place = isRegex ? { kind: 'regex' } : { kind: sign === '=' ? 'exact' : 'prefix', name };
    const glued = sign !== '' && !/[ ;]/.test(name) && chance.percent(10) ? `${sign}${name}` : null;
    const head = glued === null ? `${sign} "${name}"` : `"${glued}"`;
    found.push(`location ${head} { ${inside(grouped(around, name), 2, place)} }`);
  }
  return found;
}

/** What the names of a location's groups are, inside of it. */
function grouped(around: Around, name: string): Around {
  const names = [...name.matchAll(/\(\?<(\w+)>/g)].map(([, one = '']) => `$${one}`);
  return names.length === 0 ? around : { ...around, groups: [...around.groups, ...names, ...names] };
}

export function inside(around: Around, depth: number, place: Place): string {
  const { ink } = around;
  const { chance } = ink;
  const lines = [
    ...(chance.percent(4) ? ['internal;'] : []),
    ...(chance.percent(45) ? codes(around, 2, place) : []),
    ...(place.kind !== 'named' && place.kind !== 'server' && chance.percent(5) ? [limited(around)] : []),
    ...(chance.percent(10) && place.kind !== 'named' ? [tried(around)] : []),
    ...(chance.percent(25) ? shared(around) : []),
    ...(depth > 0 && chance.percent(10) ? nested(around, depth, place) : []),
    content(around, place),
  ];
  return onceEach(lines.join(' '));
}

function nested(around: Around, depth: number, place: Place): readonly string[] {
  const { chance } = around.ink;
  const expression = (): string => {
    const name = chance.pick(expressions);
    return `location ${chance.pick(['~', '~*'])} "${name}" { ${inside(grouped(around, name), depth - 2, { kind: 'regex' })} }`;
  };
  if (place.kind === 'regex') return [expression()];
  if (place.kind !== 'prefix') return [];
  const base = place.name === '/' ? '' : place.name.replace(/\/$/, '');
  const names = new Set(chance.some(segments, 2));
  const below = [...names].map((segment) => {
    const sign = chance.pick(['', '', '=', '^~']);
    const name = `${base}/${segment}${chance.percent(25) ? '/' : ''}`;
    const at: Place = { kind: sign === '=' ? 'exact' : 'prefix', name };
    return `location ${sign} "${name}" { ${inside(around, depth - 1, at)} }`;
  });
  return chance.percent(40) ? [...below, expression()] : below;
}

function limited({ ink }: Around): string {
  const { chance } = ink;
  const methods = chance.pick(['GET', 'POST', 'GET POST', 'HEAD', 'PUT DELETE', 'GET OPTIONS']);
  const block = chance.pick([
    'deny all;',
    'deny all;',
    'allow 127.1.0.0/16; deny all;',
    'deny 127.0.0.1;',
    `proxy_pass http://${origin(ink)};`,
  ]);
  return `limit_except ${methods} { ${block} }`;
}

function tried({ named, ink }: Around): string {
  const { chance } = ink;
  const files = chance.pick([
    '$uri',
    '$uri',
    '$uri $uri/',
    '$uri $uri/',
    '/there.txt',
    '$uri.html',
    '$uri/index.html $uri',
    '$uri $uri.html $uri/',
    '/$arg_q',
    'there.txt',
  ]);
  const last = chance.pick([
    '/fallback',
    '=404',
    '/api/?t=$uri',
    '=403',
    '/index.html',
    '/x.php$is_args$args',
    '/x.php?$query_string',
    '/x.php?q=$uri&$args',
    '/x.php$request_uri',
    '/e$uri',
    '=503',
    named[0] ?? '/a',
    named.at(-1) ?? '@none',
  ]);
  return `try_files ${files} ${last};`;
}

/** Directives that inner blocks inherit. */
export function shared(around: Around): readonly string[] {
  const { ink } = around;
  const { chance, machine } = ink;
  const found: string[] = [];
  const at = (share: number, make: () => string) => {
    if (chance.percent(share)) found.push(make());
  };
  at(30, () => `root ${machine.root};`);
  at(
    15,
    () => `proxy_set_header Host ${chance.pick(['$host', '$http_host', 'fixed.example', '$proxy_host'])};`,
  );
  at(10, () => `proxy_set_header X-Seen "${chance.pick([...values, ...ink.own])}";`);
  at(8, () => headerLine(ink));
  at(22, () => errorPage(around));
  at(8, () => errorPage(around));
  at(4, () => 'recursive_error_pages on;');
  at(7, () => access(ink));
  at(4, () => `absolute_redirect ${chance.pick(['off', 'off', 'on'])};`);
  at(4, () => `port_in_redirect ${chance.pick(['off', 'off', 'on'])};`);
  at(4, () => `server_name_in_redirect ${chance.pick(['on', 'on', 'off'])};`);
  at(5, () =>
    chance.pick([
      'index x.php index.html;',
      'index there.txt;',
      'index /there.txt;',
      'index a index.html;',
      'index none;',
    ]),
  );
  at(6, () =>
    chance.pick([
      'add_header X-Frame-Options DENY always;',
      'expires 30d;',
      'gzip on;',
      'etag off;',
      'client_max_body_size 8m;',
      'default_type text/plain;',
      'sendfile on;',
      'access_log off;',
    ]),
  );
  return found;
}

function access(ink: Ink): string {
  const { chance } = ink;
  const secret = () => {
    const file = fileOf(ink, 'someone:{PLAIN}word\n');
    return `auth_basic "closed"; auth_basic_user_file ${file};`;
  };
  const addresses = chance.pick([
    'deny all;',
    'allow 127.0.0.1; deny all;',
    'deny 127.0.0.0/8;',
    'deny 127.1.0.0/16; allow 127.0.0.0/8; deny all;',
    'allow 127.2.0.0/15; deny all;',
    'allow 10.0.0.0/8; deny all;',
    'deny 127.2.0.9; allow all;',
    'allow ::1; allow 127.0.0.1/32; deny all;',
    'deny 127.0.0.1; deny 127.1.2.3;',
  ]);
  if (chance.percent(65)) return addresses;
  if (chance.percent(15)) return 'auth_request /api;';
  return `${chance.percent(50) ? 'satisfy any; ' : ''}${chance.percent(60) ? addresses : ''} ${chance.percent(20) ? 'auth_basic off;' : secret()}`;
}

function errorPage({ ink, named }: Around): string {
  const { chance } = ink;
  const codes = chance.pick([
    ...[
      '404',
      '403 404',
      '403',
      '500 502',
      '405',
      '401',
      '418',
      '503',
      '500 502 503 504',
      '400',
      '301',
      '404 301 302',
      '497',
      '400 497',
      '403 500',
    ],
  ]);
  const sign = chance.pick(['', '', '=200 ', '= ', '=404 ', '=503 ', '=302 ']);
  const [first] = named;
  const target =
    first !== undefined && chance.percent(40)
      ? chance.pick(named)
      : chance.pick([
          '/error',
          '/a/error',
          '/error?e=1',
          'http://elsewhere.example/',
          '/api/',
          'https://$host$request_uri',
          '/e$uri',
          '/there.txt',
        ]);
  return `error_page ${codes} ${sign}${target};`;
}

/** What may stand but once in a block; its inner blocks may say it again. */
const single =
  /^(?:root|alias|try_files|satisfy|auth_basic|auth_basic_user_file|absolute_redirect|port_in_redirect|server_name_in_redirect|recursive_error_pages|internal|proxy_pass|proxy_method|proxy_http_version|proxy_intercept_errors|proxy_redirect|proxy_buffering|proxy_read_timeout|proxy_pass_request_body|expires|gzip|etag|client_max_body_size|default_type|sendfile|access_log|autoindex|fastcgi_pass|limit_except|auth_request|stub_status|empty_gif|mp4|proxy_cookie_path)(?=[ ;])/;

export function onceEach(text: string): string {
  const said = new Set<string>();
  return statementsOf(text)
    .filter((line) => {
      const name = single.exec(line)?.[0];
      // One folder for each block.
      const key = name === 'alias' ? 'root' : name;
      if (key === undefined || !said.has(key)) {
        if (key !== undefined) said.add(key);
        return true;
      }
      return false;
    })
    .join(' ');
}

/** Directives side by side, each with its block. */
function statementsOf(text: string): readonly string[] {
  const found: string[] = [];
  let depth = 0;
  let quote = '';
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? '';
    if (quote !== '') {
      if (char === '\\') at += 1;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === "'") quote = char;
    else if (char === '$' && text[at + 1] === '{') at = text.indexOf('}', at);
    else if (char === '{') depth += 1;
    else if (char === '}') depth -= 1;
    if (quote === '' && depth === 0 && (char === ';' || char === '}')) {
      found.push(text.slice(from, at + 1).trim());
      from = at + 1;
    }
  }
  return found;
}
