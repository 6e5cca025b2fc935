/** The generator in its own process, so that neither stalls the other. Started as a program it serves one parent. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { messageOf } from '#base';
import { type Load, type LoadCounts, type LoadPlan, type LoadResult, startLoad } from './load.ts';

type Ask =
  | { readonly kind: 'start'; readonly plan: LoadPlan }
  | { readonly kind: 'counts' }
  | { readonly kind: 'stop' };
type Tell =
  | { readonly kind: 'started' }
  | { readonly kind: 'counts'; readonly counts: LoadCounts }
  | { readonly kind: 'stopped'; readonly result: LoadResult }
  | { readonly kind: 'failed'; readonly message: string };

export interface LoadProcess extends Load {
  readonly pid: number;
  /** Ends it at once, without a result; of no effect after `stop`. */
  kill(): void;
}

/** As `startLoad`, elsewhere. The child ends with `stop`, and by itself when this process ends. */
export async function startLoadProcess(plan: LoadPlan): Promise<LoadProcess> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = fork(fileURLToPath(import.meta.url), [], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    serialization: 'advanced',
    env,
  });
  try {
    await ask(child, { kind: 'start', plan });
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    pid: child.pid ?? 0,
    kill: () => void child.kill('SIGKILL'),
    async counts() {
      const told = await ask(child, { kind: 'counts' });
      if (told.kind !== 'counts') throw new Error(`the load process told ${told.kind}`);
      return told.counts;
    },
    async stop() {
      const told = await ask(child, { kind: 'stop' });
      if (told.kind !== 'stopped') throw new Error(`the load process told ${told.kind}`);
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.disconnect();
      await ended;
      return told.result;
    },
  };
}

/** One question at a time. */
function ask(child: ChildProcess, question: Ask): Promise<Tell> {
  return new Promise((resolve, reject) => {
    if (!child.connected) throw new Error('the load process has ended');
    const settle = (use: () => void) => {
      child.off('message', onMessage).off('exit', onExit);
      use();
    };
    const onMessage = (told: Tell) =>
      settle(() => (told.kind === 'failed' ? reject(new Error(told.message)) : resolve(told)));
    const onExit = (code: number | null, signal: string | null) =>
      settle(() => reject(new Error(`the load process ended: ${signal ?? code}`)));
    child.on('message', onMessage).on('exit', onExit);
    child.send(question);
  });
}

function serve(): void {
  let load: Load | null = null;
  const tell = (told: Tell) => process.send?.(told);
  async function answer(question: Ask): Promise<Tell> {
    if (question.kind === 'start') {
      load = await startLoad(question.plan);
      return { kind: 'started' };
    }
    if (!load) return { kind: 'failed', message: 'not started' };
    if (question.kind === 'counts') return { kind: 'counts', counts: await load.counts() };
    return { kind: 'stopped', result: await load.stop() };
  }
  process.on('message', (question: Ask) => {
    answer(question).then(tell, (error) => tell({ kind: 'failed', message: messageOf(error) }));
  });
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C goes to the whole group of processes; the parent decides when this one ends.
  process.on('SIGINT', () => {});
}

if (import.meta.main) serve();
