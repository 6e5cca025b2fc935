import { existsSync } from 'node:fs';
import { Failure } from '#base';
import { lift } from '#dialects';
import type { TextDialect, WrittenText } from '#model';
import type { PlannedMeaning } from '#plan';
import type { meaning } from '#routing';
import { readWritten } from './site-text.ts';

export type ReadMeaning = PlannedMeaning;

/** A file as `plan` and `explain` read it: any text, whether an engine would take it or not. @throws Failure HF002, HF003, HF004, HF011 */
export async function readMeaning(file: string, dialect?: TextDialect): Promise<ReadMeaning> {
  return meaningOfWritten(await readWritten(file, dialect), file);
}

/** @throws Failure with every mistake of a site.yaml that is none. */
export function meaningOfWritten(text: WrittenText, called: string): ReadMeaning {
  const { meaning, diagnostics } = lift(text);
  if (!meaning)
    throw new Failure(diagnostics[0]?.code ?? 'HF011', `${called} cannot be read`, '', diagnostics);
  return { file: called, dialect: text.dialect ?? 'site', meaning };
}

/** Whether files are there is looked up on this machine. */
export const oracleOfDisk: meaning.Oracle = {
  condition: ({ why, text }) => (why === 'files' ? existsSync(text.replace(/^.*? /, '')) : undefined),
};
