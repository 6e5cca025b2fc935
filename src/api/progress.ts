import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { Failure } from '#base';
import type { Progress } from '#contract';
import type { Backend } from './backend.ts';

/** Clients and proxies between give up on a stream that is silent for minutes; a bake may last that long. */
const pingEveryMs = 10_000;
/** A reader that falls so many lines behind is let go; it may come back and is told all from the beginning. */
const unreadLinesMax = 1_000;

/** Server-sent events: first what was, then what comes, until the change has ended. @throws Failure HF404 */
export function streamProgress(c: Context, backend: Backend, change: string): Response {
  const unread: Progress[] = [];
  let wake = () => {};
  let gone = false;
  const stop = backend.watch(change, (line) => {
    unread.push(line);
    if (unread.length > unreadLinesMax) gone = true;
    wake();
  });
  if (!stop) throw new Failure('HF404', `there is no change "${change}"`);
  return streamSSE(c, async (stream) => {
    stream.onAbort(() => {
      gone = true;
      wake();
    });
    try {
      while (!gone) {
        const line = unread.shift();
        if (line) {
          await stream.writeSSE({ data: JSON.stringify(line) });
          if (line.kind === 'end') return;
          continue;
        }
        const timer = await new Promise<NodeJS.Timeout | null>((resolve) => {
          const ping = setTimeout(() => resolve(null), pingEveryMs);
          wake = () => resolve(ping);
        });
        if (timer) clearTimeout(timer);
        else await stream.writeSSE({ event: 'ping', data: '' });
      }
    } finally {
      stop();
    }
  });
}
