import { type ChangeState, finalStates, type JournalEntry, type TakeBack } from '#events';
import type { Family } from './metrics.ts';

/** What became of changes, summed up over the whole journal: a restart of the controller begins nothing anew. */
export interface ChangeTotals {
  journalled(entry: JournalEntry): void;
  families(): readonly Family[];
}

type Counts = Map<string, number>;

export function changeTotals(): ChangeTotals {
  const outcomes: Counts = new Map(finalStates.map((state) => [state, 0]));
  const gates: Counts = new Map();
  const gateMs: Counts = new Map();
  const takeBacks: Counts = new Map();
  const takeBackMs: Counts = new Map();
  let last: { readonly state: ChangeState; readonly at: number } | null = null;
  let highest = 0;

  return {
    journalled({ sequence, at, event }) {
      // Whoever opens the journal again reads it again.
      if (sequence <= highest) return;
      highest = sequence;
      if (event.kind === 'change.gate') {
        const { gate, verdict, tookMs } = event.report;
        one(gates, `${gate}\n${verdict}`);
        gateMs.set(gate, tookMs);
      }
      if (event.kind === 'change.state' && finalStates.includes(event.state)) {
        one(outcomes, event.state);
        // One that gave way to another, or waited in vain, says nothing of what a change can do here.
        if (event.state !== 'superseded' && event.state !== 'abandoned') last = { state: event.state, at };
      }
      if (event.kind !== 'guard.acted' || event.record.what.kind !== 'tookBack') return;
      const { takeBack } = event.record.what;
      one(takeBacks, `${event.record.balancer}\n${takeBack.evidence.cause}`);
      takeBackMs.set(event.record.balancer, tookMs(takeBack));
    },
    families: () => [
      ...countedAndTimed('holdfast_gate', ['gate', 'verdict'], gates, gateMs, {
        count: 'Answers of gates: plan, rehearsal, canary and the others.',
        duration: 'How long the newest answer of the gate took.',
      }),
      {
        name: 'holdfast_changes_total',
        kind: 'counter',
        help: 'Changes that ended, by how.',
        samples: [...outcomes].map(([outcome, count]) => [{ outcome }, count] as const),
      },
      ...countedAndTimed('holdfast_rollback', ['balancer', 'cause'], takeBacks, takeBackMs, {
        count: 'Candidates that were taken back, by what spoke against them.',
        duration: 'From the decision to the newest one until the public side was read back as it should be.',
      }),
      {
        name: 'holdfast_config_last_apply_successful',
        kind: 'gauge',
        help: 'Whether the newest change that ended was promoted; one refused or rolled back is 0.',
        samples: last ? [[{}, Number(last.state === 'promoted')]] : [],
      },
      {
        name: 'holdfast_config_last_apply_timestamp_seconds',
        kind: 'gauge',
        help: 'When it ended, in seconds since 1970.',
        samples: last ? [[{}, last.at / 1_000]] : [],
      },
    ],
  };
}

const one = (counts: Counts, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);

const tookMs = ({ decidedAt, doneAt }: TakeBack) => Math.max(0, doneAt - decidedAt);

/** How often, by two labels, and how long the newest took, by the first of them. */
function countedAndTimed(
  name: string,
  [first, second]: readonly [string, string],
  counts: Counts,
  lastMs: Counts,
  help: { readonly count: string; readonly duration: string },
): Family[] {
  return [
    {
      name: `${name}_total`,
      kind: 'counter',
      help: help.count,
      samples: [...counts].map(([key, count]) => {
        const [one = '', other = ''] = key.split('\n');
        return [{ [first]: one, [second]: other }, count] as const;
      }),
    },
    {
      name: `${name}_duration_seconds`,
      kind: 'gauge',
      help: help.duration,
      samples: [...lastMs].map(([key, ms]) => [{ [first]: key }, ms / 1_000] as const),
    },
  ];
}
