import { Failure } from '#base';
import { type LiftFiles, liftOwn, meaningOfSite, readSite } from '#dialects';
import type { WrittenText } from '#model';
import type { PlannedMeaning } from './plan.ts';

/** A text, lifted, whatever it is written in. @throws Failure with every mistake of a site.yaml that is none. */
export function meaningOfWritten(text: WrittenText, called: string, files: LiftFiles): PlannedMeaning {
  const { dialect = 'site' } = text;
  if (dialect !== 'site') return { file: called, dialect, meaning: liftOwn(text, dialect, files) };
  const { site, diagnostics } = readSite(text);
  if (!site) {
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    throw new Failure(
      errors[0]?.code ?? 'HF011',
      `${called} is not a site`,
      'Mend these, then run the command again.',
      diagnostics,
    );
  }
  return { file: called, dialect, meaning: meaningOfSite(site) };
}
