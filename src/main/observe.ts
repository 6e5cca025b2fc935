import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { loadAdoption as loadAdopting } from '#agent';
import { Failure, formatDiagnostic, type Log, type SitePaths, sitePaths, systemClock } from '#base';
import type { BalancerPort, SiteKeeper } from '#change';
import type { BalancerCall, BalancerCalls } from '#contract';
import type { JournalEntry } from '#events';
import { nameOfMachine } from './adopt.ts';
import { type RunningController, startController } from './controller.ts';
import { foundLines } from './findings.ts';
import { makeSiteFolders } from './folders.ts';
import { Edits } from './observing/edits.ts';
import { type EngineLook, engineLook, type Read } from './observing/engine-look.ts';
import type { Observed } from './observing/observed.ts';
import { factLine, sightOf } from './observing/words.ts';
import { readOwn } from './own-text.ts';
import { hostPortOf } from './port.ts';
import { type ControllerFlags, claim, say } from './site-processes.ts';

const lookEveryMs = 1_000;
const firstWordMsMax = 2_000;
const firstWordEveryMs = 20;
const journalLinesMax = 40;

export interface ObserveOptions {
  readonly file: string;
  readonly name?: string;
  readonly controller: ControllerFlags;
}

/**
 * `holdfast adopt --observe FILE`: a controller with its monitor, journal, pages and API, and in the place of the agent one
 * that only looks: at the engine's statistics, its processes and listeners, its servers by asking them, and at each edit of
 * the text. It sends no signal, takes no descriptor and writes nothing but its own folders. Resolves when it is told to end.
 */
export async function runObserve(options: ObserveOptions): Promise<void> {
  const name = options.name ?? nameOfMachine();
  const { warnings, ...first } = await readOwn(options.file, name);
  for (const warning of warnings) process.stderr.write(`${formatDiagnostic(warning)}\n`);
  const paths = sitePaths(first.site.name);
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());
  const look = await engineLook(first, systemClock);
  const found = look.find();
  for (const line of [...foundLines(found), '']) say(line);
  makeSiteFolders(paths, first.site);
  claim(paths, first.site.name);
  const edits = new Edits(first, options.file, name);
  try {
    await observe(
      { look, edits, name, paths, ...options },
      `${options.file} as process ${found.main.pid} runs it`,
      stopping.signal,
    );
  } finally {
    edits.close();
    look.close();
    rmSync(join(paths.run, 'up.pid'), { force: true });
  }
}

interface Observing extends ObserveOptions {
  readonly look: EngineLook;
  readonly edits: Edits;
  readonly name: string;
  readonly paths: SitePaths;
}

async function observe(work: Observing, began: string, stopping: AbortSignal): Promise<void> {
  const { look, edits, name, paths } = work;
  const { onlooker } = await loadAdopting();
  const looker = onlooker({
    balancer: name,
    looked: () => look.looked(),
    folder: paths.state,
    clock: systemClock,
  });
  let controller: RunningController | null = null;
  try {
    await firstWord(looker.hasCounted, look);
    if (look.onlook) for (const line of sightOf(look.onlook, looker.hasCounted())) say(line);
    const observed = {
      sites: keeperOf(look),
      port: (called: string) => portTo(called, looker.calls),
      log: wordsLog,
    };
    controller = await controllerOf(work, observed);
    const open = controller.door.open();
    if (!open)
      say(`  The journal is not open, so nothing is kept and nobody paged: ${controller.door.why()}`);
    open?.journal.follow((entry: JournalEntry) => {
      const line = factLine(entry.event);
      if (line) say(`${new Date(entry.at).toISOString()} ${line}`);
    });
    say(`  API         ${controller.url}\n`);
    say(`  ${name} is observed. Nothing is touched. Ctrl-C ends it.`);
    say(`  What taking it over would change: holdfast adopt ${work.file} --dry-run\n`);
    const tell = teller(controller, name);
    await tell(`began: ${began}`);
    await watch(look, edits, tell, stopping);
    await tell('ended');
  } finally {
    await controller?.close();
    await looker.close();
  }
}

type Tell = (what: string, lines?: readonly string[]) => Promise<void>;

async function watch(look: EngineLook, edits: Edits, tell: Tell, stopping: AbortSignal): Promise<void> {
  let known: ReadonlyMap<string, string> = new Map();
  let running: Read = look.current;
  while (!stopping.aborted) {
    const edit = await edits.look(look.current);
    if (edit) {
      look.edited(edit.read);
      await tell(edit.what, edit.lines);
    }
    const now = await look.look();
    if (look.current !== running) await tell('engine: it runs the text as it was edited');
    running = look.current;
    for (const [what, state] of now) if ((known.get(what) ?? 'ok') !== state) await tell(`${what}: ${state}`);
    known = now;
    await systemClock.sleep(lookEveryMs, stopping).catch(() => {});
  }
}

/** What cannot be seen is to be said before anybody relies on it. */
async function firstWord(hasCounted: () => boolean, look: EngineLook): Promise<void> {
  const deadline = systemClock.monotonicMs() + firstWordMsMax;
  while (look.looked().counters && !hasCounted() && systemClock.monotonicMs() < deadline)
    await systemClock.sleep(firstWordEveryMs);
}

function teller({ door }: RunningController, site: string): Tell {
  return async (what, lines = []) => {
    say(`${new Date().toISOString()} ${what}`);
    for (const line of lines) say(`    ${line}`);
    const kept = [what, ...lines.slice(0, journalLinesMax)].join('\n');
    const journal = door.open()?.journal;
    await journal
      ?.append('observer', { kind: 'site.observed', site, what: kept })
      .catch((error: unknown) => wordsLog.error('not journalled', { why: String(error) }));
  };
}

function controllerOf(
  { paths, name, controller }: Observing,
  observed: Observed,
): Promise<RunningController> {
  const { port, review, onCall, monitor, reports } = controller;
  return startController({
    siteName: name,
    balancers: [name],
    paths,
    apiPort: port,
    reviews: review,
    onCall,
    monitor,
    observed,
    ...(reports === undefined ? {} : { reports: hostPortOf('--reports', reports) }),
  });
}

/** The text is the team's: it is what the engine runs, and nothing is ever staged. */
function keeperOf(look: EngineLook): SiteKeeper {
  return {
    current: () => look.current.text,
    stage: () => Promise.reject(new Failure('HF506', 'the site is only observed')),
    settle: async (hash) => look.current.text.hash === hash,
  };
}

function portTo(
  name: string,
  calls: {
    readonly [C in BalancerCall]: (input: BalancerCalls[C]['input']) => Promise<BalancerCalls[C]['output']>;
  },
): BalancerPort & { close(): void } {
  return { name, close: () => {}, call: (call, input) => calls[call](input) };
}

/** For somebody who reads along; faults are told as facts of the journal. */
const wordsLog: Log = {
  info() {},
  warn: (message, fields) => process.stderr.write(logged(message, fields)),
  error: (message, fields) => process.stderr.write(logged(message, fields)),
};

function logged(message: string, fields: Readonly<Record<string, unknown>> = {}): string {
  if (message.startsWith('fault')) return '';
  const said = Object.entries(fields).map(([key, value]) => `${key}: ${String(value)}`);
  return `${new Date().toISOString()} ${[message, ...said].join(', ')}\n`;
}
