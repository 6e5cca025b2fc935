import { type Clock, type Diagnostic, messageOf } from '#base';
import type { BalancerCall, BalancerCalls, PlanView, Progress, ReviewView, SiteText } from '#contract';
import type { ChangeState, GateName, GateReport } from '#events';
import type { GuardPolicy, Site, SiteDifference } from '#model';
import type { Stop } from '../machine.ts';
import type { BalancerPort, Planner } from '../ports.ts';
import type { Reading } from '../reading.ts';
import type { Watch } from '../watch.ts';

/** One question about a change, with a yes, a no, or 'could not tell', which is never a yes. */
export interface Gate<Name extends GateName = GateName> {
  readonly name: Name;
  /** `--force` lets a change pass it. */
  readonly forceable: boolean;
  /** Asked although a gate before it refused, so that a person sees all that is wrong at once. Only for gates that change nothing. */
  readonly askedAfterRefusal: boolean;
  /** The state that the change is in while the gate is asked; journalled before. */
  readonly during: Extract<ChangeState, 'proposed' | 'canary' | 'baking'>;
  ask(proposal: Proposal): Promise<Answer>;
}

export interface Answer extends Pick<GateReport, 'verdict' | 'summary' | 'evidence' | 'diagnostics'> {
  /** The change would change nothing: it ends here, and that is no mistake. */
  readonly nothingToDo?: true;
  /** What stopped the change under this gate, when it was already exposed. */
  readonly stop?: Stop;
}

/** All that gates may look at. */
export interface Proposal {
  readonly change: string;
  readonly forced: boolean;
  /** Not without a new generation, even where that can be. */
  readonly newGeneration: boolean;
  readonly reading: Reading;
  readonly before: { readonly text: SiteText; readonly site: Site };
  /** The policy of the site that runs: a change cannot loosen what it is judged by. */
  readonly policy: GuardPolicy;
  readonly difference: SiteDifference;
  /** Why the text is in quarantine; null when it is not. */
  readonly quarantined: string | null;
  /** When this very text ran, with another one after it; null: never, or that is what was asked for. */
  readonly ranAt: number | null;
  /** In the order in which they are canaried. */
  readonly balancers: readonly BalancerPort[];
  readonly clock: Clock;
  readonly watch: Watch;
  readonly planner: Planner;
  /** What the gate of that name found, for those behind it. */
  readonly planned: { view: PlanView | null };
  readonly approvals: Approvals;
  /** A spare server comes or goes, as the site's own settings say. */
  readonly isSpareTurn: boolean;
  /** Its author takes it past its review. */
  readonly breakGlass: boolean;
  /** Null: nobody has to. */
  readonly confirmation: Confirmation | null;
  /** Aborted when the change must end now. */
  readonly signal: AbortSignal;
  show(line: Progress): void;
}

/** What people other than its author said to a change, from the journal. */
export interface Approvals {
  given(): ReviewView['approvals'];
  /** Journals that it waits; resolves when there are so many, when it has waited too long, or the signal says so. */
  wait(
    needed: { readonly count: number; readonly because: readonly string[] },
    signal: AbortSignal,
  ): Promise<void>;
}

/** A person says that it is as it should be, once it has all traffic. */
export interface Confirmation {
  readonly withinMs: number;
  /** Journals that it waits, and until when. */
  begin(): Promise<void>;
  /** Who did; null: nobody yet. */
  by(): string | null;
}

export function passed(summary: string, evidence: readonly string[] = []): Answer {
  return { verdict: 'passed', summary, evidence, diagnostics: [] };
}

export function refused(
  summary: string,
  evidence: readonly string[] = [],
  diagnostics: readonly Diagnostic[] = [],
): Answer {
  return { verdict: 'refused', summary, evidence, diagnostics };
}

export interface Asked<Output> {
  readonly answers: readonly { readonly balancer: string; readonly output: Output }[];
  readonly silent: readonly { readonly balancer: string; readonly why: string }[];
}

/** The same question to every balancer at once; those that do not answer are named, never left out. */
export async function askEvery<C extends BalancerCall>(
  balancers: readonly BalancerPort[],
  call: C,
  input: BalancerCalls[C]['input'],
  timeoutMs: number,
): Promise<Asked<BalancerCalls[C]['output']>> {
  const answers: { balancer: string; output: BalancerCalls[C]['output'] }[] = [];
  const silent: { balancer: string; why: string }[] = [];
  await Promise.all(
    balancers.map(async (balancer) => {
      try {
        answers.push({ balancer: balancer.name, output: await balancer.call(call, input, timeoutMs) });
      } catch (error) {
        silent.push({ balancer: balancer.name, why: messageOf(error) });
      }
    }),
  );
  const order = balancers.map(({ name }) => name);
  const inOrder = (a: { balancer: string }, b: { balancer: string }) =>
    order.indexOf(a.balancer) - order.indexOf(b.balancer);
  return { answers: answers.sort(inOrder), silent: silent.sort(inOrder) };
}

/** The answer of a gate that some balancer left without one. A refusal by another balancer goes before it. */
export function couldNotTell(silent: Asked<unknown>['silent']): Answer {
  const names = silent.map(({ balancer }) => balancer).join(', ');
  return {
    verdict: 'unknown',
    summary: `could not tell: ${names} did not answer`,
    evidence: silent.map(({ balancer, why }) => `${balancer}: ${why}`),
    diagnostics: [
      {
        code: 'HF304',
        severity: 'error',
        place: null,
        path: names,
        message: 'did not answer',
        remedy: 'See `holdfast status`',
      },
    ],
  };
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}
