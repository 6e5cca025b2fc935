import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isAlive, type ProcessIdentity, sitePaths } from '#base';
import { askController } from '../../src/main/asking.ts';
import { type ChildPlan, runningPid, untilGone } from '../../src/main/children.ts';
import { supervise } from '../../src/main/supervise.ts';
import { ask } from '../world/ask.ts';
import { type Origin, startOrigin } from '../world/origins.ts';
import { shopText } from '../world/shop.ts';
import { freePort, until } from '../world/stack.ts';
import { type Folders, makeFolders, processesOf, type, up } from '../world/up.ts';

const limitMs = 80_000;

/** The controller reads this file before anything else of its journal: as a pipe that nobody writes to, it reads for ever. */
function hangStarts({ env }: Folders): () => void {
  const folder = join(env.HOLDFAST_STATE, 't/journal');
  const file = join(folder, 'journal.head');
  mkdirSync(folder, { recursive: true });
  rmSync(file, { force: true });
  execFileSync('mkfifo', [file]);
  return () => rmSync(file);
}

describe('a controller that does not start', () => {
  let folders: Folders;
  let origin: Origin;
  let port: number;
  let file: string;

  before(async () => {
    folders = makeFolders();
    origin = await startOrigin({ name: 'one' });
    port = await freePort();
    file = join(folders.folder, 'site.yaml');
    const options = { http: port, https: null, engine: 'haproxy', servers: [origin] } as const;
    writeFileSync(file, shopText(options, folders.folder));
  });
  after(async () => {
    await origin.close();
    folders.remove();
  });
  const processIn = (name: string) =>
    JSON.parse(readFileSync(join(folders.env.HOLDFAST_RUN, 't', name), 'utf8')) as ProcessIdentity;

  test('because it hangs, holds up nobody else, and Ctrl-C ends it with the rest', async () => {
    const site = await up([file, '--port', '0'], folders.env);
    let mend = () => {};
    try {
      const controller = processIn('controller.pid');
      // It writes the file anew with each entry.
      process.kill(controller.pid, 'SIGSTOP');
      mend = hangStarts(folders);
      process.kill(controller.pid, 'SIGKILL');
      await until('its start', async () => processIn('controller.pid').pid !== controller.pid, limitMs);
      const agent = processIn('lb-1/agent.pid');
      process.kill(agent.pid, 'SIGKILL');
      const statuses = new Set<number>();
      const isServed = async () => {
        statuses.add(
          await ask(port).then(
            ({ status }) => status,
            () => 0,
          ),
        );
        return processIn('lb-1/agent.pid').pid !== agent.pid && isAlive(processIn('lb-1/agent.pid'));
      };
      await until('another agent', isServed, limitMs);
      assert.deepEqual([...statuses], [200]);
      assert.ok(isAlive(processIn('controller.pid')), 'it still hangs');
    } finally {
      assert.match(await site.stop(), /Stopped\. Nothing is left running\./);
      mend();
    }
    assert.deepEqual(processesOf(folders.folder), []);
  });

  test('where an earlier up left a site that serves: it goes on, and the controller comes when it can', async () => {
    const apiPort = await freePort();
    const { up: first } = await up([file, '--port', String(apiPort)], folders.env);
    const agent = processIn('lb-1/agent.pid');
    const typed = await type(['agent', '--site', 't', '--balancer', 'lb-1'], { env: folders.env }).ended;
    assert.match(typed.err, new RegExp(`process ${agent.pid} already is`), 'by hand, by mistake');
    assert.deepEqual(processIn('lb-1/agent.pid'), agent);
    rmSync(join(folders.env.HOLDFAST_RUN, 't/lb-1/agent.pid'));
    await until(
      'that it ends, and another one comes',
      async () => !isAlive(agent) && isAlive(processIn('lb-1/agent.pid')),
      limitMs,
    );
    const controller = processIn('controller.pid');
    first.child.kill('SIGKILL');
    process.kill(controller.pid, 'SIGKILL');
    await first.ended;
    const other = createServer();
    await until('the port', async () => {
      other.listen(apiPort, '127.0.0.1');
      await once(other, 'listening');
      return true;
    });
    const next = type(['up', file, '--port', String(apiPort)], { env: folders.env });
    try {
      await until('its words', async () => next.out().includes('the site goes on, not all of it'), limitMs);
      assert.equal((await ask(port)).status, 200);
      other.close();
      const isBack = async () =>
        isAlive(processIn('controller.pid')) && (await fetch(`http://127.0.0.1:${apiPort}/health`)).ok;
      await until('the controller', isBack, limitMs);
    } finally {
      other.close();
      next.child.kill('SIGINT');
      await next.ended;
    }
    assert.deepEqual(processesOf(folders.folder), []);
  });

  test('because it hangs, at the start of the site: Ctrl-C ends it, too', async () => {
    hangStarts(folders);
    const typed = type(['up', file, '--port', '0'], { env: folders.env });
    const started = () => processesOf(folders.folder).some((line) => line.includes('holder'));
    await until(
      'what starts',
      async () => typed.out().includes('starting the controller') && started(),
      limitMs,
    );
    typed.child.kill('SIGINT');
    const { exit, out, err } = await typed.ended;
    assert.equal(exit, 0, `${out}${err}`);
    assert.match(out, /Stopped\. Nothing is left running\./);
    assert.deepEqual(processesOf(folders.folder), []);
  });
});

test('a start that takes too long is killed, told with its log, and tried again with more time', async () => {
  const folders = makeFolders();
  const mend = hangStarts(folders);
  Object.assign(process.env, folders.env);
  const paths = sitePaths('t');
  const [pidFile, logFile] = [join(paths.run, 'controller.pid'), join(paths.run, 'controller.log')];
  const plan: ChildPlan = {
    name: 'the controller',
    process: 'the controller',
    args: ['controller', '--site', 't', '--port', '0', '--balancer', 'lb-1'],
    pidFile,
    logFile,
    ask: askController(paths),
    silencesMax: 1_000,
  };
  const stopping = new AbortController();
  const supervised = supervise([plan], { paths, stopping: stopping.signal, startMsMax: 200 });
  try {
    const left = () => readdirSync(join(paths.run, 'replaced'));
    await until('a second that was killed', async () => left().length >= 2, limitMs);
    const [first = ''] = left();
    assert.match(readFileSync(join(paths.run, 'replaced', first), 'utf8'), /did not start within/);
    mend();
    await until('one that starts', async () => (await plan.ask(1_000)) === 'answers', limitMs);
    await until('its word', async () => left().every((name) => name.endsWith('.told')), limitMs);
  } finally {
    stopping.abort();
    await supervised;
    const pid = runningPid(pidFile);
    if (pid !== null) process.kill(pid, 'SIGTERM');
    await untilGone([pidFile], 20_000);
    folders.remove();
  }
});
