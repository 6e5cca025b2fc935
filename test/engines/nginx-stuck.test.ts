import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, describe, test } from 'node:test';
import { systemClock } from '#base';
import { StuckWorkers } from '../../src/engines/nginx/stuck.ts';
import { until } from '../world/stack.ts';

/** Stand-ins: what matters of a worker is what the kernel shows of it. */
const children: ChildProcess[] = [];
function start(script: string): number {
  const child = spawn('sh', ['-c', script], { stdio: 'ignore' });
  children.push(child);
  assert.ok(child.pid);
  return child.pid;
}
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
const cpuMsOf = (pid: number) => (Number(statOf(pid)[11]) + Number(statOf(pid)[12])) * 10;
const isStopped = (pid: number) => statOf(pid)[0] === 'T';

function watch(spinCpuMsMax: number) {
  const told: string[] = [];
  return {
    told,
    stuck: new StuckWorkers({ clock: systemClock, tell: (what) => told.push(what), spinCpuMsMax }),
  };
}

describe('a worker of NGINX', () => {
  test('that is stopped is killed; the others are not', async () => {
    const [stopped, idle] = [start('exec sleep 1000'), start('exec sleep 1000')];
    const { told, stuck } = watch(5_000);
    process.kill(stopped, 'SIGSTOP');
    await until('it is told', () => {
      stuck.look(process.pid, [stopped, idle]);
      return Promise.resolve(told.length > 0);
    });
    assert.match(told[0] ?? '', new RegExp(`^worker ${stopped} was killed: it was stopped for \\d+ ms$`));
    assert.equal(statOf(idle)[0], 'S');
  });

  test('is left alone when the whole engine is stopped: whoever asks it sees that', async () => {
    const [master, worker] = [start('exec sleep 1000'), start('exec sleep 1000')];
    const { told, stuck } = watch(5_000);
    for (const pid of [master, worker]) process.kill(pid, 'SIGSTOP');
    await until('both are stopped', () => Promise.resolve([master, worker].every(isStopped)));
    const since = performance.now();
    // Longer than one alone may be stopped.
    await until('some time has passed', () => {
      stuck.look(master, [worker]);
      return Promise.resolve(performance.now() - since > 700);
    });
    assert.deepEqual(told, []);
    assert.ok(isStopped(worker));
  });

  test('that spins is killed; one that works as hard is not', async () => {
    const [spinning, working] = [start('while :; do :; done'), start('while :; do echo; done >/dev/null')];
    const { told, stuck } = watch(200);
    await until('one is told, and the other has worked for long enough', () => {
      stuck.look(process.pid, [spinning, working]);
      return Promise.resolve(told.length > 0 && cpuMsOf(working) > 600);
    });
    assert.equal(told.length, 1, told.join());
    assert.match(
      told[0] ?? '',
      new RegExp(`^worker ${spinning} was killed: it used the processor for \\d+ ms`),
    );
    assert.notEqual(statOf(working)[0], 'Z');
  });
});
