import type { meaning } from '#routing';
import type { Line } from '../own/sections.ts';
import { languageOf } from './languages.ts';
import { networkOf } from './match.ts';
import { bytes, listedMax, type Notes } from './source.ts';

/** The patterns of an ACL's file: one a line; with `-M` only its first word. Null when it cannot be read. */
export function listOf(path: string, asMap: boolean, notes: Notes): readonly string[] | null {
  const text = readOf(path, notes);
  if (text === null) return null;
  if (asMap) return entriesOf(text).map(({ key }) => key);
  return linesOf(text);
}

const tables = new WeakMap<Notes, Map<string, Table | null>>();
type Table = readonly { readonly language: meaning.Language; readonly text: string }[];

/** A map file as cases, in the order in which they are tried. */
export function tableOf(path: string, method: string, notes: Notes, line: Line): Table | null {
  const known = tables.get(notes) ?? new Map<string, Table | null>();
  tables.set(notes, known);
  const key = `${method} ${path}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const text = readOf(path, notes);
  const table = text === null ? null : casesOf(entriesOf(text), method);
  if (text === null) notes.miss(line, `${path} cannot be read`);
  known.set(key, table);
  return table;
}

function casesOf(entries: readonly Entry[], method: string): Table {
  const ordered = [...entries];
  if (method === 'beg') ordered.sort((a, b) => b.key.length - a.key.length);
  const seen = new Set<string>();
  const isIndexed = method === 'str' || method === 'beg';
  return ordered.flatMap(({ key, value }) => {
    if (isIndexed && seen.has(key)) return [];
    seen.add(key);
    return [{ language: languageOf(method === 'regm' ? 'reg' : method, key, false), text: bytes(value) }];
  });
}

/** A map of networks, the longest first. Null: it cannot be read, or has a line that is none. */
export function networksOf(path: string, notes: Notes): readonly { network: string; text: string }[] | null {
  const text = readOf(path, notes);
  if (text === null) return null;
  const found = new Map<string, string>();
  for (const { key, value } of entriesOf(text)) {
    const network = networkOf(key);
    if (network === null) return null;
    if (!found.has(network)) found.set(network, bytes(value));
  }
  const length = (network: string) => Number(network.split('/')[1] ?? 128);
  return [...found]
    .map(([network, given]) => ({ network, text: given }))
    .toSorted((a, b) => length(b.network) - length(a.network));
}

interface Entry {
  readonly key: string;
  readonly value: string;
}

/** The first word of a line and what is behind it. */
function entriesOf(text: string): readonly Entry[] {
  return linesOf(text).map((line) => {
    const [, key = '', value = ''] = /^(\S+)[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    return { key, value };
  });
}

function linesOf(text: string): readonly string[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const plain = line.replace(/^[ \t]+/, '');
    return plain === '' || plain.startsWith('#') ? [] : [plain];
  });
}

function readOf(path: string, notes: Notes): string | null {
  const text = notes.source.read(path);
  return text === null || text.length > listedMax * 100 ? null : text;
}
