import { type Log, messageOf, type SitePaths } from '#base';
import { type BalancerPort, createPipeline, type Pipeline } from '#change';
import type { BalancerCall, BalancerCalls } from '#contract';
import { incidentKeeper } from '#incidents';
import { siteKeeper } from '../../src/main/site-keeper.ts';
import type { Random } from '../world/random.ts';
import { journalOn, type SimulatedDisk } from './disk.ts';
import type { Network } from './network.ts';
import { type Scheduler, SimulatedProcess } from './scheduler.ts';
import { plannedOnce } from './texts.ts';

const tendEveryMs = 500;
const openJournalEveryMs = 3_000;

export const controllerPaths: SitePaths = { run: '/run/shop', state: '/state/shop', api: '/run/shop/api' };

export interface ControllerParts {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly network: Network;
  readonly disk: SimulatedDisk;
  readonly balancers: readonly string[];
  readonly skewMs: () => number;
  readonly tell: (what: string) => void;
}

/** One life of the controller: the real pipeline, ledger, recovery, watch, incident and site keeper, wired as `main` does. */
export interface SimulatedController {
  readonly process: SimulatedProcess;
  /** Null until what an earlier one left has been taken up. */
  readonly pipeline: Pipeline | null;
}

export function startSimulatedController(parts: ControllerParts): SimulatedController {
  const { scheduler, disk, tell } = parts;
  const process = new SimulatedProcess('controller', scheduler, parts.skewMs);
  const journal = journalOn(disk, process, parts);
  const sites = siteKeeper(controllerPaths, disk.filesFor(process));
  const say = (what: string, facts?: object) => tell(`controller: ${what} ${JSON.stringify(facts ?? {})}`);
  const log: Log = { info: say, warn: say, error: say };
  const life: { readonly process: SimulatedProcess; pipeline: Pipeline | null } = { process, pipeline: null };
  const { clock } = process;
  const pipeline = createPipeline({
    journal,
    balancers: parts.balancers.map((name) => portTo(name, process, parts.network)),
    sites,
    planner: {
      plan: async (before, after) => plannedOnce(before, after),
      sample: () => Promise.reject(new Error('no log')),
    },
    clock,
    readFile: (path) => Promise.reject(new Error(`no file ${path}`)),
    log,
  });
  void (async () => {
    while (!life.pipeline) {
      try {
        await pipeline.recover();
        life.pipeline = pipeline;
      } catch (error) {
        tell(`controller: cannot take up its journal: ${messageOf(error)}`);
        await clock.sleep(openJournalEveryMs);
      }
    }
    incidentKeeper({ journal, clock, log });
    for (;;) {
      await clock.sleep(tendEveryMs);
      await pipeline.tend().catch((error: unknown) => tell(`controller: ${messageOf(error)}`));
    }
  })();
  return life;
}

function portTo(name: string, process: SimulatedProcess, network: Network): BalancerPort {
  return {
    name,
    async call<C extends BalancerCall>(call: C, input: BalancerCalls[C]['input'], timeoutMs?: number) {
      return (await network.call(process, name, call, input, timeoutMs)) as BalancerCalls[C]['output'];
    },
  };
}
