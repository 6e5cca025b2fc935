import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ApiLocation, identify, type ProcessIdentity } from '#base';
import type { StatusView } from '#contract';
import { ask } from '../world/ask.ts';
import { startLoadProcess, usualLoad } from '../world/load.ts';
import { type Origin, startOrigin } from '../world/origins.ts';
import { patientCheck, shopText } from '../world/shop.ts';
import { freePort, until } from '../world/stack.ts';
import { parseUnit, type Unit, unitOf } from '../world/systemd.ts';

const text = readFileSync(join(import.meta.dirname, '../../packaging/systemd/holdfast.service'), 'utf8');
const startMsMax = 80_000;

interface Machine {
  readonly unit: Unit;
  readonly http: number;
  status(): Promise<StatusView>;
  /** Resolves when the site is served with a way back. */
  untilServing(): Promise<void>;
  engines(): Promise<string>;
  pidIn(file: string): number;
  close(): Promise<void>;
}

async function machine(unitText: string, origin: Origin): Promise<Machine> {
  const folder = mkdtempSync(join(tmpdir(), 'hf-unit-'));
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'etc/holdfast'), { recursive: true });
  const http = await freePort();
  const servers = [{ name: 'one', port: origin.port }];
  writeFileSync(
    join(folder, 'etc/holdfast/site.yaml'),
    shopText({ http, https: null, engine: 'haproxy', servers, healthCheck: patientCheck }, folder),
  );
  writeFileSync(join(folder, 'etc/holdfast/environment'), 'HOLDFAST_PORT=0\n');
  const unit = unitOf(parseUnit(unitText), folder);
  const run = join(folder, 'run/holdfast/t');

  async function status(): Promise<StatusView> {
    const { url, token } = JSON.parse(readFileSync(join(run, 'api.json'), 'utf8')) as ApiLocation;
    const answer = await fetch(`${url}/v1/status`, { headers: { authorization: `Bearer ${token}` } });
    return (await answer.json()) as StatusView;
  }
  const generations = async () =>
    (await status()).balancers.flatMap((one) => ('generations' in one ? one.generations : []));
  return {
    unit,
    http,
    status,
    async untilServing() {
      await until(
        'the site',
        async () => {
          const roles = (await generations()).map((g) => `${g.role} ${g.state}`).toSorted();
          return roles.join() === 'active accepting,standby parked' && identify(unit.mainPid()) !== null;
        },
        startMsMax,
      ).catch((error) => {
        throw new Error(`${error}\n${unit.said()}`);
      });
    },
    engines: async () =>
      (await generations())
        .map((g) => g.pid)
        .toSorted()
        .join(),
    pidIn: (file) => (JSON.parse(readFileSync(join(run, file), 'utf8')) as ProcessIdentity).pid,
    async close() {
      await unit.stop();
      for (const pid of unit.group()) process.kill(pid, 'SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Requests all the while, on new and on open connections; resolves to what failed. */
async function underLoad(port: number, work: () => Promise<void>): Promise<string[]> {
  const usual = { ...usualLoad, port, hostname: 'shop.example', ratePerSecond: 150, expectBody: 'web' };
  const loads = await Promise.all(
    (['new', 'kept'] as const).map((kind) => startLoadProcess({ ...usual, kind })),
  );
  try {
    await work();
    // What comes back fast must be seen to go on.
    await until('requests enough to judge', async () => {
      const counts = await Promise.all(loads.map((load) => load.counts()));
      return counts.every(({ ended }) => ended > 100);
    });
    const results = await Promise.all(loads.map((load) => load.stop()));
    const records = results.flatMap((result) => result.records);
    return records.filter((r) => r.outcome !== 'ok').map((r) => `${r.outcome} ${r.status ?? r.detail}`);
  } finally {
    for (const load of loads) load.kill();
  }
}

describe('holdfast.service, its rules applied without systemd', () => {
  let origin: Origin;
  let host: Machine;

  before(async () => {
    origin = await startOrigin({ name: 'web' });
    host = await machine(text.replace('WatchdogSec=60s', 'WatchdogSec=20s'), origin);
    await host.unit.start();
    await host.untilServing();
  });
  after(async () => {
    await host.close();
    await origin.close();
  });

  test('the main process is killed: it is started again and takes up everything, and no request fails', async () => {
    const [main, engines, starts] = [host.unit.mainPid(), await host.engines(), host.unit.starts()];
    const failed = await underLoad(host.http, async () => {
      process.kill(main, 'SIGKILL');
      await until(
        'a new main process',
        async () => host.unit.starts() === starts + 1 && host.unit.mainPid() !== main,
      );
      await until('that it is up', async () => host.pidIn('up.pid') === host.unit.mainPid());
      await host.untilServing();
    });
    assert.deepEqual(failed, []);
    assert.equal(await host.engines(), engines);
  });

  test('the main process hangs: it is killed and started again, and the site goes on', async () => {
    const [main, engines, starts] = [host.unit.mainPid(), await host.engines(), host.unit.starts()];
    const statuses = new Set<number>();
    process.kill(main, 'SIGSTOP');
    await until(
      'a new main process that is up',
      async () => {
        statuses.add(
          await ask(host.http).then(
            ({ status }) => status,
            () => 0,
          ),
        );
        return host.unit.starts() > starts && host.pidIn('up.pid') === host.unit.mainPid();
      },
      startMsMax,
    );
    await host.untilServing();
    assert.deepEqual([...statuses], [200]);
    assert.notEqual(host.unit.mainPid(), main);
    assert.equal(await host.engines(), engines);
    assert.match(text, /^WatchdogSec=60s$/m);
  });

  test('restart: the main process is another, engines, holder, agent and controller are the same', async () => {
    const files = ['lb-1/holder.pid', 'lb-1/agent.pid', 'controller.pid'];
    const pids = () => files.map(host.pidIn).join();
    const [main, engines, others] = [host.unit.mainPid(), await host.engines(), pids()];
    const failed = await underLoad(host.http, async () => {
      await host.unit.restart();
      await until('that it is up', async () => host.pidIn('up.pid') === host.unit.mainPid());
      await host.untilServing();
    });
    assert.deepEqual(failed, []);
    assert.notEqual(host.unit.mainPid(), main);
    assert.equal(await host.engines(), engines);
    assert.equal(pids(), others);
  });

  for (const file of ['controller.pid', 'lb-1/agent.pid', 'lb-1/holder.pid'])
    test(`out of memory, the process of ${file}: only it is replaced`, async () => {
      const [main, engines, killed] = [host.unit.mainPid(), await host.engines(), host.pidIn(file)];
      const failed = await underLoad(host.http, async () => {
        await host.unit.outOfMemory(killed);
        await until(
          'another one',
          async () => host.pidIn(file) !== killed && identify(host.pidIn(file)) !== null,
          startMsMax,
        );
        await host.untilServing();
      });
      assert.deepEqual(failed, []);
      assert.equal(host.unit.mainPid(), main);
      assert.equal(await host.engines(), engines);
    });

  test('stop: the site ends in order and leaves nothing', async () => {
    assert.ok(host.unit.group().length >= 6, 'main, controller, agent, holder, two engines');
    await host.unit.stop();
    assert.deepEqual(host.unit.group(), []);
    assert.match(host.unit.said(), /Stopped\. Nothing is left running\.\n$/);
  });
});

test('with KillMode=control-group the engines would share the fate of the main process', async () => {
  const origin = await startOrigin({ name: 'web' });
  const fatal = text
    .replace('KillMode=process', 'KillMode=control-group')
    .replace('Restart=always', 'Restart=no');
  assert.notEqual(fatal, text);
  const host = await machine(fatal, origin);
  try {
    await host.unit.start();
    await host.untilServing();
    const engines = (await host.engines()).split(',').map(Number);
    process.kill(host.unit.mainPid(), 'SIGKILL');
    await until('the engines are gone', async () => engines.every((pid) => identify(pid) === null));
  } finally {
    await host.close();
    await origin.close();
  }
});

test('a rule that is not known is refused, not skipped', () => {
  assert.throws(() => parseUnit('[Service]\nPrivateTmp=yes\n'), /PrivateTmp/);
});
