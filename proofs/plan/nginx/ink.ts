/** What the parts of a text are made of, and what they leave behind for each other. */
import type { Chance } from '../chance.ts';

/** Where the parts of a generated text are on this machine. */
export interface Machine {
  /** Ports of servers that say who they are. */
  readonly origins: readonly number[];
  /** The same servers on Unix sockets. */
  readonly sockets: readonly string[];
  /** A folder with a few files. */
  readonly root: string;
  /** Ports that are free. */
  readonly http: number;
  readonly https: number;
  /** For what is passed on unread. */
  readonly stream: number;
  /** A certificate with its key. */
  readonly pair: string;
  /** In front of the path of each file that the text includes. */
  readonly filesAt: string;
}

export interface Ink {
  readonly chance: Chance;
  /** Keeps the names of several texts in one process apart. */
  readonly id: number;
  readonly machine: Machine;
  /** What the text includes, by path. */
  readonly files: Record<string, string>;
  /** Variables that maps, `geo` and `split_clients` make. */
  readonly own: string[];
  hasMapOfPools: boolean;
  /** Some server of each port is the standard one. */
  hasStandard: boolean;
}

/** What is true of one server block. */
export interface Around {
  readonly ink: Ink;
  /** Its named locations. */
  readonly named: readonly string[];
  /** It sets `$up` to a pool, `$full` to the whole address of one. */
  readonly hasPool: boolean;
  /** Groups that its name has. */
  readonly groups: readonly string[];
}

/** What a block stands in: `regex` and `named` locations take no URI behind an address. */
export type Place =
  | { readonly kind: 'server' | 'regex' | 'named' }
  | { readonly kind: 'prefix' | 'exact'; readonly name: string };

export function fileOf(ink: Ink, text: string): string {
  const path = `${ink.machine.filesAt}.${Object.keys(ink.files).length}.conf`;
  ink.files[path] = text;
  return path;
}

export const origin = ({ chance, machine }: Ink): string => `127.0.0.1:${chance.pick(machine.origins)}`;

/** Names that are likely to meet: a location's, a rewrite's and a request's path are made of the same few parts. */
export const segments = [
  ...['a', 'api', 'img', 'ab', 'v1', 'x.php', 'pic.jpg', 'A', 'a b', 'a+b', 'x;y', 'there.txt', 'folder'],
] as const;

export function pathOf({ chance }: Ink): string {
  const parts = chance.some(segments, 3);
  return `/${parts.join('/')}${chance.percent(40) && parts.length > 0 ? '/' : ''}`;
}

export const expressions = [
  '^/a',
  '\\.php$',
  '^/(api|img)/(.*)$',
  '^/(?<first>[a-z]+)/?',
  '\\.(jpg|png)$',
  '^/([^/]+)/v1',
  '/x',
  '^/[a-z]+$',
  '(a+)b',
  '^/(?<first>a|b)/(?<second>.*)$',
  '^(.+\\.php)(/.+)$',
  '^/(?:api|v1)(?:/|$)',
  '/\\.ht',
  '^/(.*)$',
  '^.+\\.(?:css|js|jpe?g|png|php)$',
  '^/(en|a)?/?(.*)$',
  '^/(?<first>[^/]+)(?<second>/.*)?$',
  '^/(\\d+|[a-z]{2,3})/(\\w+)',
  '(?i)^/API/',
  '^/(?!api)(.*)$',
  '/\\.(?!well-known)',
  '\\.php(?:$|/)',
  '^/(a+?)(a*)b',
] as const;

export const values = [
  '$uri',
  '$request_uri',
  '$args',
  '$arg_q',
  '$http_x_kind',
  '$host',
  '$request_method',
  '$cookie_c',
  '$http_host',
  '$scheme',
  '$is_args$args',
  '$server_name',
  '$server_port',
  '$remote_addr',
  '$query_string',
  '$document_root',
  '$ssl_server_name',
  '$https',
  '$is_args',
  '$arg_a',
  '$http_user_agent',
  '$http_cookie',
  '$http_x_forwarded_for',
  '$proxy_add_x_forwarded_for',
  '$server_protocol',
  '$content_length',
  '$document_uri',
  '$request_filename',
  '$http_x_forwarded_proto',
  '$realip_remote_addr',
  '$http_referer',
  '$scheme://$host$uri',
  '$host:$server_port',
  '$http_upgrade',
  '$http_authorization',
  '$request',
] as const;

export function variable({ ink, groups }: Around): string {
  const { own, chance } = ink;
  return chance.pick([...values, ...own, ...own, ...own, ...groups, '$v1', '$v2', '$1']);
}
