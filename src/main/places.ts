import { join } from 'node:path';
import type { SitePaths } from '#base';

/** Where one balancer's processes keep their files. */
export interface BalancerPlaces {
  readonly run: string;
  readonly state: string;
  readonly agentPid: string;
  readonly agentLog: string;
  readonly holderPid: string;
}

export function balancerPlaces(paths: SitePaths, balancer: string): BalancerPlaces {
  const run = join(paths.run, balancer);
  return {
    run,
    state: join(paths.state, balancer),
    agentPid: join(run, 'agent.pid'),
    agentLog: join(run, 'agent.log'),
    holderPid: join(run, 'holder.pid'),
  };
}

/** The site that `up` was started with, and after that the one that was promoted last: a SiteText as JSON. */
export function siteFile(paths: SitePaths): string {
  return join(paths.state, 'site.json');
}

/** Takes commands for every generation of a balancer, in the language of HAProxy's own. */
export function adminSocket(paths: SitePaths, balancer: string): string {
  return join(balancerPlaces(paths, balancer).run, 'admin.sock');
}
