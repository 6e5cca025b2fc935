import { createPipeline, type Pipeline, type Planner, type SiteKeeper } from '#change';
import type { ApplyRequest, ChangeView, Progress, SiteText } from '#contract';
import type { JournalEntry } from '#events';
import { filesAround, parseSite, siteHash } from '#model';
import { planWritten } from '#plan';
import { memoryKeeper, type ScriptedBalancer, scriptedBalancer } from './balancer.ts';
import { type SimulatedClock, simulatedClock } from './clock.ts';
import { type MemoryJournal, memoryJournal } from './journal.ts';

/** A shop whose pool `web` has these servers, as a person would write it. */
export function shop(servers: readonly string[], more = ''): string {
  const list = servers.map((address, i) => `      - { name: web-${i + 1}, address: "${address}" }`);
  return `site: shop
listeners:
  - { name: http, address: "*:8080" }
routes:
  - { name: web, pool: web }
pools:
  - name: web
    servers:
${list.join('\n')}
balancers:
  - { name: lb-1, engine: builtin, address: 127.0.0.1 }
  - { name: lb-2, engine: builtin, address: 127.0.0.2 }
guard:
  canary: { steps: [0.1, 0.5], firstSliceRequests: 20, step: 2s }
  bake: 5s
${more}`;
}

export const fourServers = ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80', '10.0.0.4:80'];
export const fiveServers = [...fourServers, '10.0.0.5:80'];

export function siteText(text: string, file = 'shop.yaml'): SiteText {
  const { site, diagnostics } = parseSite(text, file, '/srv/shop');
  if (!site) throw new Error(JSON.stringify(diagnostics));
  return { file, folder: '/srv/shop', text, hash: siteHash(site) };
}

export function request(text: string, more: Partial<ApplyRequest> = {}): ApplyRequest {
  return {
    file: 'shop.yaml',
    folder: '/srv/shop',
    text,
    force: false,
    reason: '',
    release: false,
    unfreeze: false,
    by: 'person:anna',
    ...more,
  };
}

/** A controller's pipeline over two scripted balancers, in simulated time. */
export interface World {
  readonly clock: SimulatedClock;
  readonly journal: MemoryJournal;
  readonly sites: SiteKeeper;
  readonly balancers: readonly [ScriptedBalancer, ScriptedBalancer];
  readonly pipeline: Pipeline;
  /** What series of elsewhere say against changes. */
  readonly against: string[];
  /** Plans in this process; a test may put another in its place. */
  readonly planner: { -readonly [Name in keyof Planner]: Planner[Name] };
  /** Proposes, and waits in simulated time until the change has ended. */
  apply(request: ApplyRequest): Promise<{ change: ChangeView; shown: readonly Progress[] }>;
  /** The same balancers, clock and site under a new controller that finds these entries. */
  restarted(entries: readonly JournalEntry[]): World;
}

export function world(text = shop(fourServers)): World {
  const clock = simulatedClock();
  const first = siteText(text);
  return worldFrom(first, clock, noFile);
}

/** The same of a text that names files: `readFile` is the disk, `first` has been read with it. */
export function worldFrom(first: SiteText, clock: SimulatedClock, readFile: ReadFile): World {
  const balancers = [scriptedBalancer('lb-1', clock, first), scriptedBalancer('lb-2', clock, first)] as const;
  return around({ clock, balancers, sites: memoryKeeper(first), readFile }, []);
}

type ReadFile = (path: string) => Promise<string>;

async function noFile(path: string): Promise<string> {
  throw new Error(`no file ${path}`);
}

type Lasting = Pick<World, 'clock' | 'balancers' | 'sites'> & { readonly readFile: ReadFile };

function around(lasting: Lasting, entries: readonly JournalEntry[]): World {
  const { clock, balancers, sites, readFile } = lasting;
  const journal = memoryJournal(clock, entries);
  const planner: World['planner'] = {
    plan: async (before, after) => planWritten(before, after, filesAround),
    sample: () => Promise.reject(new Error('no log')),
  };
  const against: string[] = [];
  const parts = { journal, balancers, sites, planner, clock, readFile };
  const pipeline = createPipeline({ ...parts, against: () => against });
  return {
    clock,
    against,
    journal,
    sites,
    balancers,
    pipeline,
    planner,
    async apply(asked) {
      const { id } = await clock.run(pipeline.propose(asked));
      return clock.run(ended(pipeline, id));
    },
    restarted: (left) => around(lasting, left),
  };
}

export function ended(
  pipeline: Pipeline,
  id: string,
): Promise<{ change: ChangeView; shown: readonly Progress[] }> {
  const shown: Progress[] = [];
  return new Promise((resolve, reject) => {
    const found = pipeline.watch(id, (line) => {
      shown.push(line);
      if (line.kind === 'end') resolve({ change: line.change, shown });
    });
    if (!found) reject(new Error(`no change ${id}`));
  });
}
