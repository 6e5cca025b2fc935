import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Failure } from '#base';
import { ownDialects } from '#dialects';
import {
  type FileDigest,
  filesOf,
  type IncludedText,
  type OwnDialectName,
  readRegular,
  readSiteFile,
  type WrittenText,
} from '#model';

const filesMax = 1_000;
const charactersMax = 4 * 1024 * 1024;
const digestBytesMax = 16 * 1024 * 1024;
/** Where the installed NGINX starts relative names. */
const nginxFolder = '/etc/nginx';

/**
 * An own text together with what it includes. Relative names start at the text's folder; a copy of an nginx.conf that lies
 * elsewhere (a template that is being validated) finds nothing there, and starts where the installed NGINX does.
 * @throws Failure HF002, HF003, HF004
 */
export async function readOwnText(read: WrittenText, dialect: OwnDialectName): Promise<WrittenText> {
  const folders = dialect === 'nginx' ? [read.folder, nginxFolder] : [read.folder];
  const tried = await Promise.all(folders.map((folder) => readIncludes(read, folder, dialect)));
  const at = Math.max(
    0,
    tried.findIndex(({ missing }) => missing === 0),
  );
  const folder = folders[at] ?? read.folder;
  const includes = tried[at]?.includes ?? [];
  const whole = { ...read, dialect, folder, includes };
  return { ...whole, digests: digestsOf(ownDialects[dialect].files(whole)) };
}

async function readIncludes(read: WrittenText, folder: string, dialect: OwnDialectName) {
  const includes = new Map<string, IncludedText>();
  const queue = [read.text];
  let missing = 0;
  let characters = 0;
  for (let text = queue.shift(); text !== undefined; text = queue.shift()) {
    for (const pattern of ownDialects[dialect].includes(text)) {
      const paths = filesOf(resolve(folder, pattern));
      if (paths.length === 0 && !isGlob(pattern) && !pattern.startsWith('/')) missing += 1;
      for (const path of paths) {
        if (includes.has(path)) continue;
        const { text: included } = await readSiteFile(path);
        characters += included.length;
        if (includes.size >= filesMax || characters > charactersMax)
          throw new Failure('HF002', `${read.file} includes more than ${filesMax} files or 4 MiB`);
        includes.set(path, { path, text: included });
        queue.push(included);
      }
    }
  }
  return { includes: [...includes.values()], missing };
}

function isGlob(pattern: string): boolean {
  return /[*?[]/.test(pattern);
}

/** Of certificates and keys, also of each one in a folder of them: never the content. */
export function digestsOf(files: readonly { readonly path: string; readonly use: string }[]): FileDigest[] {
  const named = new Set(files.filter(({ use }) => use === 'read').map(({ path }) => path));
  return [...named].sort().flatMap((path) => {
    try {
      if (!statSync(path).isDirectory()) return [{ path, sha256: digestOf(path) }];
      const inside = readdirSync(path).sort();
      return inside.map((name) => ({ path: join(path, name), sha256: digestOf(join(path, name)) }));
    } catch {
      return [{ path, sha256: '' }];
    }
  });
}

function digestOf(path: string): string {
  const bytes = readRegular(path, digestBytesMax);
  return bytes === null ? '' : createHash('sha256').update(bytes).digest('hex');
}
