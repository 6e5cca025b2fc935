/** A configuration of a corpus, and stand-ins for what it names and is not there. */
import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname } from 'node:path';
import type { LiftFiles } from '#dialects';
import type { OwnDialectName } from '#model';
import { belowFolder, bytesMax, type Source } from './find.ts';

export interface ReadText {
  readonly file: string;
  readonly folder: string;
  readonly text: string;
  readonly dialect: OwnDialectName;
  readonly files: LiftFiles;
}

/** @throws when it cannot be read, or is larger than Holdfast reads. */
export function readSource(source: Source, folder: string, files: readonly string[]): ReadText {
  const texts = source.paths.map(readText);
  const [first = ''] = source.paths;
  return {
    file: source.paths.length === 1 ? basename(first) : `${basename(dirname(first))}/`,
    folder: dirname(first),
    text: texts.join('\n'),
    dialect: source.dialect,
    files: standIns(source.dialect, folder, dirname(first), files),
  };
}

/** Bytes that are no UTF-8 are taken one by one. */
export function readText(path: string): string {
  const { size } = statSync(path);
  if (size > bytesMax) throw new Error(`${size} bytes, more than ${bytesMax}`);
  const bytes = readFileSync(path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return bytes.toString('latin1');
  }
}

function standIns(
  dialect: OwnDialectName,
  folder: string,
  from: string,
  files: readonly string[],
): LiftFiles {
  const there = (path: string) => belowFolder(folder, from, path, files);
  return {
    find(pattern) {
      const found = there(pattern);
      return found.length > 0 || /[*?[]/.test(pattern) ? found : [pattern];
    },
    read(path) {
      const found = files.includes(path) ? path : there(path)[0];
      return found === undefined ? standIn(dialect, path) : readText(found);
    },
    environment: (name) => (/PORT/i.test(name) ? '8080' : /ADDR|HOST|IP/i.test(name) ? '127.0.0.1' : name),
  };
}

/** An empty list is one of whatever kind. */
function standIn(dialect: OwnDialectName, path: string): string {
  if (dialect === 'nginx' || extname(path) !== '.http') return '';
  return 'HTTP/1.0 503 Service Unavailable\r\nContent-Type: text/html\r\n\r\nstand-in\n';
}
