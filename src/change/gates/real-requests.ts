import type { ActionView, RealAnswer, RealAnswers, RecentRequest, RecentSample } from '#contract';
import { actionText, witnessText } from '#plan';
import { count } from './gate.ts';

/** What recent real requests say of a change. Pure. */
export interface RealVerdict {
  /** Differences that no plan foretold, and answers that are worse. */
  readonly against: readonly string[];
  /** What could not be told. */
  readonly unclear: readonly string[];
  readonly summary: string;
  readonly evidence: readonly string[];
}

type Round = RealAnswers['asked'][number]['rounds'][number];

const plannedShown = 10;

/** One balancer's answers. A difference counts that was there each time. */
export function judgeReal({ requests, source, leftOut }: RecentSample, real: RealAnswers): RealVerdict {
  const against: string[] = [];
  const unclear: string[] = [];
  const planned: string[] = [];
  const once: string[] = [];
  for (const [index, { witness, rounds, unasked }] of real.asked.entries()) {
    const request = requests[index];
    const what = witnessText(witness);
    const [first] = rounds;
    if (!request || !first) {
      unclear.push(`${what}: ${unasked ?? 'not asked'}`);
      continue;
    }
    if (rounds.every(({ candidate, incumbent }) => candidate.status === 0 && incumbent.status === 0)) {
      if (request.after.kind !== 'reject')
        unclear.push(`${what}: neither answered (${said(first.candidate)})`);
      continue;
    }
    const found = rounds.map((round) => differenceOf(request, round));
    const [wrong] = found;
    const isEachTime = found.every((one) => one !== null);
    if (wrong && isEachTime) (wrong.kind === 'against' ? against : unclear).push(`${what}: ${wrong.what}`);
    else if (wrong) once.push(`${what}: once ${wrong.what}`);
    else if (!request.same) planned.push(`as planned: ${what}: ${compared(first)}`);
  }
  const all = real.asked.length;
  const summary = [
    `${count(all, 'recent real request')} answered as by what runs`,
    ...(planned.length > 0 ? [`${planned.length} of them otherwise, as planned`] : []),
  ].join(', ');
  return {
    against,
    unclear,
    summary,
    evidence: [
      `${count(all, 'recent request')} of ${source}, ${leftOut} of the log left out`,
      ...planned.slice(0, plannedShown),
      ...once,
      ...real.replaced.map((what) => `for real requests: replaced ${what}`),
    ],
  };
}

interface Found {
  readonly kind: 'against' | 'unclear';
  readonly what: string;
}

/** What is otherwise with the candidate and nobody foretold; null: nothing. */
function differenceOf({ before, after, same }: RecentRequest, round: Round): Found | null {
  const { candidate, incumbent } = round;
  const against = (why: string): Found => ({ kind: 'against', what: `${compared(round)}${why}` });
  const planned = `; planned is ${actionText(after)}`;
  const isForetold = fits(candidate, after);
  if (isAlike(candidate, incumbent) && placeOf(candidate) === placeOf(incumbent))
    return isForetold === false && !same ? against(planned) : null;
  if (isForetold === false)
    return fits(incumbent, before) === false && isAlike(candidate, incumbent) ? null : against(planned);
  // What the text itself answers is what was planned; what a server answers nobody planned.
  if (after.kind !== 'pool' && after.kind !== 'unknown') return null;
  if (isWorse(round)) return against(same ? '' : planned);
  if (isBetter(round) || (isForetold && !same)) return null;
  if (isAlike(candidate, incumbent)) {
    if (isForetold) return null;
    return { kind: 'unclear', what: `${compared(round)}; where it went cannot be told` };
  }
  return against(same ? '; no difference is planned' : '; the plan does not say what becomes of it');
}

/** Whether an answer is what a plan said; null: it said nothing that shows. */
function fits({ status, location, server }: RealAnswer, action: ActionView): boolean | null {
  switch (action.kind) {
    case 'pool':
      // Its own 503 where no server is live, and the like: by its status.
      if (server === null) return null;
      return namesOf(action).includes(server.pool) || action.servers.includes(server.address);
    case 'redirect':
      return status === action.status && location === action.location;
    case 'answer':
      return status === action.status;
    case 'reject':
      return status === 0;
    case 'unknown':
      return null;
  }
}

function namesOf(action: ActionView): readonly string[] {
  if (action.kind !== 'pool') return [];
  return [action.pool, ...(action.shares ?? []).flatMap(({ action: one }) => namesOf(one))];
}

const classOf = ({ status }: RealAnswer) => Math.floor(status / 100);
const failed = (answer: RealAnswer) => classOf(answer) === 0 || classOf(answer) === 5;
const placeOf = ({ server }: RealAnswer) => server?.pool ?? null;

function isAlike(a: RealAnswer, b: RealAnswer): boolean {
  return classOf(a) === classOf(b) && targetOf(a) === targetOf(b);
}

/** What stands behind the `?` may be a number that is used once. */
function targetOf({ location }: RealAnswer): string | null {
  return location?.replace(/[?#].*$/, '') ?? null;
}

function isWorse({ candidate, incumbent }: Round): boolean {
  if (failed(candidate)) return !failed(incumbent);
  return classOf(candidate) === 4 && !failed(incumbent) && classOf(incumbent) < 4;
}

function isBetter({ candidate, incumbent }: Round): boolean {
  return failed(incumbent) && !failed(candidate);
}

function compared({ candidate, incumbent }: Round): string {
  return `${said(candidate)}, with what runs ${said(incumbent)}`;
}

function said({ status, location, server, why }: RealAnswer): string {
  const from = server ? ` from ${server.pool}/${server.server}` : '';
  return status === 0 ? `no answer (${why ?? ''})` : `${status}${location ? ` to ${location}` : ''}${from}`;
}
