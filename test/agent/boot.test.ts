import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask } from '../world/ask.ts';
import { startOrigin } from '../world/origins.ts';
import { shopText } from '../world/shop.ts';
import { freePort, startStack, until } from '../world/stack.ts';

test('what is on disk for the next boot serves the site with no Holdfast process', async (t) => {
  const origin = await startOrigin({ name: 'one' });
  t.after(() => origin.close());
  const [http, https] = [await freePort(), await freePort()];
  const stack = await startStack({
    siteText: (folder) => shopText({ http, https, engine: 'haproxy', servers: [origin] }, folder),
    engine: 'haproxy',
  });
  const lastGood = join(stack.state, 'last-good');
  await stack.call('stop', {});
  const haproxy = spawn('/usr/sbin/haproxy', ['-W', '-db', '-f', join(lastGood, 'haproxy.cfg')], {
    stdio: 'ignore',
  });
  try {
    const answer = await until('an answer', async () => await ask(http));
    assert.equal(answer.status, 200);
    assert.match(answer.body, /one/);
  } finally {
    haproxy.kill('SIGTERM');
    await new Promise((resolve) => haproxy.once('exit', resolve));
    await stack.stop();
  }
});
