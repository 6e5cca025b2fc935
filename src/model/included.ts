import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Diagnostic } from '#base';
import { pathText } from './mistakes.ts';
import type { IncludedText, WrittenText } from './own.ts';
import { sectionOf, textOf, valueIn } from './parts.ts';
import { answerBodyBytesMax } from './schema-actions.ts';
import { mistake, type Path, readYaml, type SourceText } from './yaml.ts';

/** Bodies that stand in files of their own, beside the site file. They travel with its text, so that everybody reads the same. */

/** More than a body may have, so that `check` can say how long it is. */
const readBytesMax = 65_536;

/** The content of a file that the site names; empty when it was not read, which is told as a mistake. */
export type ContentOf = (name: string) => string;

export function contentsOf(folder: string, includes: readonly IncludedText[]): ContentOf {
  const texts = new Map(includes.map(({ path, text }) => [path, text]));
  return (name) => texts.get(resolve(folder, name)) ?? '';
}

/** A site's text with the files that it names. What cannot be read is left out, and told by `parseSite` at its place. */
export async function withIncludes(read: WrittenText): Promise<WrittenText> {
  // A hundred thousand servers are not read twice to find no name of a file: none is there without its key in so many letters.
  if (!read.text.includes('file') && !read.text.includes('\\')) return read;
  const { source } = readYaml(read.text, read.file);
  const paths = new Set(source ? namedFiles(source).map(({ name }) => resolve(read.folder, name)) : []);
  if (paths.size === 0) return read;
  const includes = await Promise.all(
    [...paths].map(async (path) => {
      const text = await readText(path).catch(() => null);
      return text === null ? [] : [{ path, text }];
    }),
  );
  return { ...read, includes: includes.flat() };
}

async function readText(path: string): Promise<string | null> {
  const found = await stat(path);
  if (!found.isFile() || found.size > readBytesMax) return null;
  return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
}

export function includeMistakes(
  source: SourceText,
  folder: string,
  includes: readonly IncludedText[],
): Diagnostic[] {
  const texts = new Map(includes.map(({ path, text }) => [path, text]));
  return namedFiles(source).flatMap(({ at, name }) => {
    const path = resolve(folder, name);
    const text = texts.get(path);
    const tell = (message: string, remedy: string) => [
      mistake('HF024', source.placeOf(at), pathText(at), message, remedy),
    ];
    const expected = `expected a file of UTF-8 text, at most ${answerBodyBytesMax} bytes`;
    if (text === undefined)
      return tell(`${expected}, got none in ${path}`, 'Check its name, its rights and its size');
    const bytes = Buffer.byteLength(text);
    if (bytes > answerBodyBytesMax)
      return tell(`${expected}, got ${bytes} bytes in ${path}`, 'Make it shorter');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it keeps out
    if (/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text))
      return tell(`${expected}, got control characters in ${path}`, 'Remove them');
    return [];
  });
}

function namedFiles(source: SourceText): { readonly at: Path; readonly name: string }[] {
  const named = (part: unknown, at: Path) => {
    const name = textOf(part, 'file');
    return name === null ? [] : [{ at: [...at, 'file'], name }];
  };
  const pages = valueIn(source.value, 'errorPages');
  return [
    ...sectionOf(source, 'routes').flatMap((route, i) =>
      named(valueIn(route, 'answer'), ['routes', i, 'answer']),
    ),
    ...(Array.isArray(pages) ? pages : []).flatMap((page, i) => named(page, ['errorPages', i])),
  ];
}
