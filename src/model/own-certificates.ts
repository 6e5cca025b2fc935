import type { X509Certificate } from 'node:crypto';
import { type Diagnostic, messageOf } from '#base';
import { checkPair } from './certificates.ts';
import type { OwnCertificate } from './own.ts';
import { mistake } from './yaml.ts';

type Read = (path: string) => Promise<string | Uint8Array>;

/**
 * Certificates that an own text names: the pair has to be one, as its engine would have it too. What its engine serves
 * all the same (an order of the chain, an expiry, a name that no certificate is for) is a warning.
 */
export async function checkOwnCertificates(
  certificates: readonly OwnCertificate[],
  read: Read,
  now: number,
): Promise<readonly Diagnostic[]> {
  const found = await Promise.all(certificates.map((one) => checkOwn(one, read, now)));
  const told = new Set<string>();
  // A pair that several servers share is told once.
  return found.flat().filter(({ message }) => {
    const isNew = !told.has(message);
    told.add(message);
    return isNew;
  });
}

async function checkOwn(one: OwnCertificate, read: Read, now: number): Promise<readonly Diagnostic[]> {
  const content = await contentOf(one.certificate, read);
  if (content.kind === 'folder') return [];
  const key = one.key ?? (await keyOf(one.certificate, content.text, read));
  const files = { certificate: one.certificate, key, place: one.place };
  const { certificate, diagnostics } = await checkPair(files, 'certificate', read, now);
  return [
    ...diagnostics.map((found) =>
      served.test(found.message) ? { ...found, severity: 'warning' as const } : found,
    ),
    ...(certificate ? uncovered(one, certificate) : []),
  ];
}

/** What an engine says nothing of. */
const served = / (?:is valid from|expired on|expires on|is not issued by) /;

async function contentOf(path: string, read: Read) {
  try {
    return { kind: 'file', text: Buffer.from(await read(path)).toString('utf8') } as const;
  } catch (error) {
    const isFolder =
      (error as NodeJS.ErrnoException | null)?.code === 'EISDIR' ||
      /not a regular file|EISDIR/.test(messageOf(error));
    return isFolder ? ({ kind: 'folder' } as const) : ({ kind: 'file', text: '' } as const);
  }
}

/** HAProxy looks for it in the same file, then beside it. */
async function keyOf(certificate: string, text: string, read: Read): Promise<string> {
  if (text === '' || text.includes('PRIVATE KEY-----')) return certificate;
  for (const beside of [`${certificate}.key`, certificate.replace(/\.[^./]+$/, '.key')])
    if (
      await read(beside).then(
        () => true,
        () => false,
      )
    )
      return beside;
  return certificate;
}

function uncovered({ names, place }: OwnCertificate, certificate: X509Certificate): Diagnostic[] {
  const none = names.filter((name) => certificate.checkHost(name.replace(/^\*?\./, 'any.')) === undefined);
  // One of several pairs, or of several names, may be for it.
  if (none.length === 0 || none.length < names.length) return [];
  const found = mistake(
    'HF018',
    place,
    'certificate',
    `the certificate is not for ${none.join(', ')}`,
    'Clients will refuse it: name a certificate for this name',
  );
  return [{ ...found, severity: 'warning' }];
}
