import { X509Certificate } from 'node:crypto';

/** What a person asks of a certificate. */
export interface CertificateFacts {
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly validTo: number;
}

/** Of the first certificate in a PEM text; null when there is none that can be read. */
export function certificateFacts(pem: string): CertificateFacts | null {
  try {
    const certificate = new X509Certificate(pem);
    return { names: namesOf(certificate), validTo: certificate.validToDate.getTime() };
  } catch {
    return null;
  }
}

function namesOf({ subjectAltName, subject }: X509Certificate): string[] {
  const listed = (subjectAltName ?? '').split(', ').flatMap((entry) => {
    const [kind, name] = entry.split(':');
    return (kind === 'DNS' || kind === 'IP Address') && name ? [name] : [];
  });
  const common = /^CN=(.*)$/m.exec(subject)?.[1];
  return listed.length > 0 ? listed : common ? [common] : [];
}
