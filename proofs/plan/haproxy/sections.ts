/** The rules of a section, in an order that people write them in. */
import { type Ink, networks, paths } from './ink.ts';
import { condition, question } from './questions.ts';
import { rare } from './rare.ts';
import { redirect, rule, use } from './rules.ts';
import { rejected } from './streams.ts';

export function section(ink: Ink, isFront: boolean): readonly string[] {
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
