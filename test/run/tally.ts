import type { TestEvent } from 'node:test/reporters';

/** A reporter for Node's test runner: for each file whether its tests `passed`, `failed`, or were `left out` all, one a line. */
async function* tally(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    if (event.type !== 'test:summary' || event.data.file === undefined) continue;
    const { tests, skipped, todo } = event.data.counts;
    const word = !event.data.success ? 'failed' : tests - skipped - todo > 0 ? 'passed' : 'left out';
    yield `${word}\t${event.data.file}\n`;
  }
}

// biome-ignore lint/style/noDefaultExport: Node takes a reporter from its module's default export
export default tally;
