import { join } from 'node:path';
import { Failure, type Files, messageOf, type SitePaths, systemFiles } from '#base';
import type { SiteKeeper } from '#change';
import type { SiteText } from '#contract';
import { siteFile } from './places.ts';

/**
 * The site's text on disk: `site.json` is the one that was promoted last, beside it the one before and the one that
 * is about to be. Each file is whole at any moment; which of them counts is for the balancers to say.
 */
export function siteKeeper(paths: SitePaths, files: Files = systemFiles): SiteKeeper {
  const read = (file: string) => readFrom(files, file);
  const now = siteFile(paths);
  const before = join(paths.state, 'site.before.json');
  const next = join(paths.state, 'site.next.json');
  let current = read(now);

  return {
    current() {
      current ??= read(now);
      if (current) return current;
      throw new Failure('HF003', `${now} cannot be read`, 'Start the site again: `holdfast up site.yaml`.');
    },
    async stage(text) {
      files.writeDurably(next, JSON.stringify(text));
    },
    async settle(hash) {
      const was = read(now);
      if (was?.hash === hash) {
        current = was;
        files.remove(next);
        return true;
      }
      const found = [next, before].map(read).find((text) => text?.hash === hash);
      if (!found) return false;
      if (was) files.writeDurably(before, JSON.stringify(was));
      files.writeDurably(now, JSON.stringify(found));
      files.remove(next);
      current = found;
      return true;
    },
  };
}

function readFrom(files: Files, file: string): SiteText | null {
  let text: string;
  try {
    text = files.read(file);
  } catch {
    return null;
  }
  try {
    return JSON.parse(text) as SiteText;
  } catch (error) {
    throw new Failure('HF003', `${file} is damaged: ${messageOf(error)}`, 'Restore it from a copy.');
  }
}
