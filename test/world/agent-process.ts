/** One agent or one holder as a process of its own, for tests and proofs that kill it: `agent-process.ts agent|holder JSON`. */
import { runAgent, runHolder } from '#agent';

const [, , what, json] = process.argv;
const options = JSON.parse(json ?? '{}');
if (what === 'holder') await runHolder(options);
else {
  await runAgent({
    ...options,
    holderCommand: {
      file: process.execPath,
      args: [import.meta.filename, 'holder', JSON.stringify({ folder: options.run })],
      env: {},
    },
  });
}
