import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { unitOf } from '../../src/agent/adopt/service.ts';
import { type Adopted, adoptArgs, adoptedBy, siteName, untilAdopted } from '../world/adopted.ts';
import { ask } from '../world/ask.ts';
import { startOrigin } from '../world/origins.ts';
import { canManage, type ServiceManager, startServiceManager, unitFolder } from '../world/service-manager.ts';
import { until } from '../world/stack.ts';
import { type Manner, startTheirs, type Theirs } from '../world/theirs.ts';
import { underLoad } from '../world/under-load.ts';
import { makeFolders, type as typed } from '../world/up.ts';

const options = { skip: canManage() ? false : 'no control groups can be made here' };

/** Debian's unit, at other places: by the variables that it offers, or by its own words. */
function unitText(name: 'haproxy' | 'nginx', { file, folder }: Theirs): string {
  const text = readFileSync(join(unitFolder, `${name}.service`), 'utf8');
  if (name === 'haproxy')
    return `${text}\n[Service]\nEnvironment="CONFIG=${file}" "PIDFILE=${folder}/pid" "EXTRAOPTS=-S ${folder}/master.sock"\n`;
  return text
    .replaceAll('/usr/sbin/nginx ', `/usr/sbin/nginx -p ${folder} -c ${file} `)
    .replaceAll('/run/nginx.pid', join(folder, 'nginx.pid'));
}

interface Serviced {
  readonly theirs: Theirs;
  readonly manager: ServiceManager;
  /** Nothing yet: it was only typed. */
  adopt(): Adopted;
  /** `holdfast ARGS` on the machine of the service. */
  typed(...args: string[]): Promise<string>;
}

async function withService(
  name: 'haproxy' | 'nginx',
  textOf: (theirs: Theirs, env: Readonly<Record<string, string>>) => string,
  use: (serviced: Serviced) => Promise<void>,
): Promise<void> {
  const origin = await startOrigin({ name: 'web-1' });
  const manner: Manner = name === 'nginx' ? 'nginx' : 'haproxy -W';
  const theirs = await startTheirs({
    manner,
    origins: [{ name: 'web-1', port: origin.port }],
    isService: true,
  });
  const folders = makeFolders();
  const place = mkdtempSync(join(tmpdir(), 'hf-unit-'));
  const { env } = folders;
  const text = textOf(theirs, env);
  const manager = await startServiceManager({ unit: `${name}.service`, text, folder: place });
  let adopted: Adopted | null = null;
  const on = manager.machine;
  try {
    await use({
      theirs,
      manager,
      adopt() {
        adopted = adoptedBy(typed(adoptArgs(theirs, '--wait', '2'), { env, on }), folders);
        return adopted;
      },
      async typed(...args) {
        const { exit, out, err } = await typed(args, { env, on }).ended;
        assert.equal(exit, 0, `${args.join(' ')}: ${out}${err}`);
        return out;
      },
    });
  } finally {
    await (adopted as Adopted | null)?.close();
    await manager.close();
    await theirs.close();
    await origin.close();
    folders.remove();
    rmSync(place, { recursive: true, force: true });
  }
}

test('haproxy.service is adopted, does not come back by itself, and is handed back', options, async () => {
  await withService(
    'haproxy',
    (theirs) => unitText('haproxy', theirs),
    async (serviced) => {
      const { theirs, manager } = serviced;
      assert.deepEqual(await manager.systemctl('start', 'haproxy'), { exit: 0, said: '' });
      assert.equal(unitOf(manager.mainPid()), 'haproxy.service');
      assert.deepEqual(await manager.systemctl('reload', 'haproxy'), { exit: 0, said: '' });
      await until('an answer', async () => (await ask(theirs.http)).status === 200);
      await underLoad(theirs, async () => {
        const adopted = serviced.adopt();
        await untilAdopted(adopted);
        assert.match(adopted.adopt.out(), /service {5}haproxy\.service/);
        await until('its end', async () => manager.state() === 'inactive');
        assert.equal(manager.starts(), 1, 'Restart=always did not bring it back');

        // Somebody starts it beside ours: it gets nothing, and the command that ends it is told.
        assert.equal((await manager.systemctl('start', 'haproxy')).exit, 0);
        const command = 'systemctl disable --now haproxy.service';
        await until('it is named', async () => adopted.adopt.out().includes(`end it: ${command}`));
        await manager.systemctl(...command.split(' ').slice(1));
        await until('it is gone', async () =>
          adopted.adopt.out().includes('nobody listens beside ours any more'),
        );

        assert.match(await serviced.typed('release', '--wait', '2'), /no process of Holdfast is left/);
        assert.equal(manager.state(), 'active');
        assert.deepEqual(adopted.ours(), []);
        // Its own way of ending is back.
        assert.deepEqual(await manager.systemctl('daemon-reload'), { exit: 0, said: '' });
      });
      assert.equal((await ask(theirs.http)).body, 'web-1\n');
    },
  );
});

test(
  'nginx.service is adopted, cannot start beside ours, and is what a boot without Holdfast starts',
  options,
  async () => {
    await withService(
      'nginx',
      (theirs) => unitText('nginx', theirs),
      async (serviced) => {
        const { theirs, manager } = serviced;
        assert.equal((await manager.systemctl('start', 'nginx')).exit, 0);
        await until('an answer', async () => (await ask(theirs.http)).status === 200);
        let adopted: Adopted | null = null;
        await underLoad(theirs, async () => {
          adopted = serviced.adopt();
          await untilAdopted(adopted);
          await until('its end', async () => manager.state() === 'inactive');
          assert.notEqual((await manager.systemctl('start', 'nginx')).exit, 0, 'the address is ours');
        });
        const { ours } = adopted as unknown as Adopted;
        await until('the end of ours', async () => {
          for (const pid of ours()) process.kill(pid, 'SIGKILL');
          return ours().length === 0;
        });
        manager.forgetRun();
        assert.equal((await manager.systemctl('start', 'nginx')).exit, 0);
        assert.equal((await ask(theirs.http)).body, 'web-1\n');
      },
    );
  },
);

test('a unit whose reload is holdfast apply: its exit status is the reload’s', options, async () => {
  const text = (theirs: Theirs, env: Readonly<Record<string, string>>) => `[Service]
Type=exec
Environment=HOLDFAST_RUN=${env.HOLDFAST_RUN} HOLDFAST_STATE=${env.HOLDFAST_STATE}
ExecStart=/usr/bin/holdfast adopt ${theirs.file} --name ${siteName} --port 0 --wait 2
ExecReload=/usr/bin/holdfast apply ${theirs.file}
KillMode=mixed
`;
  await withService('haproxy', text, async ({ theirs, manager }) => {
    await theirs.start();
    await manager.systemctl('start', 'haproxy');
    await until('the adoption', async () => theirs.processes().length === 0, 120_000);
    const reload = async (written: string) => {
      writeFileSync(theirs.file, written);
      return (await manager.systemctl('reload', 'haproxy')).exit;
    };
    await until('its reload with what runs', async () => (await reload(theirs.text)) === 0, 120_000);
    assert.equal(await reload(`${theirs.text}\nnonsense\n`), 1);
    assert.equal(await reload(theirs.text.replace('timeout check 10s', 'timeout check 11s')), 0);
    assert.equal((await ask(theirs.http)).body, 'web-1\n');
  });
});
