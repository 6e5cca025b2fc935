import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Source } from './rules.ts';

export const root = resolve(import.meta.dirname, '../..');

const texts = /\.(?:ts|js|json|md|yaml|yml|cfg|conf|sh|txt|css|html|service)$|^\.ci\//;

/** Every text of the repository: what Git has and what it would take, so that a new file counts before it is added. */
export function repositoryTexts(): Source[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  return [...new Set(listed.split('\0'))]
    .filter((path) => texts.test(path) && path !== 'package-lock.json')
    .flatMap((path) => {
      try {
        return [{ path, text: readFileSync(resolve(root, path), 'utf8') }];
      } catch {
        return []; // removed, and Git has not been told
      }
    });
}
