/** A controller's alerting in a process of its own, on a journal on disk: what is killed. Arguments: folder, on-call file. */
import { readFileSync } from 'node:fs';
import { alertOffice, readOnCall } from '#alerting';
import { assert, jsonLog, systemClock } from '#base';
import { openJournal } from '#store';

const [folder = '', file = ''] = process.argv.slice(2);
const clock = systemClock;
const { onCall } = readOnCall(readFileSync(file, 'utf8'), file, clock.now());
assert(onCall, 'the on-call file of the proof is in order');
const journal = await openJournal({ folder, clock });
if (journal.entries().length === 0)
  await journal.append('controller', { kind: 'pipeline.frozen', why: 'c1: errors' });
alertOffice({
  site: 'shop',
  journal,
  clock,
  log: jsonLog('proof'),
  env: process.env,
  random: Math.random,
  settings: () => onCall,
  trouble: () => [],
});
