/** Random texts of HAProxy, their constructs about as often as real files have them. */
import type { Chance } from '../chance.ts';
import { noWords, type Words } from '../requests.ts';
import { hosts, type Ink, networks, paths, sources } from './ink.ts';
import { condition, question } from './questions.ts';
import { rare } from './rare.ts';
import { poolsPerText, redirect, rule, use } from './rules.ts';

export { environment } from './ink.ts';

/**
 * `BIND 80` and `SERVER 1` are to be filled in. A line with a tab in it says in two ways what is the same: in words that this
 * engine has taken out (`block`, `reqadd`), and in those that it has now. The first is lifted, the second is run.
 */
export interface MadeText {
  readonly lines: readonly string[];
  readonly words: Words;
  /** By path. */
  readonly files: Readonly<Record<string, string>>;
}

export const askedOf = (line: string): string => line.split('\t')[0] ?? line;
export const realOf = (line: string): string => line.split('\t').at(-1) ?? line;

const tcpPools = 3;

export function madeText(chance: Chance, prefix: string, filesAt: string): MadeText {
  const words = noWords();
  words.sources.push(...sources);
  words.paths.push(chance.pick(paths), '/');
  words.hosts.push(chance.pick(hosts));
  const ink: Ink = {
    chance,
    prefix,
    files: {},
    filesAt,
    words,
    acls: [],
    variables: [],
    ruledBefore: false,
    isFront: true,
  };
  const named = chance.percent(25)
    ? [`defaults ${prefix}d`, ...indented(inDefaults(ink)), 'defaults', ...indented(timeouts)]
    : [];
  const isOpen = chance.percent(85);
  const front = [
    `frontend ${prefix}f${named.length > 0 ? ` from ${prefix}d` : ''}`,
    ...indented(['mode http', 'BIND 80', 'BIND 443', ...around(ink), ...section(ink, true)]),
    ...(isOpen ? [`  default_backend ${prefix}p${chance.below(poolsPerText)}`] : []),
  ];
  const both = chance.percent(15) ? listen(ink) : [];
  const tcp = chance.percent(20) ? passed(ink) : [];
  const ended = chance.percent(15) ? unread(ink) : [];
  const inner = tcp.length + ended.length > 0 ? tcpBackends(ink) : [];
  const pools = Array.from({ length: poolsPerText }, (_, number) => pool(ink, number));
  const users = [`userlist ${prefix}u`, '  user u insecure-password p'];
  const all = [...named, ...users, ...front, ...both, ...tcp, ...ended, ...inner, ...pools.flat(), ''];
  return { lines: all, words, files: ink.files };
}

/** Lines beside the rules: most move nobody, some change what a server is told. */
function around(ink: Ink): readonly string[] {
  const { chance, words } = ink;
  const lines = chance.some(
    [
      ...[
        'option httplog',
        'log global',
        'option dontlognull',
        'option http-server-close',
        'option httpclose',
      ],
      ...[
        'option tcplog',
        'log-format "%ci %ST"',
        'log-format "%ci %HM %HP"',
        'maxconn 1000',
        'option forwardfor',
      ],
      ...['capture request header Host len 20', 'capture request header X-One len 3', 'backlog 100'],
      ...['option http-keep-alive', 'option forwardfor header X-One', 'unique-id-format %{+X}o%ci_%rt'],
      ...[
        'option forwardfor except 10.0.0.0/8 header X-Two if-none',
        'capture cookie sid len 8',
        'option logasap',
      ],
      ...[
        'http-response set-header X-Back %[src]',
        'http-response del-header Server',
        'option http-ignore-probes',
      ],
      ...['unique-id-header X-Two', 'description one'],
    ],
    3,
  );
  if (!chance.percent(8)) return lines;
  // Old filters come behind the page, and what took their place before it.
  ink.ruledBefore = true;
  words.paths.push('/stats', '/stats', '/stats;csv');
  words.headers.push(['authorization', 'Basic dTpw']);
  const page = ['stats enable', 'stats uri /stats', 'stats scope .'];
  const more = chance.some(
    [
      'stats auth u:p',
      'stats hide-version',
      'stats refresh 10s',
      'stats realm one',
      'stats show-legends',
      'stats admin if TRUE',
    ],
    2,
  );
  return [...lines, ...page, ...more];
}

const indented = (lines: readonly string[]) =>
  lines.flatMap((line) => line.split('\n')).map((line) => `  ${line}`.replaceAll('\t', '\t  '));

const timeouts = ['timeout connect 20s', 'timeout client 60s', 'timeout server 60s', 'timeout tarpit 1ms'];

/** Named ones may have rules of their own. */
function inDefaults(ink: Ink): readonly string[] {
  const { chance } = ink;
  ink.acls = [];
  return [
    'mode http',
    ...timeouts,
    ...ruling(ink, chance.percent(40) ? [rule(ink)] : []),
    ...(chance.percent(10) ? ['monitor-uri /up'] : []),
  ];
}

function ruling(ink: Ink, lines: readonly string[]): readonly string[] {
  ink.ruledBefore = lines.length > 0;
  return lines;
}

function listen(ink: Ink): readonly string[] {
  const server = `SERVER ${ink.chance.below(poolsPerText)}`;
  // Its address behind its name is what HAProxy 1.x took.
  const isOld = ink.chance.percent(20);
  const head = `listen ${ink.prefix}l`;
  const lines = ['mode http', isOld ? '\tBIND 8080' : 'BIND 8080', ...section(ink, true), server];
  return [isOld ? `${head} :8080\t${head}` : head, ...indented(lines)];
}

/** TLS that goes through unread: only its names are seen. */
function passed(ink: Ink): readonly string[] {
  const { chance, prefix, words } = ink;
  const named = (at: number) => {
    const host = chance.pick(hosts);
    words.hosts.push(host);
    const asks = chance.pick([
      `req.ssl_sni -i ${host}`,
      `req.ssl_sni ${host}`,
      `req.ssl_sni -m end -i .${host.split('.').slice(1).join('.')}`,
      `req_ssl_sni -m beg ${host.slice(0, 3)}`,
      `req.ssl_sni -m reg ^(www|api)\\.`,
      'req.ssl_sni -m found',
      'req.payload(0,1) -m bin 16',
      'req.payload(0,3) -m str GET',
      'req.len gt 0',
      'req.ssl_hello_type 1',
      'req_ssl_hello_type 1 2',
      'req.proto_http',
      'method GET',
      `dst_port 8443`,
      `src ${chance.pick(networks)}`,
    ]);
    return `use_backend ${prefix}q${at} if ${chance.percent(20) ? '!' : ''}{ ${asks} }`;
  };
  const refused = chance.percent(25)
    ? [
        `tcp-request content reject if { req.ssl_sni -i ${chance.pick(hosts)} } { src ${chance.pick(networks)} }`,
      ]
    : [];
  const lines = [
    'mode tcp',
    'BIND 8443',
    ...(chance.percent(85) ? ['tcp-request inspect-delay 20s'] : []),
    ...refused,
    'tcp-request content accept if { req.ssl_hello_type 1 }',
    ...Array.from({ length: 1 + chance.below(3) }, (_, at) => named(at)),
    ...(chance.percent(80) ? [`default_backend ${prefix}q0`] : []),
  ];
  return [`frontend ${prefix}t`, ...indented(lines)];
}

function tcpBackends({ prefix }: Ink): readonly string[] {
  return Array.from({ length: tcpPools }, (_, number) => [
    `backend ${prefix}q${number}`,
    ...indented(['mode tcp', `SERVER ${number}`]),
  ]).flat();
}

/** TLS ends here, or none was spoken, and what comes in it is passed on as it is. */
function unread(ink: Ink): readonly string[] {
  const { chance, prefix, words } = ink;
  const host = chance.pick(hosts);
  const path = chance.pick(paths);
  words.hosts.push(host);
  words.paths.push(path);
  const isWaited = chance.percent(70);
  const asks = () =>
    chance.pick([
      ...[
        `ssl_fc_sni -i ${host}`,
        `ssl_fc_sni_end -i .${host.split('.').at(-1)}`,
        `src ${chance.pick(networks)}`,
      ],
      ...['ssl_fc', 'dst_port 8444', 'ssl_fc_has_sni'],
      ...(isWaited
        ? [
            `hdr(host) -i ${host}`,
            `path_beg ${path}`,
            'req.proto_http',
            'method GET HEAD',
            `req.hdr(host),lower -m end .test`,
          ]
        : []),
      ...(isWaited ? ['req.payload(0,3) -m str GET', 'req.len gt 0', 'url_beg /a', 'query -m found'] : []),
    ]);
  const term = () => `${chance.percent(20) ? '!' : ''}{ ${asks()} }`;
  const waits = isWaited
    ? [
        'tcp-request inspect-delay 20s',
        chance.pick(['tcp-request content accept if HTTP', 'tcp-request content reject if !HTTP']),
      ]
    : [];
  const rules = chance.percent(40) ? [`tcp-request content reject if ${term()} ${term()}`] : [];
  const first = chance.percent(30) ? [rejected(chance.pick(networks))] : [];
  const uses = Array.from(
    { length: 1 + chance.below(3) },
    (_, at) => `use_backend ${prefix}q${at} if ${term()}`,
  );
  const last = chance.percent(80) ? [`default_backend ${prefix}q0`] : [];
  return [
    `frontend ${prefix}e`,
    ...indented(['mode tcp', 'BIND 8444', 'BIND 8081', ...first, ...waits, ...rules, ...uses, ...last]),
  ];
}

function pool(ink: Ink, number: number): readonly string[] {
  const { chance, prefix } = ink;
  const rules = chance.percent(30) ? section(ink, false) : [];
  const table = number === 0 ? ['stick-table type ip size 1k expire 30s store http_req_rate(10s)'] : [];
  const beside = chance.some(besidePool, 1);
  const own = ['mode http', ...table, ...beside, ...rules, ...serversOf(chance, number)];
  return [`backend ${prefix}p${number}`, ...indented(own)];
}

/** Mostly one; some that do not serve, and some that take turns. */
function serversOf(chance: Chance, number: number): readonly string[] {
  if (chance.percent(5)) return [];
  if (chance.percent(80)) return [`SERVER ${number}`];
  const other = (number + 1) % poolsPerText;
  return chance.pick([
    [`SERVER ${number} disabled`],
    [`SERVER ${number} weight 0`, `SPARE ${other}`],
    [`SERVER ${number}`, `SPARE ${other}`],
    [`SERVER ${number} disabled`, `SPARE ${other} enabled`],
    [`SERVER ${number} weight 20`, `SPARE ${other} backup`],
    [`SERVER ${number} disabled`, `SPARE ${other} backup`],
    ['default-server disabled', `SERVER ${number} enabled`, `SPARE ${other}`],
    ['default-server weight 7', `SERVER ${number} no-check`, `SPARE ${other}`],
    ['disabled', `SERVER ${number}`],
  ]);
}

const besidePool: readonly string[] = [
  ...[
    'balance roundrobin',
    'balance leastconn',
    'option httpchk GET /health',
    'cookie SRV insert indirect nocache',
  ],
  ...[
    'option forwardfor',
    'option forwardfor if-none',
    'option forwardfor header X-Two',
    'retries 2',
    'option redispatch',
  ],
  ...[
    'http-response set-header X-Back one',
    'http-send-name-header X-One',
    'fullconn 100',
    'option httpclose',
  ],
  ...['http-reuse safe', 'option http-server-close', 'timeout queue 5s'],
];

function section(ink: Ink, isFront: boolean): readonly string[] {
  const { chance, words } = ink;
  ink.acls = [];
  ink.isFront = isFront;
  const many = (most: number, make: () => string, least = 0) =>
    Array.from({ length: least + chance.below(most) }, make);
  const acls = many(isFront ? 6 : 3, () => acl(ink));
  const rules = many(isFront ? 7 : 4, () => rule(ink));
  // Rules of the defaults, and an `allow`, would come before the new words and not before the old ones.
  const isOld =
    isFront && chance.percent(15) && !ink.ruledBefore && !rules.some((line) => line.includes(' allow'));
  const old = isOld ? legacy(ink) : { first: [], behind: [] };
  const redirects = many(2, () => redirect(ink, 'redirect'));
  const uses = isFront ? many(6, () => use(ink), 1) : [];
  const monitor = isFront && chance.percent(10) ? ['monitor-uri /up'] : [];
  if (monitor.length > 0) words.paths.push('/up');
  const session =
    isFront && chance.percent(6) ? [`tcp-request session reject if { src ${chance.pick(networks)} }`] : [];
  const content = isFront && chance.percent(8) ? tcpContent(ink) : [];
  const guarded = chance.percent(12) && !isOld ? asked(ink, rules) : rules;
  const seldom = chance.percent(isFront ? 60 : 20) && !isOld ? rare(ink, isFront) : null;
  const at = chance.below(rules.length + 1);
  return [
    ...acls,
    ...(seldom?.words.filter((line) => monitor.length === 0 || !line.startsWith('monitor')) ?? []),
    ...monitor,
    ...session,
    ...content,
    ...old.first,
    ...(seldom && guarded === rules ? [...rules.slice(0, at), ...seldom.rules, ...rules.slice(at)] : guarded),
    ...old.behind,
    ...redirects,
    ...uses,
  ];
}

/** Of the connection: here a PROXY header is read between it and the session. */
const rejected = (network: string) =>
  `tcp-request connection reject if { src ${network} }\ttcp-request session reject if { src ${network} }`;

/** In mode HTTP the request is there when these are asked. */
function tcpContent(ink: Ink): readonly string[] {
  const { chance } = ink;
  const network = chance.pick(networks);
  const path = chance.pick(paths);
  ink.words.paths.push(path);
  return chance.pick([
    [`tcp-request content reject if { src ${network} }`],
    [`tcp-request content reject if { src ${network} }`],
    [
      'tcp-request inspect-delay 20s',
      `tcp-request content reject if { path_beg ${path} } { src ${network} }`,
    ],
    [`tcp-request content accept if { src ${network} }`, `tcp-request content reject if { path ${path} }`],
    [`tcp-request content track-sc0 src table ${ink.prefix}p0`],
    ['tcp-request content set-var(txn.v0) str(one)'],
    [rejected(network)],
  ]);
}

function acl(ink: Ink): string {
  const { acls, chance } = ink;
  const isAgain = acls.length > 0 && chance.percent(25);
  const name = isAgain ? chance.pick(acls) : `acl${acls.length}`;
  if (!isAgain) acls.push(name);
  return `acl ${name} ${question(ink)}`;
}

/** Lines that are there or not by what the engine and its environment are. */
function asked(ink: Ink, lines: readonly string[]): readonly string[] {
  const { chance } = ink;
  const held = () =>
    chance.pick([
      ...['1', '0', 'defined(HF_PATH)', '!defined(HF_NONE)', 'defined(HF_EMPTY)'],
      ...['streq("$HF_HOST",shop.example.com)', 'strneq("$HF_PATH",/api)', 'version_atleast(2.4)'],
      ...[
        'version_before(2.6)',
        '(defined(HF_PATH) && 0) || 1',
        '! ( 1 && defined(HF_NONE) )',
        'feature(OPENSSL)',
      ],
    ]);
  const at = chance.below(lines.length + 1);
  const other = chance.percent(50) ? [`.elif ${held()}`, rule(ink)] : [];
  const otherwise = chance.percent(50) ? ['.else', rule(ink)] : [];
  return [...lines.slice(0, at), `.if ${held()}`, ...lines.slice(at), ...other, ...otherwise, '.endif'];
}

/** Words that HAProxy 2.1 took out, each with what took its place. */
function legacy(ink: Ink): { readonly first: readonly string[]; readonly behind: readonly string[] } {
  const { chance } = ink;
  const when = condition(ink, 100);
  const first = chance.percent(50) ? [`block${when}\thttp-request deny${when}`] : [];
  const path = chance.pick(['/api', '/app', '/shop']);
  ink.words.paths.push(`${path}/x`);
  ink.words.headers.push(['x-one', 'bad']);
  const twins = [
    `reqrep ^([^\\ ]*)\\ ${path}/(.*) \\1\\ /\\2\thttp-request replace-uri ^${path}/(.*) /\\1`,
    `reqirep ^([^\\ :]*)\\ ${path}(.*) \\1\\ /in\\2\thttp-request replace-uri (?i)^${path}(.*) /in\\1`,
    'reqideny ^x-one:\\ bad\thttp-request deny if { req.fhdr(x-one) -m reg -i ^bad }',
    'reqidel ^x-one:.*\thttp-request del-header x-one',
    'reqirep ^Host:\\ www\\.(.*) Host:\\ \\1\thttp-request replace-header Host (?i)^www\\.(.*)$ \\1',
    'reqrep ^x-one:\\ b(.*)$ x-one:\\ c\\1\thttp-request replace-header x-one ^b(.*)$ c\\1',
    'reqitarpit ^x-one:\\ bad\thttp-request tarpit if { req.fhdr(x-one) -m reg -i ^bad }',
    'rspidel ^Server:.*\thttp-response del-header Server',
    'rspadd X-Back:\\ one\thttp-response add-header X-Back one',
    // The line as rules have left it: METH_POST is what came.
    `reqdeny ^POST\\ ${path}\thttp-request deny if { internal.htx_blk.start_line(head) -m reg ^POST\\ ${path} }`,
  ];
  const added = chance.percent(50) ? ['reqadd X-New:\\ one\thttp-request add-header X-New one'] : [];
  return { first, behind: [chance.pick(twins), ...added] };
}
