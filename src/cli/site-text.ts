import { type Diagnostic, Failure } from '#base';
import { unsupportedUses } from '#dialects';
import {
  checkCertificates,
  parseSite,
  readCertificateFile,
  readSiteFile,
  type Site,
  type SiteFile,
} from '#model';

/** A file as `check` and `apply` read it on this machine, before anybody is asked. */
export interface LocalReading {
  readonly read: SiteFile;
  readonly site: Site | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** @throws Failure HF002, HF003, HF004 (the file), HF005 (another dialect's text). */
export async function readLocally(file: string): Promise<LocalReading> {
  const read = await readSiteFile(file);
  const other = otherDialect(read.text);
  if (other)
    throw new Failure(
      'HF005',
      `${file} is a text of ${other}, which this version cannot read yet`,
      'Write the site as a site.yaml; examples/shop/site.yaml shows one.',
    );
  const { site, diagnostics } = parseSite(read.text, file, read.folder);
  if (!site) return { read, site, diagnostics };
  const more = [...unsupportedUses(site), ...(await checkCertificates(site, readCertificateFile))];
  const usable = more.every(({ severity }) => severity !== 'error');
  return { read, site: usable ? site : null, diagnostics: [...diagnostics, ...more] };
}

/** Words that begin a section there and mean nothing in YAML. Guesses the name for a message, never the meaning. */
function otherDialect(text: string): 'HAProxy' | 'NGINX' | null {
  const lines = text.split('\n', 2_000);
  if (
    lines.some((line) =>
      /^\s*(?:https?|events|server|upstream|stream|location)\b[^:#]*\{\s*(?:#.*)?$/.test(line),
    )
  )
    return 'NGINX';
  const section = /^(?:global|defaults|(?:frontend|backend|listen|peers|resolvers)\s+[\w.:-]+)\s*(?:#.*)?$/;
  return lines.some((line) => section.test(line)) ? 'HAProxy' : null;
}
