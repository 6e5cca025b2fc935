import { resolve } from 'node:path';
import { type Diagnostic, Failure } from '#base';
import type { SiteText } from '#contract';
import { readSite } from '#dialects';
import { readSiteFile, type Site, siteHash, type WrittenText } from '#model';

/** A team's own text, as the site that it is on this machine. @throws Failure HF003 to HF005, or what it cannot carry over. */
export async function readOwn(
  file: string,
  name: string,
): Promise<{ readonly site: Site; readonly text: SiteText; readonly warnings: readonly Diagnostic[] }> {
  const read = await readSiteFile(file);
  const written: WrittenText = {
    ...read,
    folder: resolve(read.folder),
    dialect: /^\s*(?:https?|events|stream)\s*\{/m.test(read.text) ? 'nginx' : 'haproxy',
    site: name,
    balancer: name,
  };
  const { site, diagnostics } = readSite(written);
  if (!site) {
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    throw new Failure(
      errors[0]?.code ?? 'HF005',
      `${file} cannot be adopted, nothing was touched`,
      '',
      diagnostics,
    );
  }
  return { site, text: { ...written, hash: siteHash(site) }, warnings: diagnostics };
}
