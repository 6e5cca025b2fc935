/** `adopt` and `release` are killed with SIGKILL at any moment, not only at their named steps. */
import assert from 'node:assert/strict';
import { messageOf } from '#base';
import { type Adopted, release } from '../../test/world/adopted.ts';
import { begun, finishedByAdopt, handedBack } from '../../test/world/cut-off.ts';
import { seededRandom } from '../../test/world/random.ts';
import type { Manner } from '../../test/world/theirs.ts';
import { type as typed } from '../../test/world/up.ts';
import type { Proof } from '../proof.ts';

/** As long as each takes on a machine with room; what is killed later than its end has ended. */
const adoptMsMax = 5_000;
const releaseMsMax = 5_000;
const manners = ['haproxy -W', 'haproxy -db', 'nginx'] as const satisfies readonly Manner[];
const wait = ['--wait', '2'] as const;

interface Moment {
  readonly manner: Manner;
  readonly adoptMs: number;
  /** What is typed after it was killed. */
  readonly next: 'adopt' | 'release';
  readonly releaseMs: number;
}

export async function moments(proof: Proof, seed: number, rounds: number): Promise<void> {
  proof.say(`Killed at random moments, under load; again with --seed=${seed}`);
  const random = seededRandom(seed);
  for (let round = 0; round < rounds; round += 1) {
    const moment: Moment = {
      manner: manners[random.integer(manners.length)] ?? 'nginx',
      adoptMs: random.integer(adoptMsMax),
      next: random.integer(3) === 0 ? 'release' : 'adopt',
      releaseMs: random.integer(releaseMsMax),
    };
    const failed = await killedAt(moment).then(
      () => '',
      (error) => messageOf(error),
    );
    const { manner, adoptMs, next, releaseMs } = moment;
    const then = next === 'adopt' ? `adopt again, release after ${releaseMs} ms` : 'release';
    const is = failed === '' ? 'whole' : 'not';
    proof.holds(`${manner}: adopt after ${adoptMs} ms, then ${then}`, is, 'whole', failed === '');
    if (failed !== '') proof.say(failed);
  }
}

/** No request fails on the way, and in the end the team's engine serves, once, with nothing of ours beside it. */
async function killedAt({ manner, adoptMs, next, releaseMs }: Moment): Promise<void> {
  await begun(manner, async (theirs, first) => {
    await pause(adoptMs);
    first.adopt.child.kill('SIGKILL');
    await first.adopt.ended;
    if (next === 'release') {
      await releaseAnything(first);
      return await handedBack(theirs, first);
    }
    const again = await finishedByAdopt(theirs, first);
    const cut = typed(['release', ...wait], { env: first.folders.env });
    await pause(releaseMs);
    cut.child.kill('SIGKILL');
    const { exit } = await cut.ended;
    if (exit !== 0) await releaseAnything(again);
    await handedBack(theirs, again);
  });
}

/** Where nothing had begun, or all had ended, that is said. */
async function releaseAnything(adopted: Adopted): Promise<void> {
  const { exit, out, err } = await adopted.typed('release', ...wait);
  if (exit === 0) return;
  assert.match(err, /HF\d{3}/, out);
  // Then a holder that was told nothing ends by itself.
  if (!/ was(?: not)? adopted/.test(err)) await release(adopted, ...wait);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
