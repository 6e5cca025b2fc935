import { resolve } from 'node:path';
import { type Diagnostic, Failure } from '#base';
import { readLocally } from '#cli';
import type { SiteText } from '#contract';
import { readSite } from '#dialects';
import { type Site, siteHash } from '#model';

/** A team's own text as the site that it is on this machine. @throws Failure: what cannot be read, or cannot be carried over. */
export async function readOwn(
  file: string,
  name: string,
): Promise<{ readonly site: Site; readonly text: SiteText; readonly warnings: readonly Diagnostic[] }> {
  const { read, diagnostics: found } = await readLocally(file);
  if ((read.dialect ?? 'site') === 'site')
    throw new Failure(
      'HF005',
      `${file} is a site.yaml, which no running engine has read`,
      `Run it: holdfast up ${file}`,
    );
  const written = { ...read, folder: resolve(read.folder), site: name, balancer: name };
  const { site } = readSite(written);
  // What runs is adopted as it is: a certificate that has expired is told, and no reason not to.
  if (site) return { site, text: { ...written, hash: siteHash(site) }, warnings: found };
  const errors = found.filter(({ severity }) => severity === 'error');
  throw new Failure(errors[0]?.code ?? 'HF005', `${file} cannot be adopted, nothing was touched`, '', found);
}
