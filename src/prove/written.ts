import type { OutcomeView, PlanView, ProofView, TextProofView, WitnessView } from '#contract';
import { type LiftFiles, readSite } from '#dialects';
import { filesAround, type WrittenText } from '#model';
import { actionWithSent, meaningOfWritten, requestOfWitness, witnessView } from '#plan';
import type { Outcome, ProofOptions, TextProof } from './prove.ts';
import { proveOwn } from './prove.ts';
import { proveSite } from './site.ts';

/** A text, whatever it is written in, on every engine that it is for. @throws Failure with every mistake of a site.yaml that is none; HF306 */
export async function proveWritten(
  text: WrittenText,
  witnesses: readonly WitnessView[],
  options: ProofOptions = {},
  files: LiftFiles = filesAround(text),
): Promise<readonly TextProof[]> {
  const { dialect = 'site' } = text;
  const requests = witnesses.map(requestOfWitness);
  const { meaning } = meaningOfWritten(text, text.file, files);
  if (dialect !== 'site') {
    const { file, folder, text: said } = text;
    return [await proveOwn({ file, folder, text: said, dialect, files, meaning }, requests, options)];
  }
  const { site } = readSite(text);
  return site ? await proveSite(site, requests, options) : [];
}

/** Every witness of a plan on the text before and on the one after, one engine at a time. */
export async function provePlan(
  { differences }: Pick<PlanView, 'differences'>,
  before: WrittenText,
  after: WrittenText,
  options: ProofOptions = {},
): Promise<ProofView> {
  const witnesses = differences.map(({ witness }) => witness);
  const texts = [
    ...(await proveWritten(before, witnesses, options)).map((proof) => viewOf('before', proof)),
    ...(await proveWritten(after, witnesses, options)).map((proof) => viewOf('after', proof)),
  ];
  return proofView(texts);
}

export function proofView(texts: readonly TextProofView[]): ProofView {
  const count = (kind: OutcomeView['kind']) =>
    texts.reduce((sum, { outcomes }) => sum + outcomes.filter((one) => one.kind === kind).length, 0);
  return {
    texts,
    proven: count('proven'),
    notProvable: count('not provable'),
    disagreements: count('disagreement'),
  };
}

function viewOf(text: TextProofView['text'], { outcomes, ...proof }: TextProof): TextProofView {
  return { text, ...proof, outcomes: outcomes.map(outcomeView) };
}

function outcomeView({ request, kind, foretold, came, why }: Outcome): OutcomeView {
  const action = foretold && actionWithSent(foretold, request);
  return { witness: witnessView(request), kind, foretold: action, came, why };
}
