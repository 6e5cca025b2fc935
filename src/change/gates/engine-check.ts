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
        against
          .map(
            ({ balancer, output }) => `${output.engine} ${output.version} on ${balancer} does not accept it`,
          )
          .join('; '),
        against.flatMap(({ balancer, output }) => lines(output.output).map((line) => `${balancer}: ${line}`)),
        against.flatMap(({ balancer, output }) => [
          {
            code: 'HF102',
            severity: 'error',
            place: null,
            path: balancer,
            message: lines(output.output)[0] ?? 'the engine said no and nothing else',
            remedy: '',
          },
          ...output.diagnostics,
        ]),
      );
    if (silent.length > 0) return couldNotTell(silent);
    return passed(
      `${answers.map(({ balancer, output }) => `${output.engine} ${output.version} on ${balancer}`).join(', ')}: accepted`,
      answers.map(({ balancer, output }) => `${balancer}: accepted in ${Math.round(output.tookMs)} ms`),
    );
  },
};

function lines(output: string): string[] {
  return output
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
}
