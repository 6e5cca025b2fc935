/** Mutants of the model: which there are, and in which order they are drawn. */
import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chanceOf } from '../plan/chance.ts';
import { type Mutation, mutationsOf } from './rules.ts';

export interface Mutant extends Mutation {
  readonly area: Area;
  /** From the root of the repository. */
  readonly file: string;
  readonly url: string;
  readonly line: number;
  /** The line as it stands. */
  readonly text: string;
  /** The function or method that it stands in; empty outside of all. */
  readonly inside: string;
}

export const areas = {
  'HAProxy lift': ['src/dialects/haproxy/lift'],
  'NGINX lift': ['src/dialects/nginx/lift'],
  difference: [
    'src/routing/meaning/difference',
    'src/routing/meaning/automata',
    'src/routing/meaning/findings',
  ],
  meaning: ['src/routing/meaning'],
  plan: ['src/plan'],
} as const satisfies Record<string, readonly string[]>;

export type Area = keyof typeof areas;

const root = join(import.meta.dirname, '../..');
export const rootPath = (file: string): string => join(root, file);

/** All there are, in an order that a seed decides. */
export function mutants(seed: number): readonly Mutant[] {
  const seen = new Set<string>();
  const all = (Object.keys(areas) as Area[]).flatMap((area) =>
    areas[area]
      .flatMap((folder) => filesIn(join(root, folder)))
      .filter((path) => !seen.has(path) && seen.add(path))
      .flatMap((path) => mutantsIn(area, path)),
  );
  const chance = chanceOf(seed);
  return all
    .map((one) => ({ one, order: chance.below(2 ** 31) }))
    .sort((a, b) => a.order - b.order)
    .map(({ one }) => one);
}

/** @param plantedIn where in a text, and what. */
export function mutantsIn(area: Area, path: string, plantedIn = mutationsOf): readonly Mutant[] {
  const text = readFileSync(path, 'utf8');
  const [file, url] = [relative(root, path), pathToFileURL(path).href];
  return plantedIn(text).map((one) => {
    const { line, text: said } = lineAt(text, one.at);
    return { ...one, area, file, url, line, text: said, inside: insideOf(text, one.at) };
  });
}

/** False: what comes of it is no program, which nobody would need to find. */
export function isProgram({ file, at, was, is }: Mutant): boolean {
  const text = readFileSync(join(root, file), 'utf8');
  try {
    stripTypeScriptTypes(text.slice(0, at) + is + text.slice(at + was.length));
    return true;
  } catch {
    return false;
  }
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => join(folder, name));
}

function lineAt(text: string, at: number): { readonly line: number; readonly text: string } {
  const from = text.lastIndexOf('\n', at) + 1;
  const end = text.indexOf('\n', at);
  return {
    line: text.slice(0, at).split('\n').length,
    text: text.slice(from, end < 0 ? undefined : end).trim(),
  };
}

const opens =
  /^(?:(?:export )?(?:async )?function\*? (\w+)|(?:export )?const (\w+)\b| {2}(?:static |readonly )?(?:get )?(#?\w+)(?:\(.*\{$| = |\($))/;

/** By the last line above it that begins one: all code is formatted alike. */
function insideOf(text: string, at: number): string {
  const lines = text.slice(0, at).split('\n');
  for (const line of lines.reverse()) {
    const found = opens.exec(line);
    if (found) return found[1] ?? found[2] ?? found[3] ?? '';
  }
  return '';
}
