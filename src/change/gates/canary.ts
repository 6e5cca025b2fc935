import { assert } from '#base';
import type { CandidateResult } from '#contract';
import type { BalancerPort } from '../ports.ts';
import { type ExposureStep, exposureSteps, stepEnd } from '../steps.ts';
import { type Answer, count, type Gate, type Proposal, passed, refused } from './gate.ts';
import { percent } from './limits.ts';
import { stopAnswer } from './stopped.ts';

const candidateTimeoutMs = 120_000;
/** How often the live line is shown. */
const showEveryMs = 500;

/** One balancer, then each further one: rising shares, candidate against incumbent at the same moment. Statistics decide. */
export const canary: Gate<'canary'> = {
  name: 'canary',
  forceable: false,
  askedAfterRefusal: false,
  during: 'canary',
  async ask(proposal) {
    const notes: string[] = [];
    for (const [index, balancer] of proposal.balancers.entries()) {
      const against =
        (await startCandidate(proposal, balancer, notes)) ??
        (await raise(proposal, balancer, exposureSteps(proposal.policy.canary, index === 0), notes));
      if (against) return { ...against, evidence: [...against.evidence, ...notes] };
    }
    return passed(sawWhat(proposal), notes);
  },
};

async function startCandidate(
  { watch, change, reading, difference, forced }: Proposal,
  balancer: BalancerPort,
  notes: string[],
): Promise<Answer | null> {
  const call = balancer.call('candidate', { site: reading.text, change }, candidateTimeoutMs);
  const started = await watch.during(call);
  if (started.stop) {
    // A start that ends after the change has ended leaves nothing behind.
    void call
      .then(() =>
        balancer.call('rollback', { change, reason: 'the change ended while its candidate started' }),
      )
      .catch(() => {});
    return stopAnswer(started.stop, difference);
  }
  notes.push(...startNotes(balancer.name, started.value));
  const absent = started.value.serversDown.filter((down) =>
    difference.serversAdded.some(({ pool, server }) => pool === down.pool && server === down.server),
  );
  if (absent.length === 0 || forced) return null;
  return refused(
    `${count(absent.length, 'added server')} down by the engine's own check on ${balancer.name}`,
    absent.map(({ pool, server, lastCheck }) => `pool "${pool}" server "${server}": ${lastCheck}`),
  );
}

function startNotes(
  balancer: string,
  { generation, startMs, serversDown, witnesses }: CandidateResult,
): string[] {
  const answered = witnesses.map(({ request, status }) => `${request} ${status}`).join(', ');
  return [
    `${balancer}: generation ${generation} started in ${Math.round(startMs)} ms; ${answered || 'no witness'}`,
    ...serversDown.map((s) => `${balancer}: pool "${s.pool}" server "${s.server}" is down: ${s.lastCheck}`),
  ];
}

async function raise(
  proposal: Proposal,
  balancer: BalancerPort,
  steps: readonly ExposureStep[],
  notes: string[],
): Promise<Answer | null> {
  for (const step of steps) {
    const against = await holdStep(proposal, balancer, step, notes);
    if (against) return against;
  }
  return null;
}

/** One share of one balancer, until it has seen enough or lasted long enough without. */
async function holdStep(
  { watch, difference, show }: Proposal,
  balancer: BalancerPort,
  step: ExposureStep,
  notes: string[],
): Promise<Answer | null> {
  const requestsNow = () => watch.seen.get(balancer.name)?.candidate.requests ?? 0;
  const requestsBefore = requestsNow();
  const sawSoFar = () => requestsNow() - requestsBefore;
  let shownAt = Number.NEGATIVE_INFINITY;
  let ended = { quiet: false };
  await watch.expose(balancer, step.share, step.requestsMax);
  const stop = await watch.until((elapsedMs) => {
    // Without one look there is nothing to judge by: silence ends the wait, not the step's length.
    const end = watch.seen.has(balancer.name) ? stepEnd(step, sawSoFar(), elapsedMs) : 'not yet';
    ended = { quiet: end === 'quiet' };
    if (end !== 'not yet' || elapsedMs - shownAt >= showEveryMs) {
      shownAt = elapsedMs;
      show({
        kind: 'canary',
        balancer: balancer.name,
        share: step.share,
        line: liveLine(watch, balancer.name),
      });
    }
    return end !== 'not yet';
  });
  if (stop) return stopAnswer(stop, difference, watch.seen.get(balancer.name));
  const what =
    step.requestsMax === null ? percent(step.share) : `first slice of ${step.requestsMax} requests`;
  const quiet = ended.quiet ? ', too few to judge by: the step lasted its limit' : '';
  notes.push(`${balancer.name}: ${what}: saw ${count(sawSoFar(), 'real request')}${quiet}`);
  return null;
}

function liveLine(watch: Proposal['watch'], balancer: string): string {
  const seen = watch.seen.get(balancer);
  if (!seen) return 'nothing seen yet';
  const { candidate, incumbent } = seen;
  const net = candidate.netUses > 0 ? `, ${candidate.netUses} by the net` : '';
  return `${candidate.requests} requests, ${candidate.errors} errors${net}; incumbent ${incumbent.requests}, ${incumbent.errors}`;
}

function sawWhat({ balancers, watch }: Proposal): string {
  const said = balancers.map(({ name }) => {
    const seen = watch.seen.get(name);
    assert(seen, `${name} was observed`);
    return `${count(seen.candidate.requests, 'real request')} on ${name} with ${count(seen.candidate.errors, 'error')}`;
  });
  return said.join(', ');
}
