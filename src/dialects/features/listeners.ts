import type { Listener, Site } from '#model';
import type { Features } from './feature.ts';

/** What a site can say of where it listens. */
export const listenerFeatures = {
  listenerPlain: {
    written: 'listeners[] without tls',
    meaning: 'serves HTTP/1.1 on an address and port',
    uses: (site) => site.listeners.filter(({ tls }) => tls === null).map(({ place }) => place),
  },
  listenerTls: {
    written: 'listeners[].tls',
    meaning: 'serves HTTPS, with HTTP/2 for clients that speak it',
    uses: (site) => site.listeners.filter(({ tls }) => tls !== null).map(({ place }) => place),
  },
  certificatesByName: {
    written: 'listeners[].tls.certificates, several',
    meaning:
      'the certificate is chosen by the name that the client asks for; the first one is for all others',
    uses: (site) =>
      site.listeners.flatMap(({ tls }) => tls?.certificates.slice(1, 2).map(({ place }) => place) ?? []),
  },
  forwardedReplace: {
    written: 'listeners[].forwarded.policy: replace',
    meaning:
      'servers are told the client in X-Forwarded-For and X-Forwarded-Proto, in the place of what came',
    uses: (site) => policies(site, 'replace'),
  },
  forwardedAppend: {
    written: 'listeners[].forwarded.policy: append',
    meaning: 'as replace, but behind what came from a trusted proxy',
    uses: (site) => policies(site, 'append'),
  },
  forwardedOff: {
    written: 'listeners[].forwarded.policy: off',
    meaning: 'servers are told nothing about the client, and what came is removed',
    uses: (site) => policies(site, 'off'),
  },
  forwardedAlso: {
    written: 'listeners[].forwarded.also',
    meaning: 'X-Forwarded-Host, X-Forwarded-Port and Forwarded (RFC 7239: for, proto) as well',
    uses: (site) =>
      site.listeners.flatMap(({ forwarded }) => (forwarded.also.length > 0 ? [forwarded.place] : [])),
  },
  hsts: {
    written: 'listeners[].hsts',
    meaning: "Strict-Transport-Security in every answer, in the place of a server's own",
    uses: (site) => site.listeners.flatMap(({ hsts }) => hsts?.place ?? []),
  },
} as const satisfies Features;

function policies(site: Site, policy: Listener['forwarded']['policy']) {
  return site.listeners.flatMap(({ forwarded }) => (forwarded.policy === policy ? [forwarded.place] : []));
}
