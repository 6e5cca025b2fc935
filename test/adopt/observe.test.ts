import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { identify } from '#base';
import { linkOf } from '../../src/agent/adopt/processes.ts';
import { adoptArgs } from '../world/adopted.ts';
import { startOrigin } from '../world/origins.ts';
import { until } from '../world/stack.ts';
import { startTheirs, type Theirs } from '../world/theirs.ts';
import { makeFolders, type as typed } from '../world/up.ts';

/** Everything of the engine that a signal, a taken descriptor or a write would change. */
function state(theirs: Theirs): string[] {
  const processes = theirs.processes().flatMap((pid) => [
    `${pid} since ${identify(pid)?.startTicks}`,
    ...readdirSync(`/proc/${pid}/fd`)
      .map((fd) => `${pid} ${fd} ${linkOf(`/proc/${pid}/fd/${fd}`)}`)
      .filter((line) => /socket|eventpoll/.test(line)),
    ...(readFileSync(`/proc/${pid}/status`, 'utf8').match(
      /^(?:TracerPid|Sig(?:Pnd|Blk|Ign|Cgt)|ShdPnd):.*$/gm,
    ) ?? []),
  ]);
  const files = readdirSync(theirs.folder).map((name) => {
    const { mtimeMs, size, ino } = statSync(join(theirs.folder, name));
    return `${name} ${mtimeMs} ${size} ${ino}`;
  });
  return [...processes, ...files];
}

test('--observe plans, looks and journals, and touches nothing', async () => {
  const origin = await startOrigin({ name: 'web-1' });
  const theirs = await startTheirs({ manner: 'haproxy -W', origins: [{ name: 'web-1', port: origin.port }] });
  const { env, remove } = makeFolders();
  // Its master takes signals, and waits for events, a moment after the worker answers.
  await until('a settled engine', async () =>
    theirs.processes().every((pid) => {
      const own = state(theirs).filter((line) => line.startsWith(`${pid} `));
      const blocked = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^SigBlk:\s*0+$/m);
      return blocked !== null && own.some((line) => line.includes('eventpoll'));
    }),
  );
  const before = state(theirs);
  const observer = typed([...adoptArgs(theirs), '--observe'], { env });
  try {
    const said = (words: RegExp) =>
      until(
        String(words),
        async () => {
          if (observer.child.exitCode !== null) throw new Error(observer.err());
          return words.test(observer.out());
        },
        30_000,
      );
    await said(/bind fd@3[\s\S]*is observed\. Nothing is touched\./);
    await said(/began: .* as process \d+ runs it/);
    await origin.become('refuses');
    await said(/web\/web-1: .*refused/);
    await origin.become('right');
    await said(/web\/web-1: ok/);
    // Connections of health checks come and go.
    const steady = (lines: string[]) => lines.filter((line) => !/ socket:/.test(line));
    assert.deepEqual(steady(state(theirs)), steady(before));
    const listening = (lines: string[]) => lines.filter((line) => / [3-9] socket:/.test(line));
    for (const line of listening(before)) assert.ok(state(theirs).includes(line), line);
    const pid = theirs.child().pid ?? 0;
    await theirs.end();
    await said(/engine: nobody listens on/);
    assert.equal(identify(pid), null);
    observer.child.kill('SIGINT');
    const { exit } = await observer.ended;
    assert.equal(exit, 0);
    const { out } = await typed(['journal', 'verify', '--site', 'shop'], { env }).ended;
    assert.match(out, /entries, each as it was written/);
  } finally {
    observer.child.kill('SIGKILL');
    await theirs.close();
    await origin.close();
    remove();
  }
});
