import type { Diagnostic } from '#base';
import type { PlanView, RehearsalResult, WitnessView } from '#contract';
import type { GuardPolicy } from '#model';
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
  async ask({ balancers, reading, planned, policy }) {
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
        evidence.map(mistake),
      );
    }
    const heavier = answers.flatMap(({ balancer, output }) =>
      tooMuch(output, policy.rehearsal).map((what) => `${balancer}: ${what}`),
    );
    if (heavier.length > 0)
      return refused(
        heavier.join('; '),
        [],
        heavier.map((message) => ({ ...mistake(message), remedy: heavierRemedy })),
      );
    if (silent.length > 0) return couldNotTell(silent);
    const all = answers.reduce((sum, { output }) => sum + output.witnesses.length, 0);
    const slowest = Math.max(0, ...answers.map(({ output }) => output.startMs));
    const started = `cold start in ${Math.round(slowest)} ms`;
    return passed(
      own
        ? `${started}; ${all === 0 ? 'no witness to send' : `${count(all, 'witness', 'witnesses')} of the plan answered as planned`}`
        : `${count(all, 'witness', 'witnesses')} answered as planned, ${started}`,
      answers.flatMap(({ balancer, output }) => [
        `${balancer}: cold start ${figures(output)}${output.incumbent ? `; what runs ${figures(output.incumbent)}` : ''}`,
        ...(output.unproven ?? []).slice(0, unprovenShown).map((why) => `${balancer}: not proven: ${why}`),
        ...output.replaced.map((what) => `${balancer}: replaced ${what}`),
      ]),
    );
  },
};

function mistake(message: string): Diagnostic {
  return { code: 'HF104', severity: 'error', place: null, path: '', message, remedy: '' };
}

type Figures = Pick<RehearsalResult, 'startMs' | 'memoryBytes'>;

const figures = ({ startMs, memoryBytes }: Figures) =>
  `${Math.round(startMs)} ms, ${Math.round(memoryBytes / 1e6)} MB`;

/** Less than this nobody misses, however small what runs is: factors of small figures are the machine's mood. */
const memoryBytesMin = 256e6;
const startMsMin = 5_000;
const heavierRemedy = 'Find out why first; or change guard.rehearsal first';

/** Pure: what it takes against what the running text takes in the same sandbox. */
function tooMuch(
  { startMs, memoryBytes, incumbent }: RehearsalResult,
  { memoryFactorMax, startFactorMax }: GuardPolicy['rehearsal'],
): readonly string[] {
  if (!incumbent) return [];
  const memory = memoryBytes > Math.max(memoryBytesMin, memoryFactorMax * incumbent.memoryBytes);
  const start = startMs > Math.max(startMsMin, startFactorMax * incumbent.startMs);
  const said = { startMs, memoryBytes };
  return [
    ...(memory ? [`takes more than ${memoryFactorMax} times the memory of what runs`] : []),
    ...(start ? [`takes more than ${startFactorMax} times as long to start as what runs`] : []),
  ].map((what) => `${what}: ${figures(said)}, what runs ${figures(incumbent)}`);
}
