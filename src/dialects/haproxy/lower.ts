import { isIPv6 } from 'node:net';
import { hostPort, isStream, type Listener, routeOf, type Site, streamPools } from '#model';
import type { ErrorPage, RoutedListener } from '#routing';
import type { ListenAt, Placement } from '../dialect.ts';
import { accessSections, countsClients, refusalsOf } from './access.ts';
import { accessLogLines } from './access-log.ts';
import { answerLines, answerName } from './answers.ts';
import { type FilterTable, filterTable, forbidLines, restoreLines } from './filters.ts';
import { certificateLines, forwardedLines, hstsLines } from './forwarded.ts';
import { poolSection } from './pools.ts';
import { routingLines } from './routes.ts';
import { type Section, sectionText } from './section.ts';
import { streamSections } from './streams.ts';
import { strictDefaults, strictRules } from './strict.ts';
import { defaults, milliseconds, name, ours, word } from './vocabulary.ts';

/** The site as a configuration for HAProxy 2.6. */
export function lower(site: Site, { peers = null, ...elsewhere }: Placement): string {
  const routed = routeOf(site).listeners;
  const placement = { ...elsewhere, peers: countsClients(routed) ? peers : null };
  const filters = filterTable(routed);
  const streams = streamPools(site);
  const sections = [
    globalSection(site, placement),
    errorsSection(),
    defaultsSection(site),
    ...site.listeners
      .filter((listener) => !isStream(listener))
      .map((listener) => listenerSection(listener, site, { routed, filters, placement })),
    ...(placement.entrance === null || routed.length === 0
      ? []
      : [entranceSection(site, routed, filters, placement.entrance)]),
    ...site.pools
      .filter(({ name: pool }) => !streams.has(pool))
      .map((pool) => poolSection(pool, site.guard.net, filters, placement)),
    ...accessSections(routed, placement.peers),
    ...answerSections(routed, site.errorPages),
    ...(placement.neighbour === null ? [] : [neighbourSection(site, placement.neighbour)]),
    ...streamSections(site, placement, (listener) => bindLines(listener, placement)),
  ];
  return `${sections.map(sectionText).join('\n\n')}\n`;
}

function globalSection(site: Site, placement: Placement): Section {
  return {
    head: 'global',
    lines: [
      `nbthread ${placement.threads}`,
      `fd-hard-limit ${defaults.descriptorsMax}`,
      `stats socket ${word(`unix@${placement.control}`)} mode 600 level admin`,
      `stats timeout ${milliseconds(defaults.controlTimeoutMs)}`,
      // Every listener of HAProxy takes up sessions of every other, whoever showed a certificate there, or none.
      ...(site.listeners.some(({ tls }) => tls?.clients) ? ['tune.ssl.cachesize 0'] : []),
      // Level err: failed requests and servers that go down, but not the two lines of every park and resume.
      `log ring@${ours.errors} local0 err`,
      ...(placement.peers ? [`localpeer ${placement.peers.self}`] : []),
    ],
  };
}

function errorsSection(): Section {
  return {
    head: `ring ${ours.errors}`,
    lines: ['format iso', 'maxlen 1024', `size ${defaults.errorLogBytes}`],
  };
}

function defaultsSection({ timeouts, errorPages }: Site): Section {
  return {
    head: 'defaults',
    lines: [
      'mode http',
      'log global',
      'option dontlog-normal',
      'option log-separate-errors',
      // status, how it ended, pool, server, retries, method, path without query, host
      'log-format "%ST %ts %b %s %rc %HM %HP %[var(txn.host)]"',
      'option idle-close-on-response',
      ...strictDefaults,
      'option redispatch 1',
      `retries ${defaults.retries}`,
      `timeout connect ${milliseconds(defaults.connectTimeoutMs)}`,
      `timeout server ${milliseconds(defaults.serverTimeoutMs)}`,
      `timeout client ${milliseconds(timeouts.clientMs)}`,
      `timeout http-request ${milliseconds(timeouts.requestMs)}`,
      `timeout http-keep-alive ${milliseconds(timeouts.keepAliveMs)}`,
      `timeout tunnel ${milliseconds(defaults.tunnelTimeoutMs)}`,
      ...errorPages.map(
        ({ status, contentType, text }) =>
          `http-error status ${status} content-type ${word(contentType)} string ${word(text)}`,
      ),
    ],
  };
}

interface Lowering {
  readonly routed: readonly RoutedListener[];
  readonly filters: FilterTable;
  readonly placement: Placement;
}

/** Whoever a request is led to counts it. */
const unlessLed = `!{ var(${ours.takeBack}) -m int 1 }`;

function listenerSection(
  listener: Listener,
  { accessLog, errorPages }: Site,
  { routed, filters, placement }: Lowering,
): Section {
  const own = routed.filter((r) => r.name === listener.name);
  const { setup, rules, otherwise } = routingLines(
    own,
    filters,
    errorPages,
    placement.peers ? unlessLed : '',
  );
  return {
    head: `frontend ${name(listener.name)}`,
    lines: [
      ...bindLines(listener, placement),
      ...accessLogLines(accessLog),
      ...strictRules,
      ...own.flatMap(forwardedLines),
      ...own.flatMap(certificateLines),
      ...own.flatMap(hstsLines),
      ...forbidLines,
      ...setup,
      // First of the routing rules. Every other answer is a backend too, because http-request rules run before it.
      ...(placement.neighbour === null
        ? []
        : [`use_backend ${ours.neighbour} if { var(${ours.takeBack}) -m int 1 }`]),
      ...rules,
      `default_backend ${otherwise}`,
    ],
  };
}

/** The same rules as the listeners' together, for requests that a neighbour sends: it has set the headers already. */
function entranceSection(
  site: Site,
  routed: readonly RoutedListener[],
  filters: FilterTable,
  path: string,
): Section {
  const { setup, rules, otherwise } = routingLines(routed, filters, site.errorPages, '');
  return {
    head: `frontend ${ours.entrance}`,
    lines: [
      `bind ${word(`unix@${path}`)} accept-proxy mode 600`,
      // A neighbour's net may send a request here; what another neighbour's net had sent there before is sent no further.
      `unique-id-format ${ours.led}`,
      `http-request return status 508 if { fc_pp_unique_id -m str ${ours.led} }`,
      ...restoreLines,
      ...setup,
      ...rules,
      `default_backend ${otherwise}`,
    ],
  };
}

function bindLines(listener: Listener, placement: Placement): string[] {
  return [`bind ${bindWords(listener, placement).join(' ')}`, ...proxyLines(listener)];
}

function bindWords(listener: Listener, placement: Placement): string[] {
  const at = placement.listeners[listener.name] ?? {
    kind: 'address',
    host: listener.host,
    port: listener.port,
  };
  const words = [word(bindAddress(at))];
  if (at.kind === 'unix') words.push('mode', '600');
  if (at.kind === 'address' && isIPv6(at.host)) words.push('v6only');
  if (!listener.tls) return words;
  words.push('ssl');
  for (const bundle of placement.certificates[listener.name] ?? []) words.push('crt', word(bundle));
  words.push('ssl-min-ver', `TLSv${listener.tls.minVersion}`);
  words.push('alpn', listener.tls.http2 ? 'h2,http/1.1' : 'http/1.1');
  const { clients } = listener.tls;
  if (clients !== null) {
    const authorities = placement.files?.[clients.authorities] ?? clients.authorities;
    words.push('ca-file', word(authorities), 'verify', clients.required ? 'required' : 'optional');
    const { revocations } = clients;
    if (revocations !== undefined)
      words.push('crl-file', word(placement.files?.[revocations] ?? revocations));
    words.push('no-tls-tickets');
  } else if (placement.ticketKeys !== null) words.push('tls-ticket-keys', word(placement.ticketKeys));
  return words;
}

/** Before TLS. A connection from elsewhere that sends the header all the same is one that speaks no HTTP. */
function proxyLines({ proxyFrom }: Listener): string[] {
  return proxyFrom.length === 0
    ? []
    : [`tcp-request connection expect-proxy layer4 if { src ${proxyFrom.join(' ')} }`];
}

function bindAddress(at: ListenAt): string {
  switch (at.kind) {
    case 'fd':
      return `fd@${at.fd}`;
    case 'unix':
      return `unix@${at.path}`;
    case 'address':
      return hostPort(at.host, at.port);
  }
}

/** Waits for the slowest pool or route: the neighbour knows which it is. */
function neighbourSection({ pools, routes }: Site, neighbour: string): Section {
  const longestMs = Math.max(
    defaults.serverTimeoutMs,
    ...pools.map(({ timeouts }) => timeouts.serverMs),
    ...routes.map(({ filters }) => filters.timeouts?.serverMs ?? 0),
  );
  return {
    head: `backend ${ours.neighbour}`,
    lines: [
      ...(longestMs === defaults.serverTimeoutMs ? [] : [`timeout server ${milliseconds(longestMs)}`]),
      `server neighbour ${word(`unix@${neighbour}`)} send-proxy-v2`,
    ],
  };
}

/** A backend for each answer that HAProxy itself gives: as a backend it cannot come before the take-back. */
function answerSections(routed: readonly RoutedListener[], pages: readonly ErrorPage[]): Section[] {
  const actions = new Map<string, string[]>();
  for (const listener of routed)
    for (const action of [...listener.rules.map((rule) => rule.action), listener.otherwise])
      if (action.kind !== 'pool' && action.kind !== 'split')
        actions.set(answerName(action), answerLines(action));
  for (const refusal of refusalsOf(routed, pages)) actions.set(answerName(refusal), answerLines(refusal));
  return [...actions].map(([head, lines]) => ({ head: `backend ${head}`, lines }));
}
