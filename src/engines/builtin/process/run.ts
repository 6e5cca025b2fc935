import type { BuiltinText } from '#dialects';
import { openControls } from './controls.ts';
import { entrancesOf } from './entrances.ts';
import { watchPools } from './generation.ts';
import { openServing } from './serving.ts';
import { obeySignals, surviveErrors } from './signals.ts';

export interface RunOptions {
  readonly parked: boolean;
  say(line: string): void;
}

/** One process. Resolves when the generation serves: its control socket answers last. It then lives until it has drained. */
export async function run(text: BuiltinText, { parked, say }: RunOptions): Promise<void> {
  surviveErrors(say);
  const { generation, doors, drain, handlers } = await openServing(text, {
    entrances: entrancesOf(text).map(({ to, path }) => ({ to, at: { path } })),
    ended() {
      stopChecks();
      controls.close();
      process.exit(0);
    },
  });
  const stopChecks = watchPools(generation);
  if (!parked) await doors.resume();
  const controls = await openControls(text.control, handlers);
  obeySignals(
    {
      park: () => doors.park(),
      resume: () => (generation.draining ? undefined : doors.resume()),
      drain,
      quit: () => process.exit(0),
    },
    say,
  );
}
