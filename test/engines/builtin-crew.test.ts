import assert from 'node:assert/strict';
import { ChildProcess } from 'node:child_process';
import { test } from 'node:test';
import { Crew } from '../../src/engines/builtin/process/crew.ts';
import type { FromWorker, ToWorker } from '../../src/engines/builtin/process/messages.ts';

/** A worker that does as it is told, and is ready when a test says so. */
class Worker extends ChildProcess {
  override connected = true;
  readonly heard: ToWorker[] = [];
  override send(message: unknown): boolean {
    const said = message as ToWorker;
    this.heard.push(said);
    if (said.kind === 'call')
      queueMicrotask(() => this.says({ kind: 'answer', id: said.id, output: said.input, error: null }));
    return true;
  }
  override kill(): boolean {
    this.emit('exit', null, 'SIGKILL');
    return true;
  }
  says(message: FromWorker): void {
    this.emit('message', message);
  }
  get calls(): unknown[] {
    return this.heard.flatMap((one) => (one.kind === 'call' ? one.call : []));
  }
}

function crewOf(size: number) {
  const workers: Worker[] = [];
  let ended = false;
  const crew = new Crew({
    size,
    spawn: () => {
      const worker = new Worker();
      workers.push(worker);
      return worker;
    },
    start: () => ({ kind: 'health', health: [] }),
    wanted: () => [['park', null]],
    suspect() {},
    ejected() {},
    say() {},
    ended() {
      ended = true;
    },
  });
  return { crew, workers, ended: () => ended };
}

test('a generation serves with its first worker; the others follow, and are told what it was told', async () => {
  const { crew, workers, ended } = crewOf(3);
  const gathered = crew.gather();
  assert.equal(workers.length, 1, 'the first one has the machine to itself');
  workers[0]?.says({ kind: 'ready' });
  await gathered;
  assert.equal(workers.length, 3);
  assert.deepEqual(await crew.ask('net', true), [true], 'one that has not begun is not asked');
  workers[1]?.says({ kind: 'ready' });
  assert.deepEqual(workers[1]?.calls, ['park']);
  assert.deepEqual(await crew.ask('net', false), [false, false]);
  crew.dismiss();
  for (const worker of workers) worker.kill();
  assert.equal(ended(), true);
});

test('the first worker that does not start is the end; another one is tried again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const first = crewOf(2);
  const gathered = first.crew.gather();
  first.workers[0]?.kill();
  await assert.rejects(gathered, /ended while it started: SIGKILL/);
  assert.equal(first.workers.length, 1);
  first.crew.dismiss();

  const second = crewOf(2);
  const ready = second.crew.gather();
  second.workers[0]?.says({ kind: 'ready' });
  await ready;
  second.workers[1]?.kill();
  t.mock.timers.tick(1_000);
  assert.equal(second.workers.length, 3);
  second.crew.dismiss();
  for (const worker of second.workers) worker.kill();
});
