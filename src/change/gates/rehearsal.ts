import type { PlanView, WitnessView } from '#contract';
import { askEvery, couldNotTell, count, type Gate, passed, refused } from './gate.ts';

const rehearsalTimeoutMs = 120_000;

const witnessesMax = 200;
const unprovenShown = 20;

/** Of a long plan the worst. */
function witnessesOf(plan: PlanView | null): readonly WitnessView[] {
  return (plan?.differences ?? []).slice(0, witnessesMax).map(({ witness }) => witness);
}

/** The exact engine starts cold with the text on private sockets and answers the witnesses as planned. */
export const rehearsal: Gate<'rehearsal'> = {
  name: 'rehearsal',
  forceable: true,
  askedAfterRefusal: false,
  during: 'proposed',
  async ask({ balancers, reading, planned }) {
    const own = reading.site?.own ?? null;
    const { answers, silent } = await askEvery(
      balancers,
      'rehearse',
      { site: reading.text, witnesses: witnessesOf(planned.view) },
      rehearsalTimeoutMs,
    );
    const wrong = answers.flatMap(({ balancer, output }) =>
      output.witnesses
        .filter(({ ok }) => !ok)
        .map((w) => `${balancer}: ${w.request}: expected ${w.expected}, got ${w.got}`),
    );
    const failed = answers.filter(({ output }) => !output.ok);
    if (failed.length > 0) {
      const evidence =
        wrong.length > 0
          ? wrong
          : failed.map(
              ({ balancer, output }) =>
                `${balancer}: did not start${output.notStarted ? `: ${output.notStarted}` : ''}`,
            );
      return refused(
        `${failed.map(({ balancer }) => balancer).join(', ')}: ${wrong.length > 0 ? `${count(wrong.length, 'witness', 'witnesses')} answered otherwise than planned` : 'did not start'}`,
        evidence,
        evidence.map((message) => ({
          code: 'HF104',
          severity: 'error',
          place: null,
          path: '',
          message,
          remedy: '',
        })),
      );
    }
    if (silent.length > 0) return couldNotTell(silent);
    const all = answers.reduce((sum, { output }) => sum + output.witnesses.length, 0);
    const slowest = Math.max(0, ...answers.map(({ output }) => output.startMs));
    const started = `cold start in ${Math.round(slowest)} ms`;
    return passed(
      own
        ? `${started}; ${all === 0 ? 'no witness to send' : `${count(all, 'witness', 'witnesses')} of the plan answered as planned`}`
        : `${count(all, 'witness', 'witnesses')} answered as planned, ${started}`,
      answers.flatMap(({ balancer, output }) => [
        `${balancer}: cold start ${Math.round(output.startMs)} ms, ${Math.round(output.memoryBytes / 1e6)} MB`,
        ...(output.unproven ?? []).slice(0, unprovenShown).map((why) => `${balancer}: not proven: ${why}`),
        ...output.replaced.map((what) => `${balancer}: replaced ${what}`),
      ]),
    );
  },
};
