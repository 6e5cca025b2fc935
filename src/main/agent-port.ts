import { agentSocket, Failure, messageOf, type SitePaths, wireClient } from '#base';
import type { BalancerPort } from '#change';
import type { BalancerCall, BalancerCalls } from '#contract';

/** A balancer as its agent's socket. What the agent itself refuses is told in its own words; no answer at all is HF304. */
export function agentPort(paths: SitePaths, balancer: string): BalancerPort & { close(): void } {
  const path = agentSocket(paths, balancer);
  const client = wireClient(path);
  return {
    name: balancer,
    close: () => client.close(),
    async call<C extends BalancerCall>(name: C, input: BalancerCalls[C]['input'], timeoutMs?: number) {
      try {
        return (await client.call(name, input, timeoutMs)) as BalancerCalls[C]['output'];
      } catch (error) {
        if (isSilence(error, path))
          throw new Failure(
            'HF304',
            `${balancer} does not answer: ${messageOf(error)}`,
            'See `holdfast status`.',
          );
        const said = `${balancer}: ${messageOf(error)}`;
        throw error instanceof Failure ? new Failure(error.code, said, error.remedy) : new Error(said);
      }
    },
  };
}

/** The wire names its socket in what it says on its own behalf; the system gives its faults a code. */
function isSilence(error: unknown, path: string): boolean {
  if (!(error instanceof Error) || error instanceof Failure) return false;
  return 'code' in error || error.message.startsWith(`${path}:`);
}
