import { Failure } from '#base';
import type { PlanView, RecentSample } from '#contract';
import { type LiftFiles, liftOwn, meaningOfSite, readSite, Shared } from '#dialects';
import type { RealRequests, WrittenText } from '#model';
import { type PlannedMeaning, planOf } from './plan.ts';
import { mustReadPolicies, type PolicyFile, statedIn } from './policy-file.ts';
import { sampleOf } from './sample.ts';
import type { Traffic } from './traffic.ts';

/**
 * A text, lifted, whatever it is written in. @param shared of the text that it is compared with.
 * @throws Failure with every mistake of a site.yaml that is none.
 */
export function meaningOfWritten(
  text: WrittenText,
  called: string,
  files: LiftFiles,
  shared?: Shared,
): PlannedMeaning {
  const { dialect = 'site' } = text;
  if (dialect !== 'site') return { file: called, dialect, meaning: liftOwn(text, dialect, files, shared) };
  const { site, diagnostics } = readSite(text, shared?.items);
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

/** What a change of a running text does, held against the policies of the text that runs. @throws Failure as `meaningOfWritten` does. */
export function planWritten(
  before: WrittenText,
  after: WrittenText,
  around: (text: WrittenText) => LiftFiles,
  traffic: Traffic | null = null,
): PlanView {
  const shared = new Shared();
  const was = meaningOfWritten(before, `what runs (${before.file})`, around(before), shared);
  const is = meaningOfWritten(after, after.file, around(after), shared);
  return planOf(was, is, { traffic, policies: policiesOf(before, after) });
}

/** Recent requests, with what both texts make of them. @throws Failure as `meaningOfWritten` does. */
export function sampleWritten(
  before: WrittenText,
  after: WrittenText,
  around: (text: WrittenText) => LiftFiles,
  recent: { readonly traffic: Traffic; readonly wanted: RealRequests },
): RecentSample {
  const shared = new Shared();
  const was = meaningOfWritten(before, before.file, around(before), shared);
  const is = meaningOfWritten(after, after.file, around(after), shared);
  return sampleOf(recent.traffic, was.meaning, is.meaning, recent.wanted);
}

/**
 * A change is not judged by the policies that it brings, but where there are none yet. @throws Failure with every mistake
 */
function policiesOf(before: WrittenText, after: WrittenText): readonly PolicyFile[] {
  const found = statedOf(before) ?? statedOf(after);
  return found === null ? [] : [found];
}

/** Of a site.yaml what it states of itself, of another text its policy file. Null: nothing. @throws Failure with every mistake */
export function statedOf({ dialect = 'site', text, file, policy }: WrittenText): PolicyFile | null {
  if (dialect !== 'site') return policy ? mustReadPolicies(policy.text, policy.path) : null;
  const { policies, diagnostics } = statedIn(text, file);
  const [first] = diagnostics.filter(({ severity }) => severity === 'error');
  if (first) throw new Failure(first.code, `${file}: what it states cannot be read`, '', diagnostics);
  return policies;
}
