import { isIP } from 'node:net';
import type { Place } from '#base';
import { pageOfServer, redirectedBy } from './error-pages.ts';
import { holds, is } from './folding.ts';
import {
  all,
  type Fate,
  field,
  type ListenerMeaning,
  not,
  type Rules,
  type Setting,
  type Step,
  some,
  stepOf,
  text,
} from './meaning.ts';
import { badHost, oddHost, serversByName } from './names.ts';
import { answersPlain, answersRefused, isRefused, rulesOf, served, servedPlain } from './phases.ts';
import { pcre } from './regex.ts';
import { own, word } from './scope.ts';
import type { Among } from './shared.ts';
import { withCaptures } from './sources.ts';
import { firstState, type Lifting, type Server, unknown } from './state.ts';
import { ruled } from './steps.ts';
import { hasVariables } from './template.ts';
import type { Node } from './tree.ts';
import { hostName } from './variables.ts';

/** An address that servers listen on. */
export interface Address {
  readonly name: string;
  readonly host: string;
  readonly port: number | null;
  readonly tls: boolean;
  readonly servers: readonly Server[];
  readonly standard: Server;
  readonly settings: readonly Setting[];
  readonly place: Place;
}

interface Listen {
  readonly server: Server;
  readonly node: Node | null;
  readonly host: string;
  readonly port: number | null;
  readonly options: readonly string[];
  readonly place: Place;
}

const portsMax = 1000;

export function addressesOf(
  servers: readonly Server[],
  lifting: Lifting,
  standardPort: number,
): readonly Address[] {
  const listens = servers.flatMap((server): Listen[] => {
    const nodes = own(server.scope, 'listen');
    if (nodes.length === 0)
      return [{ server, node: null, host: '*', port: standardPort, options: [], place: server.place }];
    return nodes.flatMap((node) => listensOf(node, server, lifting));
  });
  const groups = Map.groupBy(listens, ({ host, port }) => (port === null ? host : `${host}:${port}`));
  return [...groups].flatMap(([name, group]) => addressOf(name, group));
}

function addressOf(name: string, group: readonly Listen[]): readonly Address[] {
  const [first] = group;
  if (!first) return [];
  const standard =
    group.find(({ options }) => options.includes('default_server') || options.includes('default')) ?? first;
  const options = [...new Set(group.flatMap((listen) => listen.options))].filter(
    (option) => !['default_server', 'default', 'ssl'].includes(option),
  );
  const tls = group.some(
    (listen) => listen.options.includes('ssl') || word(listen.server.scope, 'ssl', 'off') === 'on',
  );
  const settings = options.map((option): Setting => {
    const [key = '', value = 'on'] = option.split(/=(.*)/s);
    return { scope: { kind: 'listener', name }, name: `listen ${key}`, value, place: first.place };
  });
  const servers = [...new Set(group.map(({ server }) => server))];
  return [
    {
      name,
      host: first.host,
      port: first.port,
      tls,
      servers,
      standard: standard.server,
      settings,
      place: first.place,
    },
  ];
}

function listensOf(node: Node, server: Server, lifting: Lifting): readonly Listen[] {
  const [said = '', ...options] = node.words;
  const at = { server, node, options, place: node.place };
  if (said.startsWith('unix:')) return [{ ...at, host: said.slice('unix:'.length), port: null }];
  const inet = inetOf(said);
  if (inet === null) {
    lifting.refuse(node, `"${said}" is no address`);
    return [];
  }
  if (options.includes('quic') || options.includes('udp')) return [];
  return inet.ports.map((port) => ({ ...at, host: inet.host, port }));
}

/** What NGINX reads as an address and its ports, in the one form that listeners have; null: it is none. */
export function inetOf(said: string): { readonly host: string; readonly ports: readonly number[] } | null {
  const [, v6, name, ports] =
    /^(?:\[([^\]]*)\]|([^:[\]]*?))?:?(\d+(?:-\d+)?)?$/.exec(
      /^\d+(?:-\d+)?$/.test(said) ? `:${said}` : said,
    ) ?? [];
  const [low = 80, high = low] = (ports ?? '80').split('-').map(Number);
  const host =
    v6 !== undefined
      ? `[${v6.toLowerCase()}]`
      : name === undefined || name === '' || name === '0.0.0.0'
        ? '*'
        : name === 'localhost'
          ? '127.0.0.1'
          : name;
  const isUsable =
    (v6 === undefined ? host !== '' && !/[$\s]/.test(host) : isIP(v6) === 6) &&
    low > 0 &&
    high < 65_536 &&
    high >= low &&
    high - low < portsMax;
  if (!isUsable || /[{}<>]/.test(said)) return null;
  return { host, ports: Array.from({ length: high - low + 1 }, (_, index) => low + index) };
}

/** Rules for each address: the request's faults, then the servers by name, then the standard one. */
export function listenersOf(addresses: readonly Address[], lifting: Lifting): readonly ListenerMeaning[] {
  const each = addresses.some(({ servers }) => servers.some(answersRefused));
  const fates = new Map<string, Fate>();
  const ids = new Map<Server, number>();
  const idOf = (server: Server): number => {
    if (!ids.has(server)) ids.set(server, ids.size);
    return ids.get(server) ?? 0;
  };
  const known = new Map<string | null, Among | null>();
  const among = (regex: string | null): Among | null => {
    const found = known.get(regex) ?? lifting.shared?.among(`${each} ${regex} ${lifting.around()}`) ?? null;
    known.set(regex, found);
    return found;
  };
  const fateOf = (server: Server, regex: string | null): Fate => {
    const key = `${idOf(server)} ${regex ?? ''}`;
    const known = fates.get(key);
    if (known) return known;
    const state = regex === null ? firstState : withCaptures(firstState, hostName, regex);
    const make = (with_: Lifting) => served(state, server, with_, each);
    const made = among(regex)?.of(server, lifting, make) ?? make(lifting);
    fates.set(key, made);
    return made;
  };
  const shared = new Map<string, Rules>();
  return addresses.map(({ name, host, port, tls, servers, standard, place }) => {
    const key = `${tls} ${idOf(standard)} ${servers.map(idOf).join(',')}`;
    const sharing: Sharing = { servers, standard, tls, place, each };
    const rules = shared.get(key) ?? rulesFor(sharing, lifting, fateOf);
    shared.set(key, rules);
    return { name, host, port, mode: 'http', tls, ...(tls ? { takesPlain: true } : {}), rules, place };
  });
}

type Sharing = Pick<Address, 'servers' | 'standard' | 'tls' | 'place'> & {
  /** Each server answers for itself to methods that NGINX refuses. */
  readonly each: boolean;
};

function rulesFor(
  sharing: Sharing,
  lifting: Lifting,
  fateOf: (server: Server, regex: string | null) => Fate,
): Rules {
  const { servers, standard, tls, place, each } = sharing;
  const steps: Step[] = tls ? [...refusedHandshakes(servers, standard)] : [];
  steps.push(...unmerged(servers), ...faults(place, servers, each));
  if (tls) steps.push(...plainly(sharing, lifting));
  const otherwise = rulesOf(fateOf(standard, null));
  const captures = standard.names.some((one) => one.startsWith('~') && one.includes('('));
  if (servers.length === 1 && !captures)
    return { steps: [...steps, ...otherwise.steps], otherwise: otherwise.otherwise };
  // The name in the ClientHello decides the handshake alone: a Host header that no server has leads to the standard one.
  for (const { server, when, regex } of serversByName(servers, 'host')) {
    const node = own(server.scope, 'server_name')[0];
    const at = { place: node?.place ?? server.place, text: node?.text ?? 'server' };
    steps.push(stepOf(at, when, fateOf(server, regex)));
  }
  return { steps, otherwise: { kind: 'rules', rules: otherwise } };
}

function refusedHandshakes(servers: readonly Server[], standard: Server): readonly Step[] {
  const refuses = ({ scope }: Server) => word(scope, 'ssl_reject_handshake', 'off') === 'on';
  const rejecting = servers.filter(refuses);
  if (rejecting.length === 0) return [];
  const named = serversByName(servers, 'sni');
  const shaken = not(isPlain);
  const closed: Fate = { kind: 'reject', how: 'close' };
  const line = ({ place }: Server) => ({ place, text: 'ssl_reject_handshake on' });
  const steps = named.flatMap(({ server, when }, index): readonly Step[] => {
    const earlier = named.slice(0, index).map((one) => one.when);
    return refuses(server) ? [stepOf(line(server), all([shaken, when, not(some(earlier))]), closed)] : [];
  });
  const unnamed = stepOf(line(standard), all([shaken, not(some(named.map(({ when }) => when)))]), closed);
  return refuses(standard) ? [...steps, unnamed] : steps;
}

const isPlain = holds(field('scheme'), is('http'));

/** Who speaks no TLS where it is spoken gets 400, or what `error_page 497` of the server that is meant makes of it. */
function plainly({ servers, standard, place, each }: Sharing, lifting: Lifting): readonly Step[] {
  const line = { place, text: 'plain HTTP where TLS is spoken' };
  const when = each ? all([isPlain, not(isRefused)]) : isPlain;
  const last = stepOf(line, when, servedPlain(firstState, standard, lifting));
  if (!servers.some(answersPlain)) return [last];
  const named = serversByName(servers, 'host').map(({ server, when: isMeant, regex }) => {
    const state = regex === null ? firstState : withCaptures(firstState, hostName, regex);
    return stepOf(line, all([when, isMeant]), servedPlain(state, server, lifting));
  });
  return [...named, last];
}

const doubled = pcre('(?:/|%2[fF])(?:/|%2[fF])');

/** `merge_slashes off`: of paths that have some to merge nothing is said. */
function unmerged(servers: readonly Server[]): readonly Step[] {
  const off = servers.find(({ scope }) => word(scope, 'merge_slashes', 'on') === 'off');
  if (!off) return [];
  const line = { place: off.place, text: 'merge_slashes off' };
  return [stepOf(line, holds(field('path'), { kind: 'matches', regex: doubled }), unknown(line, 'complex'))];
}

/** What NGINX answers before it looks for a server's directives. `each`: its servers refuse methods themselves. */
function faults(place: Place, servers: readonly Server[], each: boolean): readonly Step[] {
  const noHost = all([holds(field('host'), { kind: 'absent' }), not(holds(field('version'), is('1.0')))]);
  const bad = some([
    not(holds(field('method'), { kind: 'matches', regex: pcre('^[A-Z_-]+$') })),
    holds(field('normalisedPath'), { kind: 'absent' }),
    noHost,
    holds(field('host'), badHost),
  ]);
  const refused: Fate = { kind: 'answer', status: 405, body: null };
  const line = { place, text: 'no request that NGINX takes' };
  const odd = holds(field('host'), oddHost);
  const answer = ruled([stepOf(line, bad, badRequest(servers))], unknown(line, 'complex', 'its Host header'));
  return [
    stepOf(line, some([bad, odd]), answer),
    ...(each ? [] : [stepOf({ place, text: 'TRACE, CONNECT' }, isRefused, refused)]),
  ];
}

/** 400, or what `error_page` makes of it: by then NGINX has read no more than a part of the request. */
function badRequest(servers: readonly Server[]): Fate {
  const pages = servers.flatMap((server) => pageOfServer(400, server) ?? []);
  const [page] = pages;
  if (!page) return { kind: 'answer', status: 400, body: null };
  const isSame = servers.length === 1 && /^https?:/.test(page.target) && !hasVariables(page.target);
  return isSame
    ? { kind: 'redirect', status: redirectedBy(page), location: text(page.target) }
    : unknown(page.node, 'complex');
}
