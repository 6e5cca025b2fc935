import type { ClientCertificates, Listener, ListenerTls, Site } from '#model';
import type { Placement } from '../dialect.ts';
import { map } from './maps.ts';
import { defaults, path } from './vocabulary.ts';

/** Only with several certificates: then NGINX reads the chosen one from its file for each handshake. */
export function certificateMap(site: Site, placement: Placement): string[] {
  const chosen = site.listeners.flatMap((listener) => {
    const bundles = placement.certificates[listener.name] ?? [];
    const names = placement.certificateNames?.[listener.name] ?? [];
    return bundles
      .slice(1)
      .flatMap((bundle, index) =>
        (names[index + 1] ?? []).map(
          (name) => [`~*^${listener.port} ${namePattern(name)}$`, bundle] as const,
        ),
      );
  });
  const first = site.listeners.flatMap((listener) => {
    const [bundle] = placement.certificates[listener.name] ?? [];
    return bundle === undefined ? [] : [[`~^${listener.port} `, bundle] as const];
  });
  if (!needsCertificateMap(site, placement)) return [];
  return map('$server_port $ssl_server_name', '$holdfast_certificate', [...chosen, ...first], '');
}

function namePattern(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9*-]/g, '\\$&');
  return plain.replace(/^\*/, '[^.]+');
}

function needsCertificateMap(site: Site, placement: Placement): boolean {
  const all = site.listeners.flatMap((l) => placement.certificates[l.name] ?? []);
  return new Set(all).size > 1;
}

/** `listeners` have the same way of TLS, as far as they have any. */
export function tlsLines(site: Site, listeners: readonly Listener[], placement: Placement): string[] {
  const bundles = listeners.flatMap((l) => placement.certificates[l.name] ?? []);
  const tls = listeners.find((l) => l.tls !== null)?.tls ?? null;
  const [first] = bundles;
  if (first === undefined || tls === null) return [];
  const certificate = needsCertificateMap(site, placement) ? '$holdfast_certificate' : path(first);
  return [
    `ssl_certificate ${certificate};`,
    `ssl_certificate_key ${certificate};`,
    `ssl_protocols ${tls.minVersion === '1.3' ? '' : 'TLSv1.2 '}TLSv1.3;`,
    ...(tls.clients ? clientLines(tls.clients, placement) : []),
    ...(placement.ticketKeys === null || tls.clients ? [] : ticketKeyFiles(placement.ticketKeys)).map(
      (name) => `ssl_session_ticket_key ${path(name)};`,
    ),
  ];
}

/** A session is taken up nowhere, as with the other engines: its client may have shown another certificate, or none. */
function clientLines(
  { required, authorities, revocations }: ClientCertificates,
  { files = {} }: Placement,
): string[] {
  return [
    `ssl_verify_client ${required ? 'on' : 'optional'};`,
    `ssl_client_certificate ${path(files[authorities] ?? authorities)};`,
    ...(revocations === undefined ? [] : [`ssl_crl ${path(files[revocations] ?? revocations)};`]),
    `ssl_verify_depth ${defaults.chainMax};`,
    'ssl_session_tickets off;',
  ];
}

/** HAProxy encrypts with the last but one of the three, NGINX with the first that it is given. */
function ticketKeyFiles(ticketKeys: string): string[] {
  return [2, 3, 1].map((number) => `${ticketKeys}.${number}`);
}

export function tlsWords({ http2 }: ListenerTls): string {
  return http2 ? ' ssl http2' : ' ssl';
}
