import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A fresh self-signed certificate, PEM. */
export function selfSigned(hostname = 'localhost'): Pair {
  return made((folder) => {
    const names = ['-subj', `/CN=${hostname}`, '-addext', `subjectAltName=DNS:${hostname}`];
    run(folder, 'req', '-x509', ...newKey, '-days', '2', '-out', 'cert.pem', ...names);
  });
}

export interface Pair {
  readonly key: string;
  readonly cert: string;
}

/** An authority of its own, and certificates that it signs; `subject` as `/O=Shop/CN=anna`, in UTF-8. */
export function authority(name: string): {
  readonly cert: string;
  sign(subject: string): Pair;
  /** A revocation list that is to be renewed in so many days. */
  revoke(revoked: readonly Pair[], days?: number): string;
} {
  const own = made((folder) => {
    run(folder, 'req', '-x509', ...newKey, '-days', '2', '-out', 'cert.pem', '-subj', `/CN=${name}`);
  });
  return {
    cert: own.cert,
    sign: (subject) =>
      made((folder) => {
        writeFileSync(join(folder, 'ca.pem'), own.cert + own.key);
        run(folder, 'req', ...newKey, '-utf8', '-subj', subject, '-out', 'asked.pem');
        const by = ['-CA', 'ca.pem', '-CAkey', 'ca.pem', '-CAcreateserial'];
        run(folder, 'x509', '-req', '-in', 'asked.pem', ...by, '-days', '2', '-out', 'cert.pem');
      }),
    revoke: (revoked, days = 1) =>
      made((folder) => {
        writeFileSync(join(folder, 'ca.pem'), own.cert + own.key);
        writeFileSync(join(folder, 'key.pem'), '');
        const serials = revoked.map(({ cert }) => `${new X509Certificate(cert).serialNumber}`);
        const lines = serials.map((serial) => `R\t490101000000Z\t200101000000Z\t${serial}\tunknown\t/CN=x\n`);
        writeFileSync(join(folder, 'index.txt'), lines.join(''));
        const config = '[ca]\ndefault_ca=us\n[us]\ndatabase=index.txt\ndefault_md=sha256\n';
        writeFileSync(join(folder, 'ca.conf'), config);
        const by = ['-config', 'ca.conf', '-cert', 'ca.pem', '-keyfile', 'ca.pem'];
        run(folder, 'ca', '-gencrl', ...by, '-crldays', `${days}`, '-out', 'cert.pem');
      }).cert,
  };
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem'];

function run(folder: string, ...args: readonly string[]): void {
  execFileSync('openssl', [...args], { cwd: folder, stdio: 'ignore' });
}

/** What `work` left as key.pem and cert.pem in a folder that is gone then. */
function made(work: (folder: string) => void): Pair {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-certificate-'));
  try {
    work(folder);
    const [key, cert] = ['key.pem', 'cert.pem'].map((file) => readFileSync(join(folder, file), 'utf8'));
    return { key: key ?? '', cert: cert ?? '' };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
