import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { describe, test } from 'node:test';
import { identify } from '#base';
import type { StatusView } from '#contract';
import { findEngine } from '../../src/agent/adopt/find.ts';
import { listeningSockets } from '../../src/agent/adopt/listening.ts';
import { type Adopted, adopt, adoptArgs, release, siteName } from '../world/adopted.ts';
import { ask } from '../world/ask.ts';
import { type Origin, startOrigin } from '../world/origins.ts';
import { until } from '../world/stack.ts';
import { type Manner, startTheirs, type Theirs } from '../world/theirs.ts';
import { underLoad } from '../world/under-load.ts';
import { type as typed } from '../world/up.ts';

interface World {
  readonly theirs: Theirs;
  readonly origin: Origin;
}

async function withTheirs(manner: Manner, use: (world: World) => Promise<void>): Promise<void> {
  const origin = await startOrigin({ name: 'web-1' });
  const theirs = await startTheirs({ manner, origins: [{ name: 'web-1', port: origin.port }] });
  try {
    await use({ theirs, origin });
  } finally {
    await theirs.close();
    await origin.close();
  }
}

async function withAdopted(theirs: Theirs, use: (adopted: Adopted) => Promise<void>): Promise<void> {
  const adopted = await adopt(theirs, '--wait', '2');
  try {
    await use(adopted);
  } finally {
    await adopted.close();
  }
}

const inodesAt = (port: number) =>
  listeningSockets()
    .filter((one) => one.port === port)
    .map(({ inode }) => inode);

/** As a deploy script does it. */
function script({ statistics }: Theirs, command: string): string {
  return execFileSync('socat', ['-t', '20', 'stdio', `UNIX-CONNECT:${statistics}`], {
    input: `${command}\n`,
    encoding: 'utf8',
  });
}

/** The team's scripts go on speaking to the socket that their text names, and are heard by every generation. */
async function ownScripts(theirs: Theirs): Promise<void> {
  await until('the socket of the text', async () => script(theirs, 'show info').includes('Name: HAProxy'));
  assert.equal(statSync(theirs.statistics).mode & 0o777, 0o660);
  assert.equal(script(theirs, 'set server web/web-1 weight 1').trim(), '');
  assert.match(script(theirs, 'get weight web/web-1'), /^\d+ \(initial 1\)/);
  assert.match(script(theirs, 'disable frontend shop'), /Not done by Holdfast/);
}

for (const manner of ['haproxy -W', 'haproxy -db', 'nginx'] as const) {
  test(`${manner} is adopted and handed back on its own sockets, under load`, async () => {
    await withTheirs(manner, async ({ theirs }) => {
      const before = theirs.processes();
      const inode = inodesAt(theirs.http);
      await underLoad(theirs, () =>
        withAdopted(theirs, async (adopted) => {
          await until('the end of the team’s processes', async () =>
            before.every((pid) => identify(pid) === null),
          );
          assert.deepEqual(inodesAt(theirs.http), inode, 'the same socket');
          assert.match(adopted.adopt.out(), /but for \d+ lines:[\s\S]*(?:bind fd@3|nginx.pid)/);
          // The controller fetches what agents recorded twice a second.
          await until('the journal', async () => (await adopted.journalled('adopted')).length > 0, 60_000);
          if (manner !== 'nginx') await ownScripts(theirs);
          const out = await release(adopted, '--wait', '2');
          assert.match(out, /no process of Holdfast is left/);
          await until('the end of ours', async () => adopted.ours().length === 0);
          const found = findEngine({
            dialect: manner === 'nginx' ? 'nginx' : 'haproxy',
            file: theirs.file,
            includes: [],
            addresses: [{ host: '127.0.0.1', port: theirs.http }],
          });
          theirs.knows(found.main.pid);
          if (manner !== 'nginx') assert.match(script(theirs, 'show info'), /^Name: HAProxy/m);
          assert.equal((await ask(theirs.http)).body, 'web-1\n');
        }),
      );
    });
  });
}

describe('what is refused leaves the engine as it was', () => {
  test('a text that is not what runs, an engine that is not there, and a site.yaml', async () => {
    await withTheirs('haproxy -W', async ({ theirs }) => {
      const pids = theirs.processes();
      const refused = async (args: readonly string[]) => {
        const { exit, err } = await typed(args).ended;
        assert.equal(exit, 1, err);
        return err;
      };
      assert.match(await refused(['adopt', 'examples/shop/site.yaml']), /HF005 .* is a site\.yaml/);
      const args = adoptArgs(theirs);
      assert.match(await refused([...args, '--wait', 'soon']), /HF013 --wait/);
      assert.deepEqual(theirs.processes(), pids);
      await theirs.end();
      assert.match(await refused(args), /HF501 nobody listens/);
    });
  });

  test('--dry-run only says what it found', async () => {
    await withTheirs('haproxy -db', async ({ theirs }) => {
      const pids = theirs.processes();
      const { exit, out } = await typed(adoptArgs(theirs, '--dry-run')).ended;
      assert.equal(exit, 0);
      assert.match(out, /found {7}haproxy 2\.\d[\s\S]*Nothing was touched\./);
      assert.deepEqual(theirs.processes(), pids);
    });
  });
});

test('a service that comes back by itself beside the adopted one gets nothing, and is named', async () => {
  await withTheirs('haproxy -db', async ({ theirs }) => {
    await withAdopted(theirs, async (adopted) => {
      const [second, third] = await Promise.all([
        adopted.typed('adopt', theirs.file, '--name', siteName),
        adopted.typed('adopt', theirs.file, '--name', 'other'),
      ]);
      assert.match(second.err, /HF302 shop is already up/);
      assert.match(third.err, /HF50[23] /);
      // What a supervisor does with Restart=always.
      await theirs.start();
      const back = theirs.child().pid ?? 0;
      await until('it is named', async () => adopted.adopt.out().includes(`end it: kill ${back}`), 20_000);
      const before = await requestsOf(adopted);
      for (let i = 0; i < 20; i += 1) assert.equal((await ask(theirs.http)).status, 200);
      assert.equal((await requestsOf(adopted)) - before, 20, 'every request came to ours');
      process.kill(back, 'SIGKILL');
      await until(
        'it is gone',
        async () => adopted.adopt.out().includes('nobody listens beside ours any more'),
        20_000,
      );
      const found = await until('both are in the journal', async () => {
        const all = await adopted.journalled('beside');
        return all.length >= 2 && all;
      });
      assert.ok(found.length >= 2);
    });
  });
});

async function requestsOf(adopted: Adopted): Promise<number> {
  const { out } = await adopted.typed('status', '--json');
  const { balancers } = JSON.parse(out) as StatusView;
  return balancers
    .flatMap((one) => ('generations' in one ? one.generations : []))
    .reduce((sum, g) => sum + g.requests, 0);
}
