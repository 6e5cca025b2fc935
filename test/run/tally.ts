import type { TestEvent } from 'node:test/reporters';

/** A reporter for Node's test runner: the files in which at least one test really ran, one a line. */
async function* tally(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    if (event.type !== 'test:summary' || event.data.file === undefined) continue;
    const { tests, skipped, todo } = event.data.counts;
    if (tests - skipped - todo > 0) yield `${event.data.file}\n`;
  }
}

// biome-ignore lint/style/noDefaultExport: Node takes a reporter from its module's default export
export default tally;
