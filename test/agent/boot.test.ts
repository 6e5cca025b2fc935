import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask } from '../world/ask.ts';
import { startOrigin } from '../world/origins.ts';
import { shopText } from '../world/shop.ts';
import { freePort, startStack, until } from '../world/stack.ts';

test('what is on disk for the next boot serves the site with no Holdfast process, as it was set by hand', async (t) => {
  const origins = await Promise.all(['one', 'two', 'three'].map((name) => startOrigin({ name })));
  t.after(() => Promise.all(origins.map((origin) => origin.close())));
  const [http, https] = [await freePort(), await freePort()];
  const stack = await startStack({
    siteText: (folder) => shopText({ http, https, engine: 'haproxy', servers: origins }, folder),
    engine: 'haproxy',
  });
  const lastGood = join(stack.state, 'last-good');
  // An agent that was killed when it knew what is good, and had not yet written it for the next boot.
  const agent = stack.agent();
  const gone = once(agent, 'exit');
  agent.kill('SIGKILL');
  await gone;
  rmSync(lastGood);
  mkdirSync(`${lastGood}.0-stale`);
  writeFileSync(join(`${lastGood}.0-stale`, 'haproxy.cfg'), '# of before');
  symlinkSync(`${lastGood}.0-stale`, lastGood);
  await stack.startAgent();
  assert.match(readFileSync(join(lastGood, 'haproxy.cfg'), 'utf8'), /server two/);
  const socket = connect(join(stack.run, 'admin.sock'));
  socket.end('set server web/two state maint; set server web/three state drain\n');
  await once(socket.resume(), 'close');
  await until('both in the text of the next boot', async () => {
    const text = readFileSync(join(lastGood, 'haproxy.cfg'), 'utf8');
    return /server two .* disabled$/m.test(text) && /server three .* weight 0 enabled$/m.test(text);
  });
  await stack.call('stop', {});
  const haproxy = spawn('/usr/sbin/haproxy', ['-W', '-db', '-f', join(lastGood, 'haproxy.cfg')], {
    stdio: 'ignore',
  });
  try {
    const answer = await until('an answer', async () => await ask(http));
    assert.equal(answer.status, 200);
    for (let asked = 0; asked < 6; asked += 1) assert.match((await ask(http)).body, /one/);
  } finally {
    haproxy.kill('SIGTERM');
    await new Promise((resolve) => haproxy.once('exit', resolve));
    await stack.stop();
  }
});
