import { type Diagnostic, Failure } from '#base';
import { dialectOf, readSite, unsupportedUses } from '#dialects';
import {
  checkCertificates,
  readCertificateFile,
  readSiteFile,
  type Site,
  type SiteFile,
  type TextDialect,
  type WrittenText,
  withIncludes,
} from '#model';
import { readOwnText } from './own-text.ts';

/** A file as `check` and `apply` read it on this machine, before anybody is asked. */
export interface LocalReading {
  readonly read: WrittenText;
  readonly site: Site | null;
  /** The same where it is refused, as far as it was read: what an engine can be shown of it. */
  readonly surveyed: Site | null;
  readonly diagnostics: readonly Diagnostic[];
}

const names = { haproxy: 'HAProxy', nginx: 'NGINX' };

/** A text that is only looked at may be longer than one that is run. */
const plannedBytesMax = 16 * 1024 * 1024;

/** As `readWritten`, without what only whoever runs the text needs: digests of its certificates, and includes where it has none. */
export async function readPlanned(file: string, dialect?: TextDialect): Promise<WrittenText> {
  const plain = await readSiteFile(file, plannedBytesMax);
  const written = dialectIn(plain, dialect);
  // A haproxy.cfg asks for its lists and maps when it is lifted.
  const asksFor = written === 'site' || (written === 'nginx' && plain.text.includes('include'));
  return asksFor ? await withParts(plain, written) : { ...plain, dialect: written };
}

/**
 * `dialect`: what the text is written in, when neither its name nor its content is to decide.
 * @throws Failure HF002, HF003, HF004 (the file), HF005 (a site.yaml that is none).
 */
export async function readWritten(file: string, dialect?: TextDialect): Promise<WrittenText> {
  const plain = await readSiteFile(file);
  return await withParts(plain, dialectIn(plain, dialect));
}

async function withParts(plain: SiteFile, written: TextDialect): Promise<WrittenText> {
  return written === 'site' ? await withIncludes(plain) : await readOwnText(plain, written);
}

function dialectIn({ file, text }: SiteFile, dialect: TextDialect | undefined): TextDialect {
  const written = dialect ?? dialectOf(text);
  if (dialect === undefined && written !== 'site' && /\.ya?ml$/.test(file))
    throw new Failure(
      'HF005',
      `${file} is a text of ${names[written]}`,
      'Give the file its own name (haproxy.cfg, nginx.conf), or say so: --dialect',
    );
  return written;
}

/** @throws Failure as `readWritten` does. */
export async function readLocally(file: string, dialect?: TextDialect): Promise<LocalReading> {
  const read = await readWritten(file, dialect);
  const { site, surveyed = null, diagnostics } = readSite(read);
  if (!site) return { read, site, surveyed, diagnostics };
  const more = [...unsupportedUses(site), ...(await checkCertificates(site, readCertificateFile))];
  const usable = more.every(({ severity }) => severity !== 'error');
  return { read, site: usable ? site : null, surveyed: site, diagnostics: [...diagnostics, ...more] };
}
