import { join } from 'node:path';
import { type Log, messageOf, type SitePaths } from '#base';
import { type OpenTicks, openTicks } from '#store';

/** The numbers over time. Without them everything goes on: null. */
export function ticksOf(paths: SitePaths, log: Log): OpenTicks | null {
  try {
    return openTicks(join(paths.state, 'ticks'));
  } catch (error) {
    log.warn('what is counted is not kept', { why: messageOf(error) });
    return null;
  }
}
