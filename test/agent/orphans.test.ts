import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { groupMembers } from '#base';
import { nginxEngine } from '#engines';
import { deathSteps, type HeldWorld, heldWorld } from '../world/held.ts';
import { type Origin, startOrigin } from '../world/origins.ts';
import { until } from '../world/stack.ts';

describe('no engine runs that no holder knows', () => {
  let origin: Origin;
  before(async () => {
    origin = await startOrigin({ name: 'good' });
  });
  after(() => origin.close());

  const inWorld = async (world: HeldWorld, body: () => Promise<void>) => {
    try {
      await body();
    } finally {
      await world.close();
    }
  };
  /** Those of which no holder knows anything. */
  const strangers = async ({ status, processes }: HeldWorld) => {
    const { generations } = await status();
    const known = generations.flatMap(({ pid }) => groupMembers(pid));
    return processes().filter((pid) => !known.includes(pid));
  };
  const nobodyLeft = (world: HeldWorld) =>
    until('the end of all engines', async () => world.processes().length === 0);

  // The one that would accept if nobody parked it.
  for (const step of deathSteps)
    test(`the holder is killed when one that starts is ${step}`, async () => {
      const world = await heldWorld(nginxEngine, step);
      await inWorld(world, async () => {
        const spec = await world.prepare(1, 'candidate', origin.port);
        await assert.rejects(world.holder.call('start', spec, 20_000));
        await world.startHolder();
        await until('nobody but who is known', async () => (await strangers(world)).length === 0);
        const held = (await world.status()).generations.map(({ generation }) => generation);
        assert.deepEqual(held, step === 'begun' ? [1] : []);
        await world.holder.call('shutdown', { withinMs: 0 }, 20_000);
        await nobodyLeft(world);
      });
    });

  test('nginx: what a dead master left is ended by the holder that comes after', async () => {
    const world = await heldWorld(nginxEngine);
    await inWorld(world, async () => {
      await world.start(1, 'standby', origin.port);
      await world.holder.call('activate', { generation: 1 });
      process.kill(await world.pidOf(1), 'SIGKILL');
      await until('its workers are seen', async () => (await world.status()).remains?.includes(1));
      const { pid } = await world.status();
      process.kill(pid, 'SIGKILL');
      await world.startHolder();
      assert.ok((await world.status()).remains?.includes(1));
      assert.equal((await world.ask()).status, 200, 'they are better than nobody');
      await world.start(2, 'standby', origin.port);
      await world.holder.call('activate', { generation: 2 });
      await until('their end', async () => (await strangers(world)).length === 0);
      assert.equal((await world.ask()).status, 200);
    });
  });

  test('a holder that ends starts nothing any more', async () => {
    const world = await heldWorld();
    await inWorld(world, async () => {
      await world.start(1, 'standby', origin.port);
      const spec = await world.prepare(2, 'standby', origin.port);
      process.kill(await world.pidOf(1), 'SIGSTOP');
      const ended = world.holder.call('shutdown', { withinMs: 500 }, 20_000);
      await assert.rejects(world.holder.call('start', spec), /is ending/);
      await ended;
      await nobodyLeft(world);
    });
  });
});
