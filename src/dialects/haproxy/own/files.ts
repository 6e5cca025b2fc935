import { posix } from 'node:path';
import type { OwnCertificate, OwnText, WrittenText } from '#model';
import type { ControlAccess, IncludeName, OwnFile } from '../../own.ts';
import { addressOf } from './address.ts';
import { type Line, type Section, sectionsOf } from './sections.ts';
import { globalLines, globalWord } from './unix.ts';
import { type Word, wordsOf } from './words.ts';

/** A word of the text that names a file, as a certificate's or key's, which only root may be able to read. */
export interface FileWord {
  readonly line: Line;
  readonly word: Word;
  readonly path: string;
  /** It starts from wherever HAProxy was started. */
  readonly relative: boolean;
}

/** Options with a file after them, and where a relative name starts. */
const bases: Readonly<Record<string, 'crt-base' | 'ca-base' | null>> = {
  crt: 'crt-base',
  'crt-list': 'crt-base',
  'ca-file': 'ca-base',
  'ca-verify-file': 'ca-base',
  'ca-sign-file': 'ca-base',
  'crl-file': 'ca-base',
  'tls-ticket-keys': null,
};
const lists = 'crt-list';

export function fileWords(sections: readonly Section[]): readonly FileWord[] {
  return sections.flatMap((section) =>
    section.lines.flatMap((line) => {
      const keyword = line.words[0]?.value ?? '';
      if (!/^(?:bind|server|server-template|default-server)$/.test(keyword))
        return keyword === 'ssl-dh-param-file' ? named(sections, line, 1, null) : [];
      return line.words.flatMap(({ value }, index) => {
        const base = bases[value];
        return index < 2 || base === undefined ? [] : named(sections, line, index + 1, base);
      });
    }),
  );
}

function named(
  sections: readonly Section[],
  line: Line,
  index: number,
  base: 'crt-base' | 'ca-base' | null,
): FileWord[] {
  const word = line.words[index];
  if (word === undefined || word.value === '' || word.value.startsWith('@')) return [];
  const from = base ? globalWord(sections, base, 1) : '';
  return [{ line, word, ...located(from, word.value) }];
}

function located(base: string, name: string): { readonly path: string; readonly relative: boolean } {
  const relative = !name.startsWith('/') && !base.startsWith('/');
  return { path: posix.resolve('/', base, name), relative };
}

export function certificateLists(sections: readonly Section[]): readonly FileWord[] {
  return fileWords(sections).filter(({ line, word }) => {
    const before = line.words[line.words.indexOf(word) - 1];
    return before?.value === lists;
  });
}

/** Certificates named in a crt-list: the first word of each line. */
export function listedFiles(sections: readonly Section[], text: string) {
  return text.split('\n').flatMap((source, index) => {
    const [word] = wordsOf(source, new Map());
    if (word === undefined) return [];
    return [{ number: index + 1, word, ...located(globalWord(sections, 'crt-base', 1), word.value) }];
  });
}

export function includes(file: string, text: string): readonly IncludeName[] {
  const found = new Map<string, IncludeName>();
  for (const { path, line, word } of certificateLists(sectionsOf(text))) {
    const place = { file, line: line.number, column: word.start + 1 };
    if (!found.has(path)) found.set(path, { pattern: path, place });
  }
  return [...found.values()];
}

export function files({
  text,
  file,
  includes: included,
}: Pick<OwnText, 'file' | 'text' | 'includes'>): readonly OwnFile[] {
  const sections = sectionsOf(text);
  const read = fileWords(sections).map(({ path, line }) => ({ path, line: line.number, file }));
  const listed = included.flatMap((list) =>
    listedFiles(sections, list.text).map(({ path, number }) => ({ path, line: number, file: list.path })),
  );
  const controls = globalLines(sections, 'stats').flatMap(({ words, number }) => {
    const address = addressOf(words[2]?.value ?? '');
    return words[1]?.value === 'socket' && address.kind === 'unix'
      ? [{ path: address.path, use: 'control' as const, line: number, file, access: accessOf(words) }]
      : [];
  });
  return [...[...read, ...listed].map((one) => ({ ...one, use: 'read' as const })), ...controls];
}

function accessOf(words: readonly Word[]): ControlAccess {
  const after = (...names: readonly string[]) =>
    words[words.findIndex(({ value }) => names.includes(value)) + 1]?.value ?? null;
  const said = (name: string) => words.some(({ value }) => value === name);
  const given = (...names: readonly string[]) => (names.some(said) ? after(...names) : null);
  const level = given('level');
  return {
    level: level === 'admin' || level === 'user' ? level : 'operator',
    mode: given('mode'),
    user: given('user', 'uid'),
    group: given('group', 'gid'),
  };
}

/** Those of `bind` lines, and of the lists that these name. */
export function certificatesOf(
  sections: readonly Section[],
  { file, includes: included = [] }: Pick<WrittenText, 'file' | 'includes'>,
): readonly OwnCertificate[] {
  const after = ({ line, word }: FileWord) => line.words[line.words.indexOf(word) - 1]?.value;
  const shown = fileWords(sections).filter(
    (one) => one.line.words[0]?.value === 'bind' && after(one) === 'crt' && !one.relative,
  );
  const direct = shown.map(({ path, line, word }) => ({
    certificate: path,
    key: null,
    names: [],
    place: { file, line: line.number, column: word.start + 1 },
  }));
  const listed = included.flatMap((list) =>
    listedFiles(sections, list.text)
      .filter(({ relative }) => !relative)
      .map(({ path, number, word }) => ({
        certificate: path,
        key: null,
        names: [],
        place: { file: list.path, line: number, column: word.start + 1 },
      })),
  );
  return [...direct, ...listed];
}
