import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { waitedMs } from '../../src/agent/out-of-breath.ts';
import { answers } from '../../src/agent/proof.ts';
import { simulatedClock } from '../world/clock.ts';

/** An engine that answers at the nth time it is asked; each time costs half a second, of which it waits for a processor. */
function engine(answersAt: number, waitsMs: number) {
  const clock = simulatedClock();
  let [asked, waited] = [0, 0];
  const control = {
    async state(timeoutMs: number) {
      asked += 1;
      waited += waitsMs;
      if (asked >= answersAt) return 'accepting' as const;
      await clock.pass(timeoutMs);
      throw new Error('no answer');
    },
  };
  return { answers: () => answers(control, clock, () => waited), asked: () => asked };
}

test('one that hangs is silent at once', async () => {
  const hung = engine(2, 0);
  assert.equal(await hung.answers(), false);
  assert.equal(hung.asked(), 1);
});

test('one that gets no processor is given time', async () => {
  const slow = engine(4, 300);
  assert.equal(await slow.answers(), true);
  assert.equal(slow.asked(), 4);
});

test('but not for ever', async () => {
  const gone = engine(1_000, 300);
  assert.equal(await gone.answers(), false);
  assert.ok(gone.asked() < 20);
});

test('who sleeps waits for no processor, and who has ended neither', async () => {
  const child = spawn('/bin/sh', ['-c', 'sleep 600 & wait'], { detached: true });
  const pid = child.pid ?? 0;
  try {
    const before = waitedMs(pid);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.ok(waitedMs(pid) - before < 100, 'a sleeper waits for its clock');
    assert.ok(waitedMs(process.pid) > 0);
  } finally {
    process.kill(-pid, 'SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
  }
  assert.equal(waitedMs(pid), 0);
});
