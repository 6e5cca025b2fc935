import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { type Diagnostic, messageOf, type Place } from '#base';
import { chainMistakes, uncoveredNames } from './certificate-chain.ts';
import { revocationMistakes } from './revocation-mistakes.ts';
import type { CertificateFiles, ClientCertificates, Site } from './site.ts';
import { mistake } from './yaml.ts';

const expirySoonDays = 14;
const dayMs = 24 * 60 * 60 * 1000;

/**
 * Whether every certificate of the site can be used: files exist, are PEM, belong together, are valid at `now`
 * (milliseconds since 1970). `read` gives a file's content, or rejects. Diagnostics name the place in the site file.
 */
export async function checkCertificates(
  site: Site,
  read: (path: string) => Promise<string | Uint8Array>,
  now: number = Date.now(),
): Promise<readonly Diagnostic[]> {
  if (site.own) {
    const { checkOwnCertificates } = await import('./own-certificates.ts');
    return await checkOwnCertificates(site.own.certificates, read, now);
  }
  const found = site.listeners.map(async (listener, index) => {
    const pairs = await Promise.all(
      (listener.tls?.certificates ?? []).map((files, i) =>
        checkPair(files, `listeners[${index}].tls.certificates[${i}]`, read, now),
      ),
    );
    const certificates = pairs.flatMap(({ certificate }) => certificate ?? []);
    const isWhole = certificates.length === pairs.length;
    const clients = listener.tls?.clients;
    const ca = `listeners[${index}].tls.clientCertificates.ca`;
    return [
      ...(clients ? await checkAuthorities(clients.authorities, clients.place, ca, read) : []),
      ...(clients ? await checkRevocations(clients, `${ca.slice(0, -2)}crl`, read, now) : []),
      ...pairs.flatMap(({ diagnostics }) => diagnostics),
      ...(isWhole ? uncoveredNames(site, listener, certificates) : []),
    ];
  });
  const shown = site.pools.map(async ({ tls }, index) => {
    if (tls === null) return [];
    const path = `pools[${index}].tls`;
    const { authorities, certificate, place } = tls;
    return [
      ...(authorities === null ? [] : await checkAuthorities(authorities, place, `${path}.ca`, read)),
      ...(certificate === null ? [] : (await checkPair(certificate, path, read, now)).diagnostics),
    ];
  });
  return (await Promise.all([...found, ...shown])).flat();
}

/** One certificate that can be read is enough: which of them is used, only a handshake tells. */
async function checkAuthorities(
  file: string,
  place: Place,
  path: string,
  read: (path: string) => Promise<string | Uint8Array>,
): Promise<readonly Diagnostic[]> {
  const { trouble } = await parsed(read, file, (text) => new X509Certificate(text));
  if (trouble === null) return [];
  return [mistake('HF018', place, path, `expected certificates in ${file}, ${trouble}`, pemRemedy)];
}

async function checkRevocations(
  clients: ClientCertificates,
  path: string,
  read: (path: string) => Promise<string | Uint8Array>,
  now: number,
): Promise<readonly Diagnostic[]> {
  const { revocations, authorities, place } = clients;
  if (revocations === undefined) return [];
  const lists = await parsed(read, revocations, (text) => text);
  if (lists.trouble !== null)
    return [
      mistake(
        'HF018',
        place,
        path,
        `expected revocation lists in ${revocations}, ${lists.trouble}`,
        pemRemedy,
      ),
    ];
  const by = await parsed(read, authorities, (text) => text);
  const held = { pem: lists.value, authorities: by.value ?? '' };
  return revocationMistakes({ ...clients, revocations }, held, path, now);
}

export async function checkPair(
  files: CertificateFiles,
  path: string,
  read: (path: string) => Promise<string | Uint8Array>,
  now: number,
): Promise<{ readonly certificate: X509Certificate | null; readonly diagnostics: readonly Diagnostic[] }> {
  const bad = (key: string, message: string, remedy: string) =>
    mistake('HF018', files.place, `${path}${key}`, message, remedy);
  const [certificate, key] = await Promise.all([
    parsed(read, files.certificate, (text) => ({ first: new X509Certificate(text), text })),
    parsed(read, files.key, privateKey),
  ]);
  const mistakes = [
    ...(certificate.trouble === null
      ? []
      : [
          bad(
            '.certificate',
            `expected a certificate in ${files.certificate}, ${certificate.trouble}`,
            pemRemedy,
          ),
        ]),
    ...(key.trouble === null
      ? []
      : [bad('.key', `expected a private key in ${files.key}, ${key.trouble}`, pemRemedy)]),
  ];
  if (certificate.value && key.value && !certificate.value.first.checkPrivateKey(key.value)) {
    const message = `the key ${files.key} does not belong to the certificate ${files.certificate}`;
    mistakes.push(bad('', message, 'Name the key that the certificate was made for'));
  }
  if (!certificate.value) return { certificate: null, diagnostics: mistakes };
  const { first, text } = certificate.value;
  const more = [...chainMistakes(text, files, path), ...validity(first, files, path, now)];
  return { certificate: first, diagnostics: [...mistakes, ...more] };
}

const pemRemedy = 'Name a PEM file that the user who runs Holdfast can read';

type Parsed<T> =
  | { readonly value: T; readonly trouble: null }
  | { readonly value: null; readonly trouble: string };

async function parsed<T>(
  read: (path: string) => Promise<string | Uint8Array>,
  file: string,
  parse: (text: string) => T,
): Promise<Parsed<T>> {
  let text: string;
  try {
    text = Buffer.from(await read(file)).toString('utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException | null)?.code;
    return {
      value: null,
      trouble: code === 'ENOENT' ? 'but there is no such file' : `got ${messageOf(error)}`,
    };
  }
  try {
    if (!text.includes('-----BEGIN')) return { value: null, trouble: 'got a file that is not PEM' };
    return { value: parse(text), trouble: null };
  } catch {
    return { value: null, trouble: 'got something else' };
  }
}

function privateKey(text: string): KeyObject {
  return createPrivateKey(text);
}

function validity(
  certificate: X509Certificate,
  files: CertificateFiles,
  path: string,
  now: number,
): Diagnostic[] {
  const tell = (message: string, remedy: string, severity: Diagnostic['severity']) => [
    { ...mistake('HF018', files.place, `${path}.certificate`, message, remedy), severity },
  ];
  const from = certificate.validFromDate.getTime();
  const to = certificate.validToDate.getTime();
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  if (now < from)
    return tell(`${files.certificate} is valid from ${day(from)} only`, 'Check the clock', 'error');
  if (now >= to) return tell(`${files.certificate} expired on ${day(to)}`, 'Renew it', 'error');
  const daysLeft = Math.floor((to - now) / dayMs);
  if (daysLeft >= expirySoonDays) return [];
  return tell(`${files.certificate} expires on ${day(to)}, in ${daysLeft} days`, 'Renew it', 'warning');
}
