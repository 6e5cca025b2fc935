import { systemClock } from '#base';
import { openJournal } from '#store';

/** Appends until it is killed; a line per acknowledged sequence number. */
const folder = process.argv[2] ?? '';
const journal = await openJournal({ folder, clock: systemClock });

async function appendForEver(by: string): Promise<never> {
  for (;;) {
    const { sequence } = await journal.append(by, { kind: 'pipeline.frozen', why: 'x'.repeat(300) });
    process.stdout.write(`${sequence}\n`);
  }
}

await Promise.all(['a', 'b', 'c', 'd', 'e'].map(appendForEver));
