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
} as const satisfies Features;
