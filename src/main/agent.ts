import { readFileSync } from 'node:fs';
import { runAgent as run } from '#agent';
import { agentSocket, sitePaths } from '#base';
import type { SiteText } from '#contract';
import { asChild, ownCommand } from './children.ts';
import { balancerPlaces, siteFile } from './places.ts';

/** `holdfast agent`: one balancer's agent, started by `up` or by systemd. */
export async function runAgent(options: { site: string; balancer: string }): Promise<void> {
  const paths = sitePaths(options.site);
  const places = balancerPlaces(paths, options.balancer);
  await asChild(places.agentPid, () =>
    run({
      balancer: options.balancer,
      run: places.run,
      state: places.state,
      shared: paths.state,
      socket: agentSocket(paths, options.balancer),
      first: JSON.parse(readFileSync(siteFile(paths), 'utf8')) as SiteText,
      holderCommand: ownCommand(['holder', '--folder', places.run]),
    }),
  );
}
