import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adoptArgs, release, siteName } from '../world/adopted.ts';
import { begun, finishedByAdopt, handedBack, saying, stepMsMax } from '../world/cut-off.ts';
import { until } from '../world/stack.ts';
import { type as typed } from '../world/up.ts';

/** More of them, at any moment: `npm run prove:adopt`. */
test('adopt is killed before ours serves, and the next one begins anew', async () => {
  await begun('haproxy -W', async (theirs, first) => {
    await saying(first, '1 of 4');
    first.adopt.child.kill('SIGKILL');
    const again = await finishedByAdopt(theirs, first);
    for (const file of ['holder.pid', 'agent.pid'])
      process.kill(again.pidIn(`${siteName}/${file}`), 'SIGKILL');
    assert.match((await typed(adoptArgs(theirs), { env: first.folders.env }).ended).err, /HF302/);
    const { exit } = await again.typed('release', '--wait', '2');
    // In the moment that its holder or agent was killed it may have to be told twice.
    if (exit !== 0) await release(again, '--wait', '2');
    await handedBack(theirs, again);
  });
});

test('adopt is killed when ours serves beside the other: status tells it, and release gives everything back', async () => {
  await begun('haproxy -W', async (theirs, first) => {
    const before = theirs.processes();
    await saying(first, '3 of 4');
    first.adopt.child.kill('SIGKILL');
    const said = await until('it is told', async () => {
      const { out } = await first.typed('status');
      return out.includes('CUT OFF') && out;
    });
    assert.match(said, /the adoption was; finish it: holdfast adopt .*haproxy\.cfg/);
    const { exit, out, err } = await first.typed('release', '--wait', '2');
    assert.equal(exit, 0, out + err);
    assert.deepEqual(theirs.processes(), before, 'the engine was never ended');
    await handedBack(theirs, first);
  });
});

test('adopt and release are killed in the middle, and each next one goes on', async () => {
  await begun('nginx', async (theirs, first) => {
    await saying(first, '2 of 4');
    first.adopt.child.kill('SIGKILL');
    const again = await finishedByAdopt(theirs, first);
    const cut = typed(['release', '--wait', '2'], { env: first.folders.env });
    await until('it is started', async () => theirs.processes().length > 0, stepMsMax);
    cut.child.kill('SIGKILL');
    await cut.ended;
    await release(again, '--wait', '2');
    await handedBack(theirs, again);
  });
});
