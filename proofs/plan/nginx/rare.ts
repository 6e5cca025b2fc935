/** What few texts of NGINX have: lines of a server, each with locations of its own, so that it comes up in some text of a hundred. */
import type { Chance } from '../chance.ts';

export interface Place {
  /** Sets of servers by their names, and one by its address. */
  readonly pools: readonly string[];
  readonly origin: string;
  /** A folder with a few files. */
  readonly root: string;
  /** Sockets of the same servers. */
  readonly sockets: readonly string[];
  /** A variable that may be empty or not. */
  readonly variable: string;
}

/** Lines for a `server`. */
export function rareLines(chance: Chance, place: Place): readonly string[] {
  const to = `http://${chance.pick([...place.pools, place.origin])}`;
  const see = `proxy_set_header X-See "$uri|$args|${place.variable}"; proxy_pass ${to};`;
  return chance.pick(chance.pick([content, rewritten, located, kept])({ ...place, chance, to, see }));
}

interface Drawn extends Place {
  readonly chance: Chance;
  /** Where requests go on to, without a URI. */
  readonly to: string;
  /** The same, and the server is told what the request was by then. */
  readonly see: string;
}

function content({ chance, root, sockets, to, see }: Drawn): readonly (readonly string[])[] {
  return [
    [`location /gif { ${chance.pick(['empty_gif', 'stub_status'])}; }`],
    [
      `location /unix { proxy_pass http://unix:${chance.pick(sockets)}${chance.pick(['', ':/', ':/u/', ':/u?x=1'])}; }`,
    ],
    [`location /mark { proxy_pass ${to}${chance.pick(['?z=1', '?', '/?z=$arg_q', '/m?'])}; }`],
    [
      `location /whole { if ($request_uri ~* "^/whole(.*)$") { proxy_pass ${to}/m$1; } ${see} }`,
      `location /whole2 { if ($request_uri ~ "^/whole2/?([^?]*)") { proxy_pass ${to}/$1${chance.pick(['', '?z=1', '$is_args$args'])}; } ${see} }`,
    ],
    [`location /closed { auth_basic "x"; auth_basic_user_file /nonexistent; ${see} }`],
    [
      `location /closed { satisfy ${chance.pick(['any', 'all'])}; allow 127.1.0.0/16; deny all; auth_basic x; auth_basic_user_file /nonexistent; ${see} }`,
    ],
    [
      `location /closed { auth_request /asks; ${see} }`,
      `location = /asks { return ${chance.pick([200, 401, 403, 404])}; }`,
    ],
    [
      `location /closed { set $later own; auth_request /asks; proxy_set_header X-Later "$later"; ${see} }`,
      `location = /asks { ${chance.pick(['set $later own;', 'set $later sub;', 'if ($arg_q) { set $later sub; }', 'if ($arg_q) { set $later own; }', 'set $later $arg_q;'])} return 204; }`,
    ],
    [`location ~ ^/taken/(.*)$ { alias ${root}/$1; }`],
    [
      `location /slash/ { alias ${root}/; index ${chance.pick(['there.txt', 'none.html there.txt', '/a', 'index.html /api/'])}; }`,
    ],
    [
      `location /rooted { root ${root}/; }`,
      `location /named-root { return 200 "$document_root $request_filename"; }`,
    ],
    [
      `location /tried { try_files ${chance.pick(['$uri', '$uri $uri/', '$uri/index.html', '/there.txt$uri'])} ${chance.pick(['=500', '=404', '@late', '/late?x=$uri', '/late$uri'])}; }`,
      `location @late { ${see} }`,
      `location /late { ${see} }`,
    ],
    [
      `location /under { alias ${root}; try_files ${chance.pick(['$uri', '$uri /under/there.txt', '/there.txt'])} /late; }`,
      `location /late { ${see} }`,
    ],
    [
      `location /under/ { alias ${root}/; try_files ${chance.pick(['$uri', 'there.txt', '$uri $uri/'])} =404; }`,
    ],
    [
      `location /faulty { error_page ${chance.pick(['404 =301', '404 =307', '403 404 =', '404 =200', '404'])} ${chance.pick(['http://elsewhere.example/e', '/late?e=1', '/gone', '@late'])}; return 404; }`,
      `location /late { ${see} }`,
      `location @late { ${see} }`,
    ],
    [`location /loop { error_page 404 /loop/again; root ${root}; }`],
  ];
}

/** What is worked out once, and asked for again when the request is another by then. */
function kept({ chance, root, variable, see }: Drawn): readonly (readonly string[])[] {
  const again = `proxy_set_header X-Kept "${variable}|$remote_addr|$proxy_add_x_forwarded_for"; ${see}`;
  const moved = chance.pick(['/late last', '/late?q=a&ip=x last', '/late? last', '/late$1 last']);
  const header = chance.pick(['X-Forwarded-For', 'X-Kind', 'X-Real-IP']);
  const asks = chance.pick([
    'if ($remote_addr = 10.1.2.3) { return 403; }',
    'set $later "$remote_addr";',
    'if ($http_x_kind) { set $later "$remote_addr"; }',
    'if ($proxy_add_x_forwarded_for ~ "^1") { return 409; }',
    '',
  ]);
  const real = `set_real_ip_from ${chance.pick(['127.0.0.0/8', '127.0.0.1'])}; real_ip_header ${header};`;
  return [
    [
      `location /kept { set $later ""; if (${variable} ${chance.pick(['', '= a', '~ "(.)$"', '!= one'])}) { set $later in; } rewrite "^/kept(.*)$" ${moved}; }`,
      `location /late { ${again} }`,
    ],
    [
      `location /kept { if ($arg_q) { set $later "${variable}"; } rewrite "^/kept(.*)$" ${moved}; }`,
      `location /late { ${again} }`,
    ],
    [
      `location /kept { try_files /${variable} ${root}/${variable} ${chance.pick(['@late', '/late', '/late?q=a'])}; }`,
      `location /late { ${again} }`,
      `location @late { ${again} }`,
    ],
    [
      `location /kept { error_page 404 = /late?q=a; if (${variable} = "") { return 404; } ${again} }`,
      `location /late { ${again} }`,
    ],
    [`location /kept { ${real} ${asks} ${again} }`],
    [`location /kept { ${real} ${asks} allow 127.0.0.0/8; deny all; ${again} }`],
    [
      `location /kept { ${real} ${asks} try_files /gone @late; }`,
      `location @late { ${chance.pick([real, ''])} ${again} }`,
    ],
    [`${real}`, `location /kept { ${asks} ${again} }`],
  ];
}

function rewritten({ chance, pools, root, variable, to, see }: Drawn): readonly (readonly string[])[] {
  return [
    [
      `location /ifs { if ($arg_q) { proxy_pass http://${pools[0]}; } if (${variable}) { ${chance.pick(['set $later x;', 'add_header X-In if;', `proxy_pass http://${pools[1]};`, ''])} } ${see} }`,
    ],
    [`location /twice { rewrite ^/twice/(.*)$ /twice/x$1; ${see} }`],
    [
      `location /args { rewrite ^/args/([a-z]+) /late?k=$1; }`,
      `location /args2 { rewrite ^/args2(.*)$ /late$1? last; }`,
      `location /late { ${see} }`,
    ],
    [
      `location /out { rewrite ^/out/(.*)$ ${chance.pick(['http://o.example/%20%41/$1', 'https://o.example/$1?a=$1', '$scheme://o.example$request_uri?', '/in/$1 permanent', '/in%41?x=%20 redirect', '?only=%41 redirect'])}; }`,
    ],
    [
      `location /codes { return ${chance.pick(['301 /x$is_args$args', '302 x', '303 //y', '307 $http_x_kind', '308 http://z$request_uri', '410', '599', '402 text', '201 made', '400', '413'])}; }`,
    ],
    [
      `location /set { set $later "${chance.pick(['$arg_q', '$1', 'x', '$uri'])}"; if (${variable} = ${chance.pick(['"one"', 'a', '""'])}) { set $later "$later-in"; } return 200 "$later"; }`,
    ],
    [
      `location /set { if ($uri ~ "^/set/(.*)$") { set $later $1; } if ($later = ${chance.pick(['""', 'x', '$arg_q'])}) { return 403; } ${see} }`,
    ],
    [
      `location /iff { if (${chance.pick(['-e', '!-e', '-f', '-d', '-x', '!-f'])} ${root}/${chance.pick(['there.txt', 'gone', '$arg_q'])}) { return 403; } ${see} }`,
    ],
    [
      `location /iff { if ($request_method ${chance.pick(['= POST', '!= GET', '~ ^P', '!~* ^g'])}) { return 405; } if ($http_x_kind) { rewrite ^ /late break; } ${see} }`,
    ],
    [`location ~ "^/groups/(?<one>[a-z]*)/?([^/]*)" { proxy_pass ${to}/g/$one/$2$is_args$args; }`],
    [`location ~* \\.(PHP|cgi)$ { proxy_set_header X-See $1; proxy_pass ${to}; }`],
    [`location ^~ /strong/ { ${see} }`, `location ~ ^/strong { return 418; }`],
    [`location = /exact { ${see} }`, `location /exact { return 418; }`, 'location ~ /exact$ { return 419; }'],
    [
      `location /outer { location /outer/in { return 418; } location ~ \\.x$ { return 419; } location = /outer { return 417; } ${see} }`,
    ],
    [
      `location /hdr { proxy_set_header Host "${chance.pick(['$http_host', '', 'x.example', '$host:$server_port'])}"; proxy_set_header X-A "a"; proxy_set_header X-A "${variable}"; proxy_set_header Connection "${chance.pick(['', 'upgrade', '$http_x_kind'])}"; proxy_pass ${to}; }`,
    ],
    [
      `proxy_set_header X-Outer outer;`,
      `location /inherits { proxy_pass ${to}; }`,
      `location /own { proxy_set_header X-Own own; proxy_pass ${to}; }`,
    ],
  ];
}

function located({ chance, pools, to, see }: Drawn): readonly (readonly string[])[] {
  return [
    [
      `location /real { set_real_ip_from 127.0.0.0/8; real_ip_header ${chance.pick(['X-Forwarded-For', 'X-Kind'])}; ${chance.percent(30) ? 'real_ip_recursive on; ' : ''}proxy_set_header X-See $remote_addr; proxy_pass ${to}; }`,
    ],
    [
      `location /method { proxy_method ${chance.pick(['PUT', '$http_x_kind', '$request_method'])}; proxy_pass ${to}; }`,
    ],
    [
      `location /limits { limit_except ${chance.pick(['GET', 'POST PUT', 'HEAD OPTIONS'])} { ${chance.pick(['deny all;', 'allow 127.1.0.0/16; deny all;'])} } ${see} }`,
    ],
    [
      `location /dyn { set $target ${chance.pick([...pools])}; proxy_pass http://$target${chance.pick(['', '/d', '$request_uri', '/d$is_args$args'])}; }`,
    ],
    [`location /dyn { proxy_pass http://$http_x_kind; }`],
    [`location "/b c" { ${see} }`, `location /b%20c { return 418; }`, `location "/x{y}" { return 417; }`],
    [
      `location /vars { return 200 "$host|$server_name|$server_port|$scheme|$request_uri|$document_uri|$is_args|$args|$request_method|$server_protocol"; }`,
    ],
    [`location /vars { return 200 "$arg_q|$arg_Q|$cookie_c|$http_x_kind|$remote_addr|$https|$uri|$host"; }`],
    [`location /vars { return 200 "\${arg_q}x$\{host}"; }`.replace('$\\{', '${')],
    [
      `location /up { rewrite ^/up(.*) $1; ${see} }`,
      `location /empty { rewrite ^ ""; ${see} }`.replace('""', '"/"'),
    ],
    [
      `location /dir { absolute_redirect ${chance.pick(['off', 'on'])}; port_in_redirect off; return 301 /to; }`,
    ],
    [`location /pick { if ($args ~ "(^|&)q=([^&]*)") { return 200 "$2"; } return 200 none; }`],
    [
      `if ($http_user_agent ~* "(bot|x)") { return 403; }`,
      `if ($host !~ "^(www\\.)?[a-z.]+$") { return 404; }`,
    ],
    [
      `if ($uri ~ "[]x]y") { return 409; }`,
      `location ~ "[^]a]z" { return 410; }`,
      'location ~ "(a(?:b)(c))" { return 200 "$1$2"; }',
    ],
  ];
}
