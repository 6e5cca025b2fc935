import { join } from 'node:path';
import type { OwnLines } from '../own-lines.ts';
import type { LiftSource } from './lift/source.ts';
import type { Line } from './own/sections.ts';
import type { Word } from './own/words.ts';
import { word as quoted } from './vocabulary.ts';

interface Files {
  readonly source: LiftSource;
  readonly folder: string;
  readonly lines: OwnLines;
  /** By name in the folder. */
  readonly files: Record<string, string>;
  readonly names: Map<string, string>;
}

const inWord = /(?:^|[,\s%[(])(?:map(?:_[a-z0-9]+)*|(?:set|del)-map|(?:add|del)-acl)\(([^,()]+)/g;

/** Lists, maps and answers that a line reads: the same, or nothing where they are not there, beside the staged text. */
export function stageFiles(line: Line, files: Files): void {
  line.words.forEach((word, index) => {
    const before = line.words[index - 1]?.value ?? '';
    const first = line.words[0]?.value ?? '';
    if (before === '-f') put(line, word, word.value, '', files);
    else if (first === 'errorfile' && index === 2) put(line, word, word.value, emptyAnswer(before), files);
    else if (index > 2 && /^(?:file|lf-file|errorfile)$/.test(before) && /^http-/.test(first))
      put(line, word, word.value, before === 'errorfile' ? emptyAnswer('503') : 'stand-in', files);
    else {
      const paths = [...word.value.matchAll(inWord)].flatMap(([, path]) => path ?? []);
      if (paths.length > 0) putAll(line, word, paths, files);
    }
  });
}

const emptyAnswer = (status: string) => `HTTP/1.0 ${status} Stand-in\r\ncontent-length: 0\r\n\r\n`;

function put(line: Line, word: Word, path: string, standIn: string, files: Files): void {
  if (/^(?:virt|opt)@/.test(path)) return;
  files.lines.replace(line.number, word, quoted(placeOf(path, standIn, files)), 'read beside the text');
}

function putAll(line: Line, word: Word, paths: readonly string[], files: Files): void {
  const value = paths.reduce(
    (text, path) =>
      /^(?:virt|opt)@/.test(path) ? text : text.replaceAll(`(${path}`, `(${placeOf(path, '', files)}`),
    word.value,
  );
  if (value !== word.value) files.lines.replace(line.number, word, quoted(value), 'read beside the text');
}

function placeOf(path: string, standIn: string, { source, folder, files, names }: Files): string {
  const known = names.get(path) ?? `f${names.size}`;
  if (!names.has(path)) files[known] = source.read(path) ?? standIn;
  names.set(path, known);
  return join(folder, known);
}
