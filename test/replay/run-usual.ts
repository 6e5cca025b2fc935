/** `node run-usual.ts FOLDER`: the usual stack as a program of its own, for tests that end it from outside. */
import { jsonLog } from '#base';
import { runUsual } from '../../src/main/replay/usual.ts';

const [folder = ''] = process.argv.slice(2);
try {
  await runUsual({ folder, rate: 50, seconds: 60, speed: 'tuned', log: jsonLog('replay') });
} catch (error) {
  process.stderr.write(`${error}\n`);
  process.exitCode = 1;
}
