import type { BalancerCall, BalancerCalls, PlanView, RecentSample, SiteText } from '#contract';
import type { RealRequests } from '#model';

/**
 * What the pipeline needs of a balancer. `main` wires it to an agent over its socket; tests to a scripted one.
 * A call rejects with Failure HF304 when the balancer does not answer.
 */
export interface BalancerPort {
  readonly name: string;
  call<C extends BalancerCall>(
    name: C,
    input: BalancerCalls[C]['input'],
    timeoutMs?: number,
  ): Promise<BalancerCalls[C]['output']>;
}

/** What a change does to every possible request. `main` wires it to a thread of its own, which can be ended. */
export interface Planner {
  /** Held against the policies of the text before. Rejects with Failure HF111 when it does not end within its limits. */
  plan(before: SiteText, after: SiteText): Promise<PlanView>;
  /**
   * Recent requests, and what both texts make of each. Rejects with Failure HF111 when there is no log to read them from, or it
   * does not end within its limits.
   */
  sample(before: SiteText, after: SiteText, wanted: RealRequests): Promise<RecentSample>;
}

/** Where the site's text is kept between changes. Texts are named by their hash, so what balancers say decides which one counts. */
export interface SiteKeeper {
  /** The text of the site as it was last promoted. */
  current(): SiteText;
  /** Keeps the text beside the current one. Resolves when it is on disk: only then may a balancer promote it. */
  stage(next: SiteText): Promise<void>;
  /** The kept text with this hash (staged, current or before) is the site's; false when none has it. */
  settle(hash: string): Promise<boolean>;
}
