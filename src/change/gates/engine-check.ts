import { type Diagnostic, formatDiagnostic } from '#base';
import type { CheckResult } from '#contract';
import { askEvery, couldNotTell, type Gate, passed, refused } from './gate.ts';

const checkTimeoutMs = 60_000;

/** The exact engine of every balancer accepts the exact text. */
export const engineCheck: Gate<'engine check'> = {
  name: 'engine check',
  forceable: true,
  askedAfterRefusal: true,
  during: 'proposed',
  async ask({ balancers, reading }) {
    const { answers, silent } = await askEvery(balancers, 'check', { site: reading.text }, checkTimeoutMs);
    const against = answers.filter(({ output }) => !output.accepted);
    if (against.length > 0)
      return refused(
        against.map(whyNot).join('; '),
        against.flatMap(({ balancer, output }) => words(output).map((line) => `${balancer}: ${line}`)),
        against.flatMap(diagnosticsOf),
      );
    if (silent.length > 0) return couldNotTell(silent);
    return passed(
      `${answers.map(({ balancer, output }) => `${output.engine} ${output.version} on ${balancer}`).join(', ')}: accepted`,
      answers.flatMap(({ balancer, output }) => [
        `${balancer}: accepted in ${Math.round(output.tookMs)} ms`,
        ...(output.rewritten ?? []).map((line) => `${balancer}: rewritten ${line}`),
      ]),
    );
  },
};

interface Against {
  readonly balancer: string;
  readonly output: CheckResult;
}

const errorsOf = ({ diagnostics }: CheckResult) => diagnostics.filter(({ severity }) => severity === 'error');

/** A certificate or an address that cannot be used is found before the engine is asked, which would say it less clearly. */
function whyNot({ balancer, output }: Against): string {
  const [first] = errorsOf(output);
  if (first && output.output === '') return `${balancer}: ${first.message}`;
  return `${output.engine} ${output.version} on ${balancer} does not accept it`;
}

function words(output: CheckResult): readonly string[] {
  return [...errorsOf(output).map(formatDiagnostic), ...lines(output.output)];
}

function diagnosticsOf({ balancer, output }: Against): readonly Diagnostic[] {
  const own = errorsOf(output);
  const [said] = lines(output.output);
  if (said === undefined && own.length > 0) return own;
  const message = said ?? 'the engine said no and nothing else';
  return [{ code: 'HF102', severity: 'error', place: null, path: balancer, message, remedy: '' }, ...own];
}

function lines(output: string): string[] {
  return output
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
}
