import { X509Certificate } from 'node:crypto';
import type { Diagnostic } from '#base';
import type { CertificateFiles, Listener, Site } from './site.ts';
import { mistake } from './yaml.ts';

const block = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Each certificate of a file is issued by the one behind it; a client that is given another order may not find its way. */
export function chainMistakes(pem: string, files: CertificateFiles, path: string): Diagnostic[] {
  const begun = pem.split('-----BEGIN CERTIFICATE-----').length - 1;
  const blocks = pem.match(block) ?? [];
  const bad = (message: string, remedy: string) => [
    mistake('HF018', files.place, `${path}.certificate`, message, remedy),
  ];
  if (blocks.length < begun)
    return bad(`${files.certificate} breaks off in the middle of a certificate`, 'Write it whole');
  const chain: X509Certificate[] = [];
  for (const [index, text] of blocks.entries()) {
    try {
      chain.push(new X509Certificate(text));
    } catch {
      return bad(`certificate ${index + 1} of ${files.certificate} cannot be read`, 'Write it whole');
    }
  }
  const wrong = chain.findIndex((one, index) => {
    const issuer = chain[index + 1];
    return issuer !== undefined && !(one.checkIssued(issuer) && one.verify(issuer.publicKey));
  });
  if (wrong < 0) return [];
  return bad(
    `certificate ${wrong + 1} of ${files.certificate} is not issued by the one behind it`,
    "The site's own certificate comes first, then the one that issued it, and so on",
  );
}

/** Host names that requests are told apart by on a TLS listener, and that none of its certificates is for: a warning. */
export function uncoveredNames(
  site: Site,
  listener: Listener,
  certificates: readonly X509Certificate[],
): Diagnostic[] {
  if (certificates.length === 0) return [];
  const routes = site.routes.filter(
    ({ listeners }) => listeners.length === 0 || listeners.includes(listener.name),
  );
  const names = new Set(routes.flatMap(({ hostnames }) => hostnames));
  return [...names].flatMap((name) => {
    const asked = name.replace(/^\*\./, 'any.');
    if (certificates.some((one) => one.checkHost(asked) !== undefined)) return [];
    const route = routes.find(({ hostnames }) => hostnames.includes(name));
    if (!route) return [];
    const found = mistake(
      'HF018',
      route.place,
      `listener "${listener.name}"`,
      `no certificate of this listener is for ${name}`,
      'Clients will refuse it: add a certificate for this name',
    );
    return [{ ...found, severity: 'warning' as const }];
  });
}
