import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Failure } from '#base';
import { foreignEngines } from '#engines';
import { type Asked, findEngine } from '../../src/agent/adopt/find.ts';
import { listeningSockets, sameHost } from '../../src/agent/adopt/listening.ts';
import { unitIn } from '../../src/agent/adopt/service.ts';
import { type Origin, startOrigin } from '../world/origins.ts';
import { freePort } from '../world/stack.ts';
import { type Manner, startTheirs, type Theirs } from '../world/theirs.ts';

const at = (theirs: Theirs): Asked => ({
  dialect: theirs.file.endsWith('nginx.conf') ? 'nginx' : 'haproxy',
  file: theirs.file,
  includes: [],
  addresses: [theirs.http, theirs.https].map((port) => ({ host: '127.0.0.1', port })),
});

const refusedWith = (code: string, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Failure, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(`${error.message} ${error.remedy}`, words);
  return true;
};

describe('a command line', () => {
  const haproxy = (line: string) => foreignEngines.haproxy.commandLine(line.split(' '));

  test("of HAProxy's master after a reload is what it was started with", () => {
    assert.deepEqual(
      haproxy(
        '/usr/sbin/haproxy -sf 12 13 -Ws -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid -x /run/old.sock',
      ),
      {
        files: ['/etc/haproxy/haproxy.cfg'],
        args: ['-Ws', '-f', '/etc/haproxy/haproxy.cfg', '-p', '/run/haproxy.pid'],
        pidFile: '/run/haproxy.pid',
      },
    );
  });

  test('of HAProxy may name several texts', () => {
    assert.deepEqual(haproxy('haproxy -f a.cfg -f b.cfg -- c.cfg').files, ['a.cfg', 'b.cfg', 'c.cfg']);
  });

  test('of NGINX is in the title of its master', () => {
    const title =
      'nginx: master process /usr/sbin/nginx -g daemon on; master_process on; -c /etc/nginx/other.conf';
    assert.deepEqual(foreignEngines.nginx.commandLine([title]), {
      files: ['/etc/nginx/other.conf'],
      args: ['-g', 'daemon on; master_process on;', '-c', '/etc/nginx/other.conf'],
      pidFile: null,
    });
  });
});

test('a unit is the service in the control group, and no session of a person', () => {
  assert.equal(unitIn('0::/system.slice/haproxy.service\n'), 'haproxy.service');
  assert.equal(unitIn('3:cpu:/\n1:name=systemd:/system.slice/nginx.service\n'), 'nginx.service');
  assert.equal(unitIn('0::/user.slice/user-0.slice/user@0.service/app.slice\n'), null);
  assert.equal(unitIn('0::/\n'), null);
});

test('listening sockets are read with their addresses, IPv6 too', async () => {
  const server = createServer();
  server.listen(0, '::1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const found = listeningSockets().filter((one) => one.port === port);
  server.close();
  assert.deepEqual(
    found.map(({ host, queued }) => ({ host, queued })),
    [{ host: '::1', queued: 0 }],
  );
  assert.equal(sameHost('0:0:0:0:0:0:0:1'), '::1');
});

describe('the running engine', () => {
  const running = new Map<Manner, Theirs>();
  let origin: Origin;
  before(async () => {
    origin = await startOrigin({ name: 'web-1' });
    for (const manner of ['haproxy -W', 'haproxy -db', 'nginx'] as const)
      running.set(manner, await startTheirs({ manner, origins: [{ name: 'web-1', port: origin.port }] }));
  });
  after(async () => {
    for (const theirs of running.values()) await theirs.close();
    await origin.close();
  });
  const its = (manner: Manner) => running.get(manner) ?? assert.fail(manner);

  test('HAProxy with a master: signals go to the master, sockets are the worker’s', () => {
    const theirs = its('haproxy -W');
    const found = findEngine(at(theirs));
    assert.equal(found.main.pid, theirs.child().pid);
    assert.match(found.version, /^2\.|^3\./);
    assert.equal(found.user, 'haproxy');
    assert.deepEqual(found.command.files, [theirs.file]);
    assert.deepEqual(
      found.sockets.map(({ port }) => port).toSorted(),
      [theirs.http, theirs.https].toSorted(),
    );
    assert.ok(found.sockets.every(({ pid }) => pid !== found.main.pid));
  });

  test('HAProxy alone: one process is all', () => {
    const theirs = its('haproxy -db');
    const found = findEngine(at(theirs));
    assert.equal(found.main.pid, theirs.child().pid);
    assert.ok(found.sockets.every(({ pid }) => pid === found.main.pid));
  });

  test('NGINX: master and workers share each socket', () => {
    const theirs = its('nginx');
    const found = findEngine(at(theirs));
    assert.equal(found.main.pid, theirs.child().pid);
    assert.equal(found.processes.length, 3);
    assert.equal(new Set(found.sockets.map(({ inode }) => inode)).size, 2);
  });

  test('is refused when nobody listens', async () => {
    const theirs = its('haproxy -W');
    const port = await freePort();
    assert.throws(
      () => findEngine({ ...at(theirs), addresses: [{ host: '127.0.0.1', port }] }),
      refusedWith('HF501', /nobody listens on 127\.0\.0\.1:\d+/),
    );
  });

  test('is refused when it runs another text', () => {
    const theirs = its('haproxy -W');
    const other = join(theirs.folder, 'other.cfg');
    copyFileSync(theirs.file, other);
    assert.throws(
      () => findEngine({ ...at(theirs), file: other }),
      refusedWith('HF503', /runs with .*haproxy\.cfg, not with .*other\.cfg/),
    );
  });

  test('is refused when the text was written after it had been read', () => {
    const theirs = its('haproxy -W');
    const now = new Date();
    utimesSync(theirs.file, now, new Date(Date.now() + 1_000));
    try {
      assert.throws(
        () => findEngine(at(theirs)),
        refusedWith('HF503', /written at .* after process \d+ had read it/),
      );
    } finally {
      utimesSync(theirs.file, now, new Date(Date.now() - 60_000));
    }
    findEngine(at(theirs));
  });

  test('is refused when it is another program that listens there', async () => {
    const theirs = its('haproxy -W');
    const port = await freePort();
    const child = spawn(process.execPath, [
      '-e',
      `require('net').createServer().listen(${port}, '127.0.0.1', () => console.log('up'))`,
    ]);
    await once(child.stdout, 'data');
    try {
      assert.throws(
        () => findEngine({ ...at(theirs), addresses: [{ host: '127.0.0.1', port }] }),
        refusedWith('HF502', /is not haproxy/),
      );
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });

  test('is refused when the binary only has the name', async () => {
    const theirs = its('haproxy -W');
    const port = await freePort();
    const binary = join(theirs.folder, 'haproxy');
    // Socat under another name: it listens, and asked with -v it does not say that it is HAProxy.
    copyFileSync('/usr/bin/socat', binary);
    writeFileSync(binary, readFileSync('/usr/bin/socat'), { mode: 0o755 });
    const child = spawn(binary, [`TCP-LISTEN:${port},bind=127.0.0.1,fork`, 'EXEC:true'], { stdio: 'ignore' });
    await once(child, 'spawn');
    try {
      const deadline = performance.now() + 5_000;
      while (!listeningSockets().some((one) => one.port === port) && performance.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, 5));
      assert.throws(
        () => findEngine({ ...at(theirs), addresses: [{ host: '127.0.0.1', port }] }),
        refusedWith('HF502', /is not haproxy: asked with -v it says/),
      );
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
});
