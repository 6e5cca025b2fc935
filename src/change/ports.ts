import type { BalancerCall, BalancerCalls } from '#contract';

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
