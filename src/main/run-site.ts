import type { SitePaths } from '#base';
import type { Site } from '#model';
import type { ChildPlan } from './children.ts';
import { makeSiteFolders } from './folders.ts';
import { beatForService } from './service-watchdog.ts';
import { type ControllerFlags, childPlans, claim, say } from './site-processes.ts';
import { supervise } from './supervise.ts';

export interface SiteRun {
  readonly site: Site;
  readonly paths: SitePaths;
  readonly controller: ControllerFlags;
  /** Starts the site's processes; resolves with what a person reads when it is up, rejects with the reason of `stopping`. */
  begin(plans: readonly ChildPlan[], stopping: AbortSignal): Promise<string>;
  /** Goes on beside the site for as long as it is kept running. */
  beside?(stopping: AbortSignal): Promise<void>;
  /** Called once, after `begin`, also when that failed: then `started` is false. */
  end(plans: readonly ChildPlan[], started: boolean): Promise<void>;
}

/**
 * What `up` and `adopt` have in common: one of them a site, which is kept running until it is told to end. Resolves when
 * it has ended. @throws Failure HF302 when another one runs it.
 */
export async function runSite(run: SiteRun): Promise<void> {
  const { site, paths } = run;
  makeSiteFolders(paths, site);
  claim(paths, site.name);
  await beatForService();
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stopping.abort());
  const plans = childPlans(site, paths, run.controller);
  let started = false;
  try {
    const said = await run.begin(plans, stopping.signal);
    started = true;
    say(said);
    await Promise.all([
      supervise(plans, { paths, stopping: stopping.signal }),
      run.beside?.(stopping.signal),
    ]);
  } catch (error) {
    if (error !== stopping.signal.reason) throw error;
  } finally {
    await run.end(plans, started);
  }
}
