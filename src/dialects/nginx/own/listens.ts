import { isIP } from 'node:net';
import { uniqueNames } from '../../own-findings.ts';
import type { Directive, Token } from './directives.ts';
import { named } from './texts.ts';

/** One `listen`, or the one that a server without any has. */
export interface Listen {
  readonly server: Directive;
  /** Null: the server says nothing, which means port 80. */
  readonly directive: Directive | null;
  readonly options: readonly Token[];
  readonly where: Where;
  /** Which socket of the process it is; null when another address's socket (`*:80`) takes its connections. */
  readonly socket: ListenSocket | null;
}

export type Where =
  | { readonly kind: 'inet'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'refused'; readonly why: string };

export interface ListenSocket {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly dualStack: boolean;
  /** Nothing but HTTP is expected on it. */
  readonly plain: boolean;
  readonly first: Listen;
}

export function serversOf(directives: readonly Directive[]): readonly Directive[] {
  return named(directives, 'http').flatMap(({ block }) => named(block, 'server'));
}

/** Options with which NGINX makes a socket of its own for an address that a wildcard would cover. */
const ownSocket =
  /^(?:bind|(?:setfib|fastopen|backlog|rcvbuf|sndbuf|accept_filter|ipv6only|so_keepalive)=.*|deferred|reuseport)$/;

export function listensOf(directives: readonly Directive[]): readonly Listen[] {
  const all = serversOf(directives).flatMap((server): Said[] => {
    const said = named(server.block, 'listen').filter(({ args }) => args.length > 0);
    const implied = { server, directive: null, options: [], where: inet('0.0.0.0', 80) };
    return said.length === 0
      ? [implied]
      : said.map((directive) => ({
          server,
          directive,
          options: directive.args.slice(1),
          where: whereOf(directive.args[0]?.value ?? ''),
        }));
  });
  const sockets = socketsOf(all);
  return all.map((listen) => ({ ...listen, socket: sockets.get(keyOf(listen.where)) ?? null }));
}

type Said = Omit<Listen, 'socket'>;

function socketsOf(all: readonly Said[]): ReadonlyMap<string, ListenSocket> {
  const groups = Map.groupBy(all, ({ where }) => keyOf(where));
  const nameOf = uniqueNames();
  const sockets = new Map<string, ListenSocket>();
  for (const [key, group] of groups) {
    const [first] = group;
    if (first?.where.kind !== 'inet') continue;
    const { host, port } = first.where;
    const options = group.flatMap((listen) => listen.options.map(({ value }) => value));
    const any = isIP(host) === 6 ? '::' : '0.0.0.0';
    const covered = host !== any && groups.has(keyOf(inet(any, port)));
    if (covered && !options.some((option) => ownSocket.test(option))) continue;
    const tls = options.includes('ssl') || group.some(({ server }) => saysOn(server, 'ssl'));
    sockets.set(key, {
      name: nameOf(`${tls ? 'https' : 'http'}-${port}`),
      host,
      port,
      tls,
      dualStack: isIP(host) === 6 && options.includes('ipv6only=off'),
      plain: !options.includes('proxy_protocol') && !group.some(({ server }) => isGuarded(server)),
      first: { ...first, socket: null },
    });
  }
  return sockets;
}

/** Asks for a client's certificate, or refuses names that it does not know. */
function isGuarded(server: Directive): boolean {
  return saysOn(server, 'ssl_verify_client') || saysOn(server, 'ssl_reject_handshake');
}

function saysOn({ block }: Directive, name: string): boolean {
  return named(block, name).some(({ args }) => args[0]?.value === 'on');
}

function keyOf(where: Where): string {
  return where.kind === 'inet' ? `${where.host}:${where.port}` : where.kind === 'unix' ? where.path : '';
}

function inet(host: string, port: number) {
  return { kind: 'inet', host, port } as const;
}

function whereOf(text: string): Where {
  if (text.startsWith('unix:')) return { kind: 'unix', path: text.slice('unix:'.length) };
  if (/^\d+(?:-\d+)?$/.test(text)) return portOf('0.0.0.0', text);
  const [, v6, v6Port] = /^\[([^\]]*)\](?::(.+))?$/.exec(text) ?? [];
  if (v6 !== undefined) return isIP(v6) === 6 ? portOf(v6.toLowerCase(), v6Port ?? '80') : refused(text);
  const [, name = '', port] = /^([^:]+)(?::(.+))?$/.exec(text) ?? [];
  const host = name === '*' ? '0.0.0.0' : name === 'localhost' ? '127.0.0.1' : name;
  return isIP(host) === 4 ? portOf(host, port ?? '80') : refused(text);
}

function portOf(host: string, text: string): Where {
  if (/^\d+-\d+$/.test(text))
    return { kind: 'refused', why: `a range of ports (${text}) cannot be lent to an engine` };
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port > 0 && port < 65_536 ? inet(host, port) : refused(text);
}

function refused(text: string): Where {
  return { kind: 'refused', why: `"${text}" is a name: write the address that it has` };
}
