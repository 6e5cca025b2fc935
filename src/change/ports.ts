import type { BalancerCall, BalancerCalls, SiteText } from '#contract';

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

/** Where the site's text is kept between changes. Texts are named by their hash, so what balancers say decides which one counts. */
export interface SiteKeeper {
  /** The text of the site as it was last promoted. */
  current(): SiteText;
  /** Keeps the text beside the current one. Resolves when it is on disk: only then may a balancer promote it. */
  stage(next: SiteText): Promise<void>;
  /** The kept text with this hash (staged, current or before) is the site's; false when none has it. */
  settle(hash: string): Promise<boolean>;
}
