import { dirname, resolve } from 'node:path';
import { type Diagnostic, Failure } from '#base';
import { filesAround, readSiteFile, type WrittenText } from '#model';
import {
  checkExpectations,
  checkPolicies,
  isPolicyFile,
  meaningOfWritten,
  mustReadPolicies,
  type PlannedMeaning,
  type PolicyFile,
  statedOf,
} from '#plan';
import { readMeaning } from './meaning.ts';

export interface CheckedPolicies {
  readonly cases: number;
  readonly policies: number;
  readonly text: string;
  readonly diagnostics: readonly Diagnostic[];
}

/** The cases and policies of a policy file against the text that it names. Null: it is no policy file. @throws Failure when either cannot be read. */
export async function checkPolicyFile(file: string): Promise<CheckedPolicies | null> {
  const { text } = await readSiteFile(file);
  if (!isPolicyFile(text)) return null;
  const read = mustReadPolicies(text, file);
  if (read.text === null)
    throw new Failure(
      'HF012',
      `${file} does not say which text it is about`,
      'Add `text: haproxy.cfg` to it.',
    );
  const { meaning } = await readMeaning(resolve(dirname(file), read.text));
  return held(meaning, read, read.text);
}

/** The cases and policies that a site file has itself. Null: it has none. @throws Failure with every mistake in them. */
export function checkStated(text: WrittenText): CheckedPolicies | null {
  const stated = statedOf(text);
  if (stated === null) return null;
  return held(meaningOfWritten(text, text.file, filesAround(text)).meaning, stated, text.file);
}

function held(meaning: PlannedMeaning['meaning'], read: PolicyFile, text: string): CheckedPolicies {
  const cases = checkExpectations(meaning, read.expect);
  const policies = checkPolicies(meaning, read);
  return {
    cases: cases.length,
    policies: policies.length,
    text,
    diagnostics: [
      ...cases
        .filter((one) => !one.held)
        .map(({ expectation, message }) => broken(expectation.place, `${expectation.request}: ${message}`)),
      ...policies
        .filter((one) => !one.held)
        .map(({ policy, place, message }) => broken(place, `${policy}: ${message}`)),
    ],
  };
}

function broken(place: Diagnostic['place'], message: string): Diagnostic {
  return { code: 'HF025', severity: 'error', place, path: '', message, remedy: '' };
}
