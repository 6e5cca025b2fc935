import { X509Certificate } from 'node:crypto';
import type { Diagnostic } from '#base';
import { type RevocationList, revocationListsIn, subjectOf } from './revocation-list.ts';
import type { ClientCertificates } from './site.ts';
import { mistake } from './yaml.ts';

const dayMs = 24 * 60 * 60 * 1000;
const soonDaysMax = 14;
/** Lists are often renewed each day: a quarter of its time is what is left when one is late. */
const soonShare = 1 / 4;

/**
 * Revocation lists that clients are held to. One that is over, and an authority without one, turns every client away: so
 * say OpenSSL's rules, which all engines have. `pem` and `authorities`: what the files hold.
 */
export function revocationMistakes(
  { revocations, place }: ClientCertificates & { readonly revocations: string },
  { pem, authorities }: { readonly pem: string; readonly authorities: string },
  path: string,
  now: number,
): Diagnostic[] {
  const tell = (message: string, remedy: string, severity: Diagnostic['severity'] = 'error') => ({
    ...mistake('HF018', place, path, message, remedy),
    severity,
  });
  let lists: readonly RevocationList[];
  try {
    lists = revocationListsIn(pem);
  } catch {
    return [tell(`expected revocation lists in ${revocations}, got something else`, remedyPem)];
  }
  const over = lists.flatMap(({ nextUpdate, thisUpdate }) => {
    if (now < thisUpdate)
      return [tell(`a list in ${revocations} begins on ${day(thisUpdate)} only`, 'Check the clock')];
    if (nextUpdate === null) return [];
    const leftMs = nextUpdate - now;
    if (leftMs <= 0)
      return [
        tell(
          `a list in ${revocations} should have been renewed by ${day(nextUpdate)}: every client would be refused`,
          'Fetch the new list',
        ),
      ];
    if (leftMs >= Math.min(soonDaysMax * dayMs, (nextUpdate - thisUpdate) * soonShare)) return [];
    return [
      tell(
        `a list in ${revocations} is to be renewed by ${day(nextUpdate)}: every client is refused then`,
        'Fetch the new list',
        'warning',
      ),
    ];
  });
  const issuers = new Set(lists.map(({ issuer }) => issuer));
  const without = authoritiesIn(authorities).filter((one) => !issuers.has(subjectOf(one.raw)));
  return [
    ...over,
    ...without.map((one) =>
      tell(
        `${revocations} has no list of the authority ${one.subject.replaceAll('\n', ', ')}: its clients would be refused`,
        'Add its list to the file, even one that revokes nothing',
        'warning',
      ),
    ),
  ];
}

const remedyPem = 'Name a PEM file (openssl crl -inform DER -in LIST -out LIST.pem)';

function authoritiesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.map((text) => new X509Certificate(text));
  } catch {
    // Told already.
    return [];
  }
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
}
