import { assert } from '#base';
import type { CandidateResult, RoutesResult } from '#contract';
import type { SiteDifference } from '#model';
import type { BalancerPort } from '../ports.ts';
import { type ExposureStep, exposureSteps, stepEnd } from '../steps.ts';
import { type Answer, count, type Gate, type Proposal, passed, refused } from './gate.ts';
import { type Way, wayOf } from './in-place.ts';
import { percent } from './limits.ts';
import { answeredWith, tryRoutes } from './routes.ts';
import { stopAnswer } from './stopped.ts';

const candidateTimeoutMs = 120_000;
/** How often the live line is shown. */
const showEveryMs = 500;

/** What one balancer's candidate went through. */
interface Trial {
  readonly balancer: string;
  readonly started: CandidateResult;
  /** A step saw enough requests to judge by. */
  readonly judged: boolean;
  /** What was asked in their place where it was not. */
  readonly instead: RoutesResult['asked'];
}

type Tried = { readonly against: Answer } | { readonly against: null; readonly trial: Trial };

/** One balancer, then each further one: rising shares, candidate against incumbent at the same moment. Statistics decide. */
export const canary: Gate<'canary'> = {
  name: 'canary',
  forceable: false,
  askedAfterRefusal: false,
  during: 'canary',
  async ask(proposal) {
    const way = await wayOf(proposal);
    const notes: string[] = [
      way.kind === 'in place' ? inPlaceLine(way.changes) : `with a new generation: ${way.why}`,
    ];
    const trials: Trial[] = [];
    for (const [index, balancer] of proposal.balancers.entries()) {
      const { canary } = proposal.policy;
      const steps = way.kind === 'in place' ? [whole(canary)] : exposureSteps(canary, index === 0);
      const tried = await tryOn(proposal, balancer, { way, steps }, notes);
      if (tried.against) return { ...tried.against, evidence: [...tried.against.evidence, ...notes] };
      trials.push(tried.trial);
    }
    const saw = sawWhat(proposal, trials);
    return passed(way.kind === 'in place' ? `${inPlaceLine(way.changes)}; ${saw}` : saw, notes);
  },
};

/** A server that is told of gets its share at once. */
function whole({ stepMs }: Proposal['policy']['canary']): ExposureStep {
  return { share: 1, requestsMax: null, lastsMs: stepMs };
}

const changesShown = 5;

function inPlaceLine(changes: readonly string[]): string {
  const more = changes.length - changesShown;
  return `without a new generation: ${changes.slice(0, changesShown).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

async function tryOn(
  proposal: Proposal,
  balancer: BalancerPort,
  { way, steps }: { readonly way: Way; readonly steps: readonly ExposureStep[] },
  notes: string[],
): Promise<Tried> {
  const start = await startCandidate(proposal, balancer, way, notes);
  if ('against' in start) return start;
  const raised = await raise(proposal, balancer, steps, notes);
  if ('against' in raised) return raised;
  const trial = { balancer: balancer.name, started: start, judged: raised.judged };
  if (trial.judged) return { against: null, trial: { ...trial, instead: [] } };
  const against = unprovenPools(proposal, trial);
  if (against) return { against };
  const routes = await tryRoutes(proposal, balancer);
  if (routes.against) return { against: routes.against };
  notes.push(...routes.unasked.map((why) => `${balancer.name}: not asked: ${why}`));
  return { against: null, trial: { ...trial, instead: routes.asked } };
}

async function startCandidate(
  { watch, change, reading, difference, forced }: Proposal,
  balancer: BalancerPort,
  way: Way,
  notes: string[],
): Promise<CandidateResult | { readonly against: Answer }> {
  const name = way.kind === 'in place' ? 'candidateInPlace' : 'candidate';
  const call = balancer.call(name, { site: reading.text, change }, candidateTimeoutMs);
  const started = await watch.during(call);
  if (started.stop) {
    // A start that ends after the change has ended leaves nothing behind.
    void call
      .then(() =>
        balancer.call('rollback', { change, reason: 'the change ended while its candidate started' }),
      )
      .catch(() => {});
    return { against: stopAnswer(started.stop, difference) };
  }
  if (way.kind === 'new generation') notes.push(...startNotes(balancer.name, started.value));
  const absent = addedOf(difference, started.value.serversDown);
  if (absent.length === 0 || forced) return started.value;
  const summary = `${count(absent.length, 'added server')} down by the engine's own check on ${balancer.name}`;
  return { against: refused(summary, absent.map(downLine)) };
}

function addedOf({ serversAdded }: SiteDifference, servers: CandidateResult['serversDown']) {
  return servers.filter((down) =>
    serversAdded.some(({ pool, server }) => pool === down.pool && server === down.server),
  );
}

function downLine({ pool, server, lastCheck }: CandidateResult['serversDown'][number]): string {
  return `pool "${pool}" server "${server}" is down: ${lastCheck}`;
}

/**
 * A forced change whose own servers are down may be what a person wants only if traffic says that it works: without
 * traffic, the pools it touches keep their minimum of live servers. By the policy of the site that runs.
 */
function unprovenPools(
  { reading, difference, policy }: Proposal,
  { balancer, started }: Pick<Trial, 'balancer' | 'started'>,
): Answer | null {
  assert(reading.site, 'a candidate is a site');
  const shareMin = policy.limits.liveServersShareMin;
  const added = addedOf(difference, started.serversDown);
  const short = reading.site.pools.flatMap(({ name, servers }) => {
    if (!added.some(({ pool }) => pool === name)) return [];
    const live = servers.length - started.serversDown.filter(({ pool }) => pool === name).length;
    const enough = live > 0 && live / servers.length >= shareMin;
    return enough ? [] : [`pool "${name}" has ${live} of ${count(servers.length, 'server')} live`];
  });
  if (short.length === 0) return null;
  return refused(
    `no traffic speaks for it, and on ${balancer} ${short.join(', ')}, at least ${percent(shareMin)} must be`,
    added.map(downLine),
    [
      {
        code: 'HF103',
        severity: 'error',
        place: null,
        path: balancer,
        message: short.join(', '),
        remedy: 'Start its servers first; a forced change needs traffic to show that it works without them',
      },
    ],
  );
}

function startNotes(
  balancer: string,
  { generation, startMs, serversDown, witnesses }: CandidateResult,
): string[] {
  const answered = witnesses.map(({ request, status }) => `${request} ${status}`).join(', ');
  return [
    `${balancer}: generation ${generation} started in ${Math.round(startMs)} ms; ${answered || 'no witness'}`,
    ...serversDown.map((down) => `${balancer}: ${downLine(down)}`),
  ];
}

async function raise(
  proposal: Proposal,
  balancer: BalancerPort,
  steps: readonly ExposureStep[],
  notes: string[],
): Promise<{ readonly judged: boolean } | { readonly against: Answer }> {
  let judged = false;
  for (const step of steps) {
    const held = await holdStep(proposal, balancer, step, notes);
    if ('against' in held) return held;
    judged ||= held.judged;
  }
  return { judged };
}

/** One share of one balancer, until it has seen enough or lasted long enough without. */
async function holdStep(
  { watch, difference, show }: Proposal,
  balancer: BalancerPort,
  step: ExposureStep,
  notes: string[],
): Promise<{ readonly judged: boolean } | { readonly against: Answer }> {
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
  if (stop) return { against: stopAnswer(stop, difference, watch.seen.get(balancer.name)) };
  const what =
    step.requestsMax === null ? percent(step.share) : `first slice of ${step.requestsMax} requests`;
  const quiet = ended.quiet ? ', too few to judge by: the step lasted its limit' : '';
  notes.push(`${balancer.name}: ${what}: saw ${count(sawSoFar(), 'real request')}${quiet}`);
  return { judged: !ended.quiet };
}

function liveLine(watch: Proposal['watch'], balancer: string): string {
  const seen = watch.seen.get(balancer);
  if (!seen) return 'nothing seen yet';
  const { candidate, incumbent } = seen;
  const net = candidate.netUses > 0 ? `, ${candidate.netUses} by the net` : '';
  return `${candidate.requests} requests, ${candidate.errors} errors${net}; incumbent ${incumbent.requests}, ${incumbent.errors}`;
}

/** What was judged by traffic; and what was not, with what stands in its place. */
function sawWhat({ watch }: Proposal, trials: readonly Trial[]): string {
  const requests = ({ balancer }: Trial) => {
    const seen = watch.seen.get(balancer);
    assert(seen, `${balancer} was observed`);
    return {
      errors: seen.candidate.errors,
      text: `${count(seen.candidate.requests, 'real request')} on ${balancer}`,
    };
  };
  const judged = trials.filter((trial) => trial.judged);
  const unjudged = trials.filter((trial) => !trial.judged);
  const sawTraffic = judged.map((trial) => {
    const { text, errors } = requests(trial);
    return `${text} with ${count(errors, 'error')}`;
  });
  if (unjudged.length === 0) return sawTraffic.join(', ');
  const which = judged.length === 0 ? '' : `${unjudged.map(({ balancer }) => balancer).join(', ')} `;
  const few = unjudged.map((trial) => requests(trial).text).join(', ');
  const asked = answeredWith(unjudged.flatMap(({ instead: all }) => all));
  const instead = `${which}could not be judged by traffic: ${few}; ${asked}`;
  return [...(sawTraffic.length > 0 ? [sawTraffic.join(', ')] : []), instead].join('; ');
}
