import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { listeningSockets } from '../../src/agent/adopt/listening.ts';
import { adoptArgs, adoptedBy, release, untilAdopted } from '../world/adopted.ts';
import { handedBack } from '../world/cut-off.ts';
import { startOrigin } from '../world/origins.ts';
import { until } from '../world/stack.ts';
import { startTheirs } from '../world/theirs.ts';
import { underLoad } from '../world/under-load.ts';
import { makeFolders, type as typed } from '../world/up.ts';

const launcher = join(import.meta.dirname, '../world/no-copies.ts');

test('where descriptors cannot be copied, sockets of ours stand beside the engine’s: adopted and handed back under load', async () => {
  const origin = await startOrigin({ name: 'web-1' });
  const theirs = await startTheirs({ manner: 'haproxy -W', origins: [{ name: 'web-1', port: origin.port }] });
  const inodes = () =>
    listeningSockets()
      .filter(({ port }) => port === theirs.http)
      .map(({ inode }) => inode);
  const before = inodes();
  const folders = makeFolders();
  const on = (...words: readonly string[]) => [process.execPath, launcher, ...words];
  const adopted = adoptedBy(typed(adoptArgs(theirs, '--wait', '2'), { env: folders.env, on }), folders);
  try {
    await underLoad(theirs, async () => {
      await untilAdopted(adopted);
      assert.match(adopted.adopt.out(), /not permitted[\s\S]*1 of 4 {2}its sockets: one of ours beside each/);
      await until('the end of the team’s processes', async () => theirs.processes().length === 0);
      assert.equal(inodes().length, 1);
      assert.notDeepEqual(inodes(), before, 'a socket of our own');
      await release(adopted, '--wait', '2');
      await handedBack(theirs, adopted);
    });
  } finally {
    await adopted.close();
    await theirs.close();
    await origin.close();
  }
});
