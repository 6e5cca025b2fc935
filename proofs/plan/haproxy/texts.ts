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
  const ink: Ink = { chance, prefix, files: {}, filesAt, words, acls: [], variables: [], ruledBefore: false };
  const named = chance.percent(25)
    ? [`defaults ${prefix}d`, ...indented(inDefaults(ink)), 'defaults', ...indented(timeouts)]
    : [];
  const isOpen = chance.percent(85);
  const front = [
    `frontend ${prefix}f${named.length > 0 ? ` from ${prefix}d` : ''}`,
    ...indented(['mode http', 'BIND 80', 'BIND 443', ...section(ink, true)]),
    ...(isOpen ? [`  default_backend ${prefix}p${chance.below(poolsPerText)}`] : []),
  ];
  const both = chance.percent(15) ? listen(ink) : [];
  const tcp = chance.percent(20) ? passed(ink) : [];
  const pools = Array.from({ length: poolsPerText }, (_, number) => pool(ink, number));
  return { lines: [...named, ...front, ...both, ...tcp, ...pools.flat(), ''], words, files: ink.files };
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
    'tcp-request inspect-delay 20s',
    ...refused,
    'tcp-request content accept if { req.ssl_hello_type 1 }',
    ...Array.from({ length: 1 + chance.below(3) }, (_, at) => named(at)),
    ...(chance.percent(80) ? [`default_backend ${prefix}q0`] : []),
  ];
  const pools = Array.from({ length: tcpPools }, (_, number) => [
    `backend ${prefix}q${number}`,
    ...indented(['mode tcp', `SERVER ${number}`]),
  ]);
  return [`frontend ${prefix}t`, ...indented(lines), ...pools.flat()];
}

function pool(ink: Ink, number: number): readonly string[] {
  const { chance, prefix } = ink;
  const rules = chance.percent(30) ? section(ink, false) : [];
  return [`backend ${prefix}p${number}`, ...indented(['mode http', ...rules, ...serversOf(chance, number)])];
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

function section(ink: Ink, isFront: boolean): readonly string[] {
  const { chance, words } = ink;
  ink.acls = [];
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
  const content =
    isFront && chance.percent(6) ? [`tcp-request content reject if { src ${chance.pick(networks)} }`] : [];
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
    `reqdeny ^POST\\ ${path}\thttp-request deny if METH_POST { url_beg ${path} }`,
  ];
  const added = chance.percent(50) ? ['reqadd X-New:\\ one\thttp-request add-header X-New one'] : [];
  return { first, behind: [chance.pick(twins), ...added] };
}
