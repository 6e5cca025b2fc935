import type { Backend } from '#api';
import { Failure, type Log } from '#base';
import type { BalancerPort, SiteKeeper } from '#change';

/** What a controller has in the place of agents and of the kept text, for a site that is only looked at. */
export interface Observed {
  readonly sites: SiteKeeper;
  readonly port: (balancer: string) => BalancerPort & { close(): void };
  readonly log: Log;
}

/** The same, but nobody changes anything by it. */
export function onlyToRead(backend: Backend): Backend {
  const refuse = () =>
    Promise.reject(
      new Failure(
        'HF506',
        'the site is only observed: nothing of it is touched',
        'End the observation, and take it over: `holdfast adopt FILE`.',
      ),
    );
  return {
    ...backend,
    drift: (mend) => (mend ? refuse() : backend.drift()),
    propose: refuse,
    approve: refuse,
    confirm: refuse,
    rollback: refuse,
    abort: refuse,
  };
}
