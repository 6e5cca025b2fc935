/** `npm run bench [-- NAME...] [--json]`: every benchmark, or the named ones, one after the other. What is measured stands in docs/bench.md. */
import { cpus } from 'node:os';
import { type Gathered, gather, type Proof } from '../proofs/proof.ts';
import { byHand } from './by-hand.ts';
import { enginesSideBySide } from './engines.ts';
import { forcedBadChange } from './forced-bad-change.ts';
import { haproxyOverhead } from './haproxy-overhead.ts';
import { idle } from './idle.ts';
import { lift } from './lift.ts';
import { loadText } from './measure.ts';
import { rollback } from './rollback.ts';
import { websockets } from './websockets.ts';
import { workersSideBySide } from './workers.ts';

const benchmarks: Readonly<Record<string, { readonly what: string; run(proof: Proof): Promise<void> }>> = {
  'haproxy-overhead': { what: 'HAProxy under Holdfast beside the same HAProxy alone', run: haproxyOverhead },
  engines: {
    what: 'the built-in engine beside what else could stand there, one thread each',
    run: enginesSideBySide,
  },
  workers: {
    what: 'the built-in engine with one, two and four processes beside http-proxy-3',
    run: workersSideBySide,
  },
  rollback: { what: 'from the decision to the last bad answer, 1,000 requests a second', run: rollback },
  'by-hand': {
    what: 'from Enter to the last bad answer, and from Enter to the promotion of a first change',
    run: byHand,
  },
  'forced-bad-change': {
    what: 'all servers unreachable, forced, 1,000 requests a second',
    run: forcedBadChange,
  },
  websockets: { what: 'a switch with 1,000 open WebSockets', run: websockets },
  lift: { what: 'a haproxy.cfg of ten thousand lines: lifted, beside haproxy -c', run: lift },
  idle: { what: 'agent and holder with two generations of HAProxy and no request', run: idle },
};

const args = process.argv.slice(2);
const json = args.includes('--json');
const named = args.filter((arg) => !arg.startsWith('-'));
const unknown = named.filter((name) => !(name in benchmarks));
if (unknown.length > 0) {
  process.stderr.write(
    `no benchmark ${unknown.join(', ')}; there are ${Object.keys(benchmarks).join(', ')}\n`,
  );
  process.exit(1);
}
const say = (line: string) => {
  if (!json) process.stdout.write(`${line}\n`);
};

const machine = `${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`;
say(machine);
const results: (Gathered & { readonly name: string; readonly what: string; readonly load: string })[] = [];
for (const [name, { what, run }] of Object.entries(benchmarks)) {
  if (named.length > 0 && !named.includes(name)) continue;
  const before = loadText();
  say(`\n${name}: ${what}`);
  const gathered = await gather(say, run);
  const load = `${before} before, ${loadText()} after`;
  say(`    in ${gathered.seconds} s; load average ${load}`);
  results.push({ name, what, load, ...gathered });
}
const broken = results.filter((result) => !result.holds);
if (json) process.stdout.write(`${JSON.stringify({ machine, benchmarks: results })}\n`);
else if (broken.length > 0) say(`\nDOES NOT HOLD: ${broken.map(({ name }) => name).join(', ')}`);
process.exit(broken.length === 0 ? 0 : 1);
