import { type Diagnostic, messageOf } from '#base';
import type { PlanView, RecentSample, RehearsalResult, WitnessView } from '#contract';
import type { GuardPolicy } from '#model';
import { isRenewal } from '../reading.ts';
import {
  type Asked,
  askEvery,
  couldNotTell,
  count,
  type Gate,
  type Proposal,
  passed,
  refused,
} from './gate.ts';
import { judgeReal } from './real-requests.ts';

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
  async ask(proposal) {
    const { balancers, reading, planned, policy } = proposal;
    const own = reading.site?.own ?? null;
    const sample = await sampleOrWhy(proposal);
    const recent = sample.kind === 'sample' ? sample.requests.map(({ witness }) => witness) : [];
    const { answers, silent } = await askEvery(
      balancers,
      'rehearse',
      { site: reading.text, witnesses: witnessesOf(planned.view), recent },
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
    const real = judgeAll(sample, answers);
    if (real.against.length > 0)
      return refused(
        `recent real requests are answered otherwise than by what runs: ${real.against.length} of them, unplanned`,
        [...real.against, ...real.unclear, ...real.evidence],
        real.against.map(mistake),
      );
    if (silent.length > 0) return couldNotTell(silent);
    if (real.unclear.length > 0) {
      const [first = ''] = real.unclear;
      const summary = `could not tell what becomes of recent real requests: ${first}`;
      return { verdict: 'unknown', summary, evidence: [...real.unclear, ...real.evidence], diagnostics: [] };
    }
    const all = answers.reduce((sum, { output }) => sum + output.witnesses.length, 0);
    const slowest = Math.max(0, ...answers.map(({ output }) => output.startMs));
    const started = `cold start in ${Math.round(slowest)} ms`;
    const said = own
      ? `${started}; ${all === 0 ? 'no witness to send' : `${count(all, 'witness', 'witnesses')} of the plan answered as planned`}`
      : `${count(all, 'witness', 'witnesses')} answered as planned, ${started}`;
    return passed([said, ...real.summaries].join('; '), [
      ...real.evidence,
      ...answers.flatMap(({ balancer, output }) => [
        `${balancer}: cold start ${figures(output)}${output.incumbent ? `; what runs ${figures(output.incumbent)}` : ''}`,
        ...(output.unproven ?? []).slice(0, unprovenShown).map((why) => `${balancer}: not proven: ${why}`),
        ...output.replaced.map((what) => `${balancer}: replaced ${what}`),
      ]),
    ]);
  },
};

type Sample =
  | ({ readonly kind: 'sample' } & RecentSample)
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly why: string };

/** Only where the owner wants it; a renewed certificate sends no request elsewhere, and waits for no log. */
async function sampleOrWhy({ policy, planner, before, reading, signal }: Proposal): Promise<Sample> {
  const { realRequests: wanted } = policy.rehearsal;
  if (wanted === null || isRenewal(reading, before)) return { kind: 'none' };
  const stopped = untilAborted(signal).then(
    (): Sample => ({ kind: 'unknown', why: 'the change was stopped' }),
  );
  const asked = planner.sample(before.text, reading.text, wanted).then(
    (sample): Sample =>
      sample.requests.length > 0
        ? { kind: 'sample', ...sample }
        : { kind: 'unknown', why: `none in ${sample.source} that may be sent, ${sample.leftOut} left out` },
    (error: unknown): Sample => ({ kind: 'unknown', why: messageOf(error) }),
  );
  return await Promise.race([asked, stopped]);
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Of all balancers, each line with its name. Pure. */
function judgeAll(sample: Sample, answers: Asked<RehearsalResult>['answers']) {
  if (sample.kind !== 'sample')
    return { against: [], unclear: sample.kind === 'none' ? [] : [sample.why], summaries: [], evidence: [] };
  const judged = answers.map(({ balancer, output }) => {
    const nothing = { against: [], unclear: ['it sent none'], summary: '', evidence: [] };
    const one = output.real ? judgeReal(sample, output.real) : nothing;
    const named = (lines: readonly string[]) => lines.map((line) => `${balancer}: ${line}`);
    const { against, unclear, evidence } = one;
    return {
      against: named(against),
      unclear: named(unclear),
      evidence: named(evidence),
      summary: `${balancer}: ${one.summary}`,
    };
  });
  return {
    against: judged.flatMap((one) => one.against),
    unclear: judged.flatMap((one) => one.unclear),
    evidence: judged.flatMap((one) => one.evidence),
    summaries: judged.map((one) => one.summary),
  };
}

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
