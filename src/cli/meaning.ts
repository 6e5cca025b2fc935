import { filesAround, type TextDialect } from '#model';
import { meaningOfWritten, type PlannedMeaning } from '#plan';
import { readPlanned } from './site-text.ts';

/** A file as `plan` and `explain` read it, whether its engine would take it or not. @throws Failure HF002, HF003, HF004, HF005; with every mistake of a site.yaml that is none */
export async function readMeaning(file: string, dialect?: TextDialect): Promise<PlannedMeaning> {
  const text = await readPlanned(file, dialect);
  return meaningOfWritten(text, file, filesAround(text));
}
