import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '#base';
import type { EngineControl, PublicSide } from '#engines';
import { sideDriver } from '../../src/agent/holder/side.ts';
import { until } from '../world/stack.ts';

/** An engine of which only the public side is asked; `fails` calls are rejected before it follows. */
function engine({ fails = 0 } = {}): EngineControl & { readonly calls: string[]; side: PublicSide } {
  let left = fails;
  const follow = (side: PublicSide) => async () => {
    made.calls.push(side);
    await null;
    left -= 1;
    if (left >= 0) throw new Error('it did not follow in time');
    made.side = side;
  };
  const made = {
    calls: [] as string[],
    side: 'parked' as PublicSide,
    park: follow('parked'),
    resume: follow('accepting'),
  };
  return made as unknown as EngineControl & typeof made;
}

test('an engine that did not follow in time is told again until it does', async () => {
  const control = engine({ fails: 2 });
  const side = sideDriver(control, 'parked', systemClock);
  await assert.rejects(side.want('accepting'), /did not follow/);
  await until('it accepts', async () => control.side === 'accepting', 2_000);
  assert.deepEqual(control.calls, ['accepting', 'accepting', 'accepting']);
});

test('it is not told again once something else is wanted, nor when it has ended', async () => {
  const control = engine({ fails: 1 });
  const side = sideDriver(control, 'parked', systemClock);
  await assert.rejects(side.want('accepting'));
  await side.want('parked');
  side.end();
  const ended = engine({ fails: 1 });
  const gone = sideDriver(ended, 'parked', systemClock);
  await assert.rejects(gone.want('accepting'));
  gone.end();
  await new Promise((resolve) => setTimeout(resolve, 120));
  assert.deepEqual(control.calls, ['accepting', 'parked']);
  assert.deepEqual(ended.calls, ['accepting']);
});

test('a wish that comes while the engine is led is fulfilled, at whatever moment it comes', async () => {
  for (let steps = 0; steps < 12; steps += 1) {
    const control = engine();
    const side = sideDriver(control, 'parked', systemClock);
    const first = side.want('accepting');
    for (let step = 0; step < steps; step += 1) await null;
    await side.want('parked');
    await first;
    assert.equal(control.side, 'parked', `after ${steps} steps`);
  }
});
