/** `node run-replay.ts FOLDER`: one arm of the replay as a program of its own, for tests that end it from outside. */
import { jsonLog } from '#base';
import { runHoldfast } from '../../src/main/replay/holdfast.ts';

const [folder = ''] = process.argv.slice(2);
try {
  const forced = { forcedBecause: 'a test', net: true, withPostmortem: true };
  await runHoldfast({
    name: 'forced',
    folder,
    rate: 50,
    engine: 'builtin',
    ...forced,
    log: jsonLog('replay'),
  });
} catch (error) {
  process.stderr.write(`${error}\n`);
  process.exitCode = 1;
}
