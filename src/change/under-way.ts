import { type Clock, Failure } from '#base';
import type { ChangeView } from '#contract';
import type { Stop } from './machine.ts';
import type { Told } from './take-back.ts';

/** The change that has the site for itself, from before it is journalled until it has ended. */
export interface UnderWay {
  readonly by: string;
  readonly file: string;
  readonly since: number;
  /** Null until it is journalled. */
  change: string | null;
  /** For people who approve it: nothing of it is in traffic. */
  waits: boolean;
  stop: Stop | null;
  readonly abort: AbortController;
  ended: Promise<Told> | null;
}

export function underWay(by: string, file: string, since: number, change: string | null = null): UnderWay {
  return { by, file, since, change, waits: false, stop: null, abort: new AbortController(), ended: null };
}

/** The second of two is told which change is ahead of it, how far that is and whose. */
export function aheadOf(
  { by, file, since }: UnderWay,
  view: Pick<ChangeView, 'id' | 'file' | 'state'> | null,
  clock: Clock,
): Failure {
  const seconds = Math.max(0, Math.round((clock.now() - since) / 1000));
  const what = view
    ? `change ${view.id} of ${view.file} is ${view.state}`
    : `a change of ${file} is being read`;
  return new Failure(
    'HF108',
    `${what}, proposed by ${by} ${seconds} s ago`,
    view
      ? `Wait for it (\`holdfast changes ${view.id}\`), or take it back: \`holdfast rollback\`.`
      : 'Wait for it, then run the command again.',
  );
}
