/** Random texts of HAProxy, their constructs about as often as real files have them. */
import type { Chance } from '../chance.ts';
import { noWords, type Words } from '../requests.ts';
import { hosts, type Ink, indented, paths, sources } from './ink.ts';
import { pool } from './pools.ts';
import { poolsPerText, rule } from './rules.ts';
import { section } from './sections.ts';
import { passed, tcpBackends, unread } from './streams.ts';

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
  readonly steady?: boolean;
}

export const askedOf = (line: string): string => line.split('\t')[0] ?? line;
export const realOf = (line: string): string => line.split('\t').at(-1) ?? line;

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
    ...(isOpen
      ? [
          `  default_backend ${chance.percent(5) ? `"${prefix}p$HF_ONE"` : `${prefix}p${chance.below(poolsPerText)}`}`,
        ]
      : []),
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
