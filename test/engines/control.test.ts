/** What the controls of every engine do alike, with its real processes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { engineNames } from '#model';
import { askEntrance } from '#probe';
import { ask, keptAlive } from '../world/ask.ts';
import { type EngineWorld, everyEngineWorld } from '../world/engines.ts';
import { type Generation, until } from '../world/haproxy.ts';
import { poolOf, siteOf } from '../world/sites.ts';

/** For a machine that is out of breath. */
const patientMs = 20_000;
const request = {
  method: 'GET',
  scheme: 'http',
  host: 'shop.example',
  port: 80,
  path: '/',
  query: '',
  headers: {},
} as const;

for (const name of engineNames)
  describe(name, () => {
    let world: EngineWorld;
    before(async () => {
      world = await everyEngineWorld[name]();
    });
    after(() => world.close());

    /** Its one server answers with its name. */
    async function started(named: string, parked = false): Promise<Generation & { readonly port: number }> {
      const http = await world.socket();
      const server = await world.server('web-1');
      const site = siteOf({ pools: [poolOf('web', [server.port])] });
      const generation = await world.start(site, { name: named, sockets: { http }, parked });
      return { ...generation, port: http.port };
    }

    test('a generation that starts parked takes no connection until it is resumed', async () => {
      const { control, port } = await started('parked', true);
      await until('it is parked', async () => (await control.state(patientMs)) === 'parked');
      const waiting = ask(port, { timeoutMs: patientMs });
      assert.equal(await Promise.race([waiting.then(() => 'answered'), sleep(100, 'waiting')]), 'waiting');
      await control.resume(patientMs);
      assert.equal(await control.state(patientMs), 'accepting');
      assert.equal((await waiting).body, 'web-1');
    });

    test('parks and resumes 200 times, each read back, and connections made meanwhile lose nothing', async () => {
      const { control, port, said } = await started('cycles');
      const before = said();
      const kept = keptAlive(port);
      let over = false;
      const load = async (once: () => Promise<{ status: number }>) => {
        let answered = 0;
        while (!over) {
          assert.equal((await once()).status, 200);
          answered += 1;
        }
        return answered;
      };
      const options = { timeoutMs: patientMs };
      const loads = [load(() => ask(port, options)), load(() => kept.ask(options))];
      for (let cycle = 0; cycle < 200; cycle += 1) {
        await control.park(patientMs);
        assert.equal(await control.state(patientMs), 'parked');
        await control.resume(patientMs);
        assert.equal(await control.state(patientMs), 'accepting');
      }
      over = true;
      for (const answered of await Promise.all(loads)) assert.ok(answered > 0);
      kept.close();
      assert.equal(said(), before, 'parking writes nothing to the log of the process');
      assert.deepEqual(await control.errors(10, patientMs), []);
    });

    test('the entrance answers while the public side is parked, and is no public side', async () => {
      const { control, entrance } = await started('entrance', true);
      const answer = await askEntrance(entrance, request, patientMs);
      assert.equal(answer.body, 'web-1');
      await until('it is parked', async () => (await control.state(patientMs)) === 'parked');
      await until('it is counted', async () => (await control.evidence(patientMs)).entranceRequests === 1);
      assert.equal((await control.evidence(patientMs)).requests, 0);
    });

    test('drain lets what is under way finish, then every process ends', async () => {
      const http = await world.socket();
      let finish = () => {};
      let underWay = false;
      const server = await world.server('slow', (_request, response) => {
        finish = () => response.end('slow');
        response.flushHeaders();
        underWay = true;
      });
      const site = siteOf({ pools: [poolOf('web', [server.port])] });
      const { control, ended, pid } = await world.start(site, { name: 'drain', sockets: { http } });
      const own = [pid, ...childrenOf(pid)];
      const answer = ask(http.port, { timeoutMs: patientMs });
      await until('the request is under way', () => underWay);
      await control.park(patientMs);
      await control.drain(patientMs);
      finish();
      assert.equal((await answer).body, 'slow');
      await ended();
      await until('all are gone', () => !own.some(isThere));
      await assert.rejects(control.resume(200));
      await assert.rejects(control.drain(200));
    });

    test('every call to a hung engine rejects in its time, and it answers again once it goes on', async () => {
      const { control, pid } = await started('hung');
      const own = childrenOf(pid);
      const all = name === 'nginx' ? own : [pid, ...own];
      for (const one of all) process.kill(one, 'SIGSTOP');
      try {
        await until('all are stopped', () => all.every(isStopped));
        const calls = [
          () => control.state(100),
          () => control.net(false, 100),
          () => control.evidence(100),
          () => control.servers(100),
          () => control.errors(5, 100),
        ];
        const needsItsHelp = [
          () => control.park(100),
          () => control.resume(100),
          () => control.takeBack(true, 100),
        ];
        for (const call of name === 'nginx' ? calls : [...calls, ...needsItsHelp]) {
          const began = performance.now();
          await assert.rejects(call(), /within/);
          assert.ok(performance.now() - began < patientMs);
        }
        // NGINX is parked from outside, and needs nobody's help for that.
        if (name === 'nginx') await control.park(patientMs);
      } finally {
        for (const one of all) process.kill(one, 'SIGCONT');
      }
      await control.park(patientMs);
      await until('it answers', async () => (await control.state(patientMs)) === 'parked');
    });

    test('a control of a process that has ended rejects and does not hang', async () => {
      const { control, pid, ended } = await started('ended');
      const own = childrenOf(pid);
      process.kill(pid, 'SIGKILL');
      await ended();
      for (const one of own) endNow(one);
      await until('all are gone', () => own.every((one) => !isThere(one)));
      await assert.rejects(control.state(200));
      await assert.rejects(control.park(200));
      await assert.rejects(control.evidence(200));
      await assert.rejects(control.drain(200));
    });
  });

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

/** The state stands behind the name, which may hold anything. */
function stateOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[0];
  } catch {
    return undefined;
  }
}

const isStopped = (pid: number) => stateOf(pid) === 'T';
const isThere = (pid: number) => ![undefined, 'Z'].includes(stateOf(pid));

function endNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It followed its main process.
  }
}
