/** Inputs that are known to be hard, each by name: they are tried first in every run. */
import type { Command, Content, Input } from './child.ts';

const megabyte = 1024 * 1024;
const http = (inside: string) => `events {}\nhttp {\n${inside}\n}\n`;
const haproxy = (inside: string, before = '') =>
  `${before}defaults\n  mode http\n  timeout client 1s\n  timeout server 1s\n  timeout connect 1s\nfrontend f\n  bind :8080\n${inside}\n  default_backend b\nbackend b\n  server s 127.0.0.1:80\nbackend c\n  server s 127.0.0.1:81\n`;
const many = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');

/** All that is asked of one text. */
export function commandsFor(name: string, from = name): readonly Command[] {
  return [
    { args: ['plan', `@${name}`, '--from', `@${name}`, '--json'], wanted: 'same' },
    ...(from === name ? [] : [{ args: ['plan', `@${name}`, '--from', `@${from}`, '--json'] }]),
    {
      args: [
        'explain',
        `@${name}`,
        'GET https://www.shop.example/cart/x.php?a=1',
        '-H',
        'Cookie: a=b',
        '--json',
      ],
    },
    { args: ['check', `@${name}`, '--json'] },
  ];
}

function trap(
  name: string,
  file: string,
  content: string | Content,
  more: Readonly<Record<string, string>> = {},
): Input {
  const files = Object.fromEntries(Object.entries(more).map(([key, text]) => [key, Buffer.from(text)]));
  return {
    name,
    files: { [file]: typeof content === 'string' ? Buffer.from(content) : content, ...files },
    commands: commandsFor(file),
  };
}

const dialectFiles = ['haproxy.cfg', 'nginx.conf', 'site.yaml', 'policy.yaml'] as const;

const everywhere: readonly Input[] = dialectFiles.flatMap((file) => [
  trap(`${file}: nothing at all`, file, ''),
  trap(`${file}: one line break`, file, '\n'),
  trap(`${file}: NUL bytes`, file, '\0'.repeat(1000)),
  trap(
    `${file}: a program`,
    file,
    Buffer.from(
      many(400, (index) => String.fromCharCode((index * 7919) % 256)),
      'latin1',
    ),
  ),
  trap(`${file}: UTF-16`, file, Buffer.from('\ufeffglobal\ndefaults\n', 'utf16le')),
  trap(`${file}: a byte order mark only`, file, '\ufeff'),
  trap(`${file}: 50 MB of one letter`, file, { text: 'a', times: 50 * megabyte }),
  trap(`${file}: 50 MB of lines`, file, { text: '  server s 127.0.0.1:80\n', times: 2 * megabyte }),
  trap(`${file}: just under the limit, one line`, file, { text: 'a ', times: megabyte / 2 - 10 }),
  trap(`${file}: 100,000 opening braces`, file, '{'.repeat(100_000)),
  trap(`${file}: 100,000 opening brackets`, file, '['.repeat(100_000)),
  trap(`${file}: 100,000 quotes`, file, '"\''.repeat(50_000)),
  trap(`${file}: 100,000 backslashes`, file, `acl a path ${'\\'.repeat(100_001)}`),
  trap(`${file}: carriage returns only`, file, 'global\rdefaults\rfrontend f\rbind :80\r'),
]);

const expressions: readonly (readonly [string, string])[] = [
  ['possessive', '^/a++b'],
  ['atomic', '^/(?>a+)b'],
  ['recursion', '^/(a(?1)?b)$'],
  ['whole recursion', '^(/x(?R)?)$'],
  ['\\K', '^/a\\Kb'],
  ['conditional', '^/(a)?(?(1)b|c)'],
  ['inline flags', '^/(?i)cart'],
  ['flags of a group', '^/(?i:CART)/x'],
  ['flags off', '(?i)/a(?-i)B'],
  ['extended', '(?x) ^/ c a r t'],
  ['POSIX class', '^/[[:alpha:]]+$'],
  ['POSIX class, negated', '^/[^[:digit:]]+$'],
  ['literal', '^/\\Qa.b\\E'],
  ['property', '^/\\p{Lu}'],
  ['script', '^/\\p{Greek}'],
  ['horizontal space', '\\h'],
  ['line break', '\\R'],
  ['named, Python', '(?P<n>a)(?P=n)'],
  ['named, quoted', "(?'n'a)\\k'n'"],
  ['branch reset', '^/(?|(a)|(b))\\1'],
  ['comment', '^/a(?#comment)b'],
  ['verb', '^/a(*SKIP)(*FAIL)|b'],
  ['start verb', '(*UTF8)^/é'],
  ['code point', '\\x{263a}'],
  ['octal', '\\o{101}'],
  ['control', '\\cA'],
  ['look behind, of several lengths', '(?<=a|bc)d'],
  ['absolute anchors', '\\A/cart\\z'],
  ['last match', '\\G/cart'],
  ['relative reference', '(a)\\g{-1}'],
  ['catastrophe', '^/(a+)+$'],
  ['large counts', '^/(?:a{1,200}){1,200}$'],
  ['more than is allowed', '^/a{65536}'],
  ['nested counts', '(((((((a{9}){9}){9}){9}){9}){9}){9})'],
  ['unclosed class', '^/[a'],
  ['unclosed group', '^/(a'],
  ['nothing to repeat', '*a'],
  ['empty', ''],
  ['empty class', '[]a]'],
  ['range upside down', '[z-a]'],
  ['10,000 branches', many(10_000, (index) => `x${index}`).replaceAll('\n', '|')],
  ['2,000 groups', '('.repeat(2_000) + ')'.repeat(2_000)],
  ['dot and NUL', '.\\0.'],
  ['bytes', '\\xff\\xfe'],
  ['any byte', '\\C'],
  ['end of subject', '/cart\\Z'],
  ['dollar inside', '/a$b'],
];

const quotedFor = (text: string) => `"${text.replaceAll(/[\\"$]/g, '\\$&')}"`;

const ofExpressions: readonly Input[] = expressions.flatMap(([what, source]) => [
  trap(
    `haproxy.cfg: regex: ${what}`,
    'haproxy.cfg',
    haproxy(
      `  use_backend c if { path -m reg ${quotedFor(source)} }\n  http-request replace-path ${quotedFor(source)} /x\\1`,
    ),
  ),
  trap(
    `nginx.conf: regex: ${what}`,
    'nginx.conf',
    http(
      `server { listen 8080; location ~ "${source.replaceAll('"', '\\"')}" { return 403; } rewrite "${source.replaceAll('"', '\\"')}" /x$1 last; location / { return 204; } }`,
    ),
  ),
  trap(`site.yaml: regex: ${what}`, 'site.yaml', siteWith(source)),
]);

function siteWith(source: string): string {
  return `site: s\nlisteners:\n  - { name: http, address: "*:8080" }\nroutes:\n  - { name: a, matches: [{ path: { type: RegularExpression, value: ${JSON.stringify(source)} } }], pool: p }\npools:\n  - { name: p, servers: [{ name: s, address: "127.0.0.1:1" }] }\nbalancers:\n  - { name: lb, engine: haproxy, address: 127.0.0.1 }\n`;
}

const ofHaproxy: readonly Input[] = [
  trap(
    'haproxy.cfg: a map that is not there',
    'haproxy.cfg',
    haproxy('  use_backend %[path,map(/nowhere/at.all,b)]\n  use_backend c if { path -f /nowhere/list }'),
  ),
  trap(
    'haproxy.cfg: a map that is a folder, a device',
    'haproxy.cfg',
    haproxy(
      '  use_backend %[path,map(/proc,b)]\n  use_backend c if { path -f /dev/zero }\n  use_backend c if { path -f /dev/stdin }',
    ),
  ),
  trap(
    'haproxy.cfg: a list with NUL and bytes',
    'haproxy.cfg',
    haproxy('  use_backend c if { path -f list }'),
    { list: '\0\u0001/a\n\ufeff/b\n#\n\n' },
  ),
  trap('haproxy.cfg: a line of 4 MB', 'haproxy.cfg', haproxy(`  acl a path ${'/a '.repeat(300_000)}`)),
  trap(
    'haproxy.cfg: 20,000 ACLs, all used',
    'haproxy.cfg',
    haproxy(
      `${many(10_000, (index) => `  acl a${index} path_beg /${index}`)}\n${many(10_000, (index) => `  use_backend c if a${index}`)}`,
    ),
  ),
  trap(
    'haproxy.cfg: 400 conditions that grow',
    'haproxy.cfg',
    haproxy(
      many(
        400,
        (index) =>
          `  http-request set-var(txn.v${index}) path,regsub(a,b${index}) if { path_sub ${index} } or { hdr(x) -m sub ${index} }`,
      ),
    ),
  ),
  trap(
    'haproxy.cfg: a path that is rewritten 300 times',
    'haproxy.cfg',
    haproxy(
      many(
        300,
        (index) => `  http-request replace-path (.*)a${index}(.*) \\2x${index}\\1 if { path_sub a${index} }`,
      ),
    ),
  ),
  trap(
    'haproxy.cfg: values that double',
    'haproxy.cfg',
    haproxy(
      many(64, () => '  http-request set-header x %[req.hdr(x)]%[req.hdr(x)]') +
        '\n  use_backend c if { hdr(x) aa }',
    ),
  ),
  trap(
    'haproxy.cfg: nested .if',
    'haproxy.cfg',
    `${'.if 1\n'.repeat(2_000)}${haproxy('')}${'.endif\n'.repeat(2_000)}`,
  ),
  trap('haproxy.cfg: .if that is never closed', 'haproxy.cfg', haproxy('', '.if defined(X)\n')),
  trap(
    'haproxy.cfg: defaults from each other',
    'haproxy.cfg',
    `defaults a from b\ndefaults b from a\n${haproxy('')}`,
  ),
  trap('haproxy.cfg: an ACL of itself', 'haproxy.cfg', haproxy('  acl a acl(a)\n  use_backend c if a')),
  trap(
    'haproxy.cfg: names of objects',
    'haproxy.cfg',
    haproxy(
      '  acl constructor path /a\n  acl __proto__ path /b\n  use_backend toString if constructor __proto__\n  http-request set-header __proto__ x\n  http-request set-var(txn.constructor) str(1)',
    ),
  ),
  trap(
    'haproxy.cfg: quotes that are not closed',
    'haproxy.cfg',
    haproxy('  acl a path "/a\n  acl b path \'/b\n'),
  ),
  trap(
    'haproxy.cfg: it includes itself as a list',
    'haproxy.cfg',
    haproxy('  use_backend c if { path -f haproxy.cfg }'),
  ),
  trap(
    'haproxy.cfg: 60 conditions over all parts of a request',
    'haproxy.cfg',
    haproxy(
      many(
        60,
        (index) =>
          `  use_backend ${index % 2 ? 'b' : 'c'} if { path_reg x${index}.*y } { hdr(h${index}) -m reg z.*${index} } or !{ query -m sub q${index} } { src 10.${index}.0.0/16 }`,
      ),
    ),
  ),
];

const ofNginx: readonly Input[] = [
  trap('nginx.conf: it includes itself', 'nginx.conf', http('include nginx.conf;')),
  trap('nginx.conf: two that include each other', 'nginx.conf', http('include a.conf;'), {
    'a.conf': 'include b.conf;\nserver { listen 8080; }\n',
    'b.conf': 'include a.conf;\n',
  }),
  trap(
    'nginx.conf: every file includes every file',
    'nginx.conf',
    http('include *.inc;'),
    Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`${index}.inc`, 'include *.inc;\n'])),
  ),
  trap('nginx.conf: a pattern over the whole machine', 'nginx.conf', http('include /*/*/*;')),
  trap(
    'nginx.conf: devices and folders',
    'nginx.conf',
    http('include /dev/zero;\ninclude /dev/stdin;\ninclude /proc;\ninclude /proc/self/*;'),
  ),
  trap(
    'nginx.conf: an include that is not there',
    'nginx.conf',
    http('include /nowhere/x.conf;\nserver { listen 8080; }'),
  ),
  trap(
    'nginx.conf: 10,000 nested blocks',
    'nginx.conf',
    http(`server { listen 8080; ${'location /a { '.repeat(10_000)}${'}'.repeat(10_000)} }`),
  ),
  trap('nginx.conf: 100,000 nested blocks, not closed', 'nginx.conf', http('a {'.repeat(100_000))),
  trap(
    'nginx.conf: 5,000 locations',
    'nginx.conf',
    http(
      `server { listen 8080; ${many(5_000, (index) => `location /${index} { return ${200 + (index % 300)}; }`)} }`,
    ),
  ),
  trap(
    'nginx.conf: 300 regular locations',
    'nginx.conf',
    http(
      `server { listen 8080; ${many(300, (index) => `location ~ /x${index}.*y { return ${200 + index}; }`)} }`,
    ),
  ),
  trap(
    'nginx.conf: rewrites in a circle',
    'nginx.conf',
    http(
      'server { listen 8080; location / { rewrite ^/(.*)$ /x/$1 last; } location /x { rewrite ^/x(.*)$ /$1 last; } error_page 404 /; try_files /a /b =404; }',
    ),
  ),
  trap(
    'nginx.conf: 40 ifs',
    'nginx.conf',
    http(
      `server { listen 8080; ${many(40, (index) => `if ($arg_a${index} ~ "x(.*)") { set $v${index} $1; }`)} return 200 "${many(40, (index) => `$v${index}`).replaceAll('\n', '')}"; }`,
    ),
  ),
  trap(
    'nginx.conf: variables of each other',
    'nginx.conf',
    http(
      'map $b $a { default $b; }\nmap $a $b { default $a; }\nserver { listen 8080; return 302 http://$a/; }',
    ),
  ),
  trap(
    'nginx.conf: maps that double',
    'nginx.conf',
    http(
      `${many(64, (index) => `map $uri $m${index + 1} { default "$m${index}$m${index}"; }`)}\nserver { listen 8080; return 302 /$m64; }`,
    ),
  ),
  trap(
    'nginx.conf: a map with 50,000 entries',
    'nginx.conf',
    http(
      `map $uri $m {\n${many(50_000, (index) => `/${index} ${index};`)}\n}\nserver { listen 8080; if ($m = 5) { return 403; } return 204; }`,
    ),
  ),
  trap(
    'nginx.conf: names of objects',
    'nginx.conf',
    http(
      'map $uri $constructor { default 1; __proto__ 2; }\nserver { listen 8080; server_name __proto__ constructor; set $__proto__ 1; location /toString { proxy_pass http://hasOwnProperty; } }',
    ),
  ),
  trap(
    'nginx.conf: Lua with braces',
    'nginx.conf',
    http('server { listen 8080; location / { content_by_lua_block { if x then return "}" end -- { } } }'),
  ),
];

const ofSites: readonly Input[] = [
  trap(
    'site.yaml: aliases that grow',
    'site.yaml',
    `a: &a [x,x,x,x,x,x,x,x,x]\n${many(9, (index) => `${String.fromCharCode(98 + index)}: &${String.fromCharCode(98 + index)} [${Array.from({ length: 9 }, () => `*${String.fromCharCode(97 + index)}`).join(',')}]`)}\n`,
  ),
  trap('site.yaml: an alias of itself', 'site.yaml', 'site: &a [*a]\n'),
  trap('site.yaml: 20,000 levels', 'site.yaml', '- '.repeat(20_000)),
  trap('site.yaml: several documents', 'site.yaml', '---\nsite: a\n---\nsite: b\n'),
  trap(
    'site.yaml: keys of objects',
    'site.yaml',
    '__proto__: { site: x }\nconstructor: 1\nsite: x\nroutes: { __proto__: 1 }\n',
  ),
  trap(
    'site.yaml: tags',
    'site.yaml',
    'site: !!binary aGVsbG8=\nroutes: !!set { a, b }\nlisteners: !!js/function "x"\n',
  ),
];

export const traps: readonly Input[] = [
  ...everywhere,
  ...ofHaproxy,
  ...ofNginx,
  ...ofSites,
  ...ofExpressions,
];
