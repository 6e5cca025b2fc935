import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { systemClock } from '#base';
import { lockHolder } from '../../src/agent/holder/lock.ts';
import { type HolderClient, holderClient } from '../../src/agent/holder/protocol.ts';
import { until } from '../world/stack.ts';

const program = join(import.meta.dirname, '..', 'world', 'agent-process.ts');

describe('several holders of one balancer, started at the same moment', () => {
  let folder: string;
  let holder: HolderClient;
  const children: ChildProcess[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hf-'));
    holder = holderClient(join(folder, 'holder.sock'));
  });
  afterEach(() => {
    holder.close();
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (count: number) => {
    const options = JSON.stringify({ folder });
    const started = Array.from({ length: count }, () =>
      spawn(process.execPath, [program, 'holder', options], { stdio: 'ignore' }),
    );
    children.push(...started);
    return started;
  };
  const status = () => holder.call('status', {}, 500);
  const living = (all: readonly ChildProcess[]) =>
    all.filter((child) => child.exitCode === null && child.signalCode === null);

  /** Resolves when one is left. How the others ended is no matter: on a busy machine one that starts may seem to hang. */
  const settled = async () => {
    await until('one is left', () => Promise.resolve(living(children).length === 1));
    const { pid } = await until('it answers', status);
    assert.deepEqual(
      living(children).map((child) => child.pid),
      [pid],
    );
  };

  test('exactly one stays; after it is killed, again', async () => {
    start(3);
    await settled();
    const [first] = living(children);
    first?.kill('SIGKILL');
    if (first?.signalCode === null) await once(first, 'exit');
    start(2);
    await settled();
  });

  test('one that hangs is ended by its successors, and one of these stays', async () => {
    const [first] = start(1);
    await until('the first', status);
    first?.kill('SIGSTOP');
    start(2);
    await settled();
    assert.equal(first?.signalCode, 'SIGKILL');
  });

  test('of any number at the same moment one gets the lock, and the others wait until it answers', async () => {
    let answering = false;
    const options = { folder, answers: () => Promise.resolve(answering), clock: systemClock };
    const all = Array.from({ length: 8 }, () => lockHolder(options));
    assert.ok(await Promise.race(all));
    answering = true;
    const got = (await Promise.all(all)).filter((lock) => lock !== null);
    assert.equal(got.length, 1);
  });

  test('a lock goes with its process, and what a file says of a number that is another’s now harms nobody', async () => {
    const victim = spawn('sleep', ['60'], { stdio: 'ignore' });
    writeFileSync(join(folder, 'holder.pid'), JSON.stringify({ pid: victim.pid, startTicks: '1' }));
    start(2);
    await settled();
    assert.equal(victim.signalCode, null);
    victim.kill('SIGKILL');
  });
});
