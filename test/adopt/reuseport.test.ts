import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listeningSockets } from '../../src/agent/adopt/listening.ts';
import { adopt, release } from '../world/adopted.ts';
import { handedBack } from '../world/cut-off.ts';
import { startOrigin } from '../world/origins.ts';
import { until } from '../world/stack.ts';
import { startTheirs } from '../world/theirs.ts';
import { underLoad } from '../world/under-load.ts';

test('an NGINX with a socket for each worker is adopted and handed back under load', async () => {
  const origin = await startOrigin({ name: 'web-1' });
  const theirs = await startTheirs({
    manner: 'nginx',
    listens: 'reuseport',
    origins: [{ name: 'web-1', port: origin.port }],
  });
  const sockets = () => listeningSockets().filter(({ port }) => port === theirs.http).length;
  try {
    assert.equal(sockets(), 2, 'one for each worker');
    await underLoad(theirs, async () => {
      const adopted = await adopt(theirs, '--wait', '2');
      try {
        assert.match(adopted.adopt.out(), /its sockets: one of ours beside each/);
        await until('the end of the team’s processes', async () => theirs.processes().length === 0);
        assert.equal(sockets(), 1);
        await release(adopted, '--wait', '2');
        await handedBack(theirs, adopted);
        assert.equal(sockets(), 2, 'as the team has them');
      } finally {
        await adopted.close();
      }
    });
  } finally {
    await theirs.close();
    await origin.close();
  }
});
