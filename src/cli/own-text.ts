import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Failure, type Place } from '#base';
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
  const beside = await readIncludes(read, read.folder, dialect);
  const installed =
    dialect === 'nginx' && beside.missing > 0 ? await readIncludes(read, nginxFolder, dialect) : beside;
  const { folder, includes } = installed.missing === 0 ? installed : beside;
  const whole = { ...read, dialect, folder, includes };
  return { ...whole, digests: digestsOf(ownDialects[dialect].files(whole)) };
}

async function readIncludes(read: WrittenText, folder: string, dialect: OwnDialectName) {
  const includes = new Map<string, IncludedText>();
  const queue = [{ path: read.file, text: read.text }];
  let missing = 0;
  let characters = 0;
  for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
    for (const { pattern, place } of ownDialects[dialect].includes(one.path, one.text)) {
      const paths = filesOf(resolve(folder, pattern));
      if (paths.length === 0 && !isGlob(pattern) && !pattern.startsWith('/')) missing += 1;
      for (const path of paths) {
        if (includes.has(path)) continue;
        const included = await readIncluded(path, pattern, place);
        characters += included.text.length;
        if (includes.size >= filesMax || characters > charactersMax)
          throw placed('HF002', place, `${read.file} includes more than ${filesMax} files or 4 MiB`, '');
        includes.set(path, included);
        queue.push(included);
      }
    }
  }
  return { folder, includes: [...includes.values()], missing };
}

/** @throws Failure as `readSiteFile`, at the place of the include. */
async function readIncluded(path: string, pattern: string, place: Place): Promise<IncludedText> {
  try {
    return { path, text: (await readSiteFile(path)).text };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const remedy = isGlob(pattern)
      ? `Write a pattern that meets nothing but files of configuration, such as ${dirname(pattern)}/*.conf`
      : error.remedy.replace(/\.$/, '');
    throw placed(error.code, place, error.message, remedy);
  }
}

function placed(code: string, place: Place, message: string, remedy: string): Failure {
  return new Failure(code, message, remedy, [
    { code, severity: 'error', place, path: 'include', message, remedy },
  ]);
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
