/** Who is killed, stopped or told to reload, when, and what that may cost. */
import type { EngineName } from '../../src/model/index.ts';

/** A generation as it is named alone is its whole engine: each of its processes. */
export type Who =
  | 'agent'
  | 'holder'
  | 'active'
  | 'standby'
  | 'candidate'
  | 'master of active'
  | 'master of standby'
  | 'master of candidate'
  | 'worker of active'
  | 'worker of standby'
  | 'worker of candidate';
/** Where the candidate stands when the blow falls. */
export type Moment = 'none' | 'parked' | 'half' | 'alone' | 'promoting';

export interface Case {
  readonly name: string;
  readonly who: readonly Who[];
  readonly moment: Moment;
  /** How long after it was told to promote. A promotion starts a new way back, hands over, and retires the old one. */
  readonly intoMs?: number;
  readonly signal: 'SIGKILL' | 'SIGSTOP' | 'SIGHUP';
  /** `none`; or at most what was in flight in an engine that died; or whatever hung in an engine that was stopped. */
  readonly lost: 'none' | 'in flight' | 'hung';
  /** It is one that nobody has to end: the site does without it until it goes on. */
  readonly mayStay?: boolean;
  /** Engines that it says something of; absent: all. */
  readonly engine?: EngineName;
}

const kill = { signal: 'SIGKILL' } as const;
const stop = { signal: 'SIGSTOP' } as const;
const reload = { signal: 'SIGHUP', lost: 'none', engine: 'nginx' } as const;
const nginx = { engine: 'nginx' } as const;

const promotions: readonly Case[] = ([['agent'], ['holder'], ['agent', 'holder']] as const).flatMap((who) =>
  [3, 60, 150, 250, 400].map((intoMs) => ({
    name: `${who.join(' and ')}, ${intoMs} ms into a promotion`,
    who,
    moment: 'promoting',
    intoMs,
    lost: 'none',
    ...kill,
  })),
);

/** Of NGINX, which is several processes: any of them may die alone. */
const partsOfNginx: readonly Case[] = [
  ...(['master of active', 'master of standby'] as const).map(
    (who): Case => ({ name: who, who: [who], moment: 'none', lost: 'none', ...kill, ...nginx }),
  ),
  {
    name: 'worker of active',
    who: ['worker of active'],
    moment: 'none',
    lost: 'in flight',
    ...kill,
    ...nginx,
  },
  { name: 'worker of standby', who: ['worker of standby'], moment: 'none', lost: 'none', ...kill, ...nginx },
  ...(['none', 'half', 'alone'] as const).map(
    (moment): Case => ({
      name: `master of active and holder${moment === 'none' ? '' : `, ${moment}`}`,
      who: ['master of active', 'holder'],
      moment,
      lost: 'none',
      ...kill,
      ...nginx,
    }),
  ),
  ...(['parked', 'half', 'alone'] as const).flatMap((moment): Case[] => [
    {
      name: `master of candidate, ${moment}`,
      who: ['master of candidate'],
      moment,
      lost: 'none',
      ...kill,
      ...nginx,
    },
    {
      name: `worker of candidate, ${moment}`,
      who: ['worker of candidate'],
      moment,
      lost: 'in flight',
      ...kill,
      ...nginx,
    },
  ]),
  {
    name: 'master of active, in a slice',
    who: ['master of active'],
    moment: 'half',
    lost: 'none',
    ...kill,
    ...nginx,
  },
];

const reloads: readonly Case[] = [
  { name: 'active', who: ['active'], moment: 'none', ...reload },
  { name: 'standby', who: ['standby'], moment: 'none', ...reload },
  { name: 'candidate, parked', who: ['candidate'], moment: 'parked', ...reload },
  { name: 'candidate, in a slice', who: ['candidate'], moment: 'half', ...reload },
  { name: 'active, candidate alone', who: ['active'], moment: 'alone', ...reload },
];

const stopsOfNginx: readonly Case[] = [
  {
    name: 'master of active hangs',
    who: ['master of active'],
    moment: 'none',
    lost: 'none',
    mayStay: true,
    ...stop,
    ...nginx,
  },
  {
    name: 'worker of active hangs',
    who: ['worker of active'],
    moment: 'none',
    lost: 'hung',
    ...stop,
    ...nginx,
  },
  {
    name: 'master of standby hangs',
    who: ['master of standby'],
    moment: 'none',
    lost: 'none',
    mayStay: true,
    ...stop,
    ...nginx,
  },
  {
    name: 'worker of candidate hangs in a slice',
    who: ['worker of candidate'],
    moment: 'half',
    lost: 'hung',
    ...stop,
    ...nginx,
  },
];

export const cases: readonly Case[] = [
  { name: 'agent, no change', who: ['agent'], moment: 'none', lost: 'none', ...kill },
  { name: 'agent, in a slice', who: ['agent'], moment: 'half', lost: 'none', ...kill },
  { name: 'agent, candidate alone', who: ['agent'], moment: 'alone', lost: 'none', ...kill },
  { name: 'holder, no change', who: ['holder'], moment: 'none', lost: 'none', ...kill },
  { name: 'holder, in a slice', who: ['holder'], moment: 'half', lost: 'none', ...kill },
  { name: 'holder, candidate alone', who: ['holder'], moment: 'alone', lost: 'none', ...kill },
  { name: 'agent and holder, no change', who: ['agent', 'holder'], moment: 'none', lost: 'none', ...kill },
  { name: 'agent and holder, in a slice', who: ['agent', 'holder'], moment: 'half', lost: 'none', ...kill },
  {
    name: 'agent and holder, candidate alone',
    who: ['agent', 'holder'],
    moment: 'alone',
    lost: 'none',
    ...kill,
  },
  { name: 'candidate, parked', who: ['candidate'], moment: 'parked', lost: 'none', ...kill },
  { name: 'candidate, in a slice', who: ['candidate'], moment: 'half', lost: 'in flight', ...kill },
  { name: 'candidate, alone', who: ['candidate'], moment: 'alone', lost: 'in flight', ...kill },
  { name: 'standby', who: ['standby'], moment: 'none', lost: 'none', ...kill },
  { name: 'active, no change', who: ['active'], moment: 'none', lost: 'in flight', ...kill },
  { name: 'active, in a slice', who: ['active'], moment: 'half', lost: 'in flight', ...kill },
  { name: 'active, candidate alone', who: ['active'], moment: 'alone', lost: 'in flight', ...kill },
  { name: 'active and agent', who: ['active', 'agent'], moment: 'none', lost: 'in flight', ...kill },
  { name: 'active and holder', who: ['active', 'holder'], moment: 'none', lost: 'in flight', ...kill },
  ...partsOfNginx,
  ...reloads,
  { name: 'agent hangs in a slice', who: ['agent'], moment: 'half', lost: 'none', ...stop },
  { name: 'agent hangs, candidate alone', who: ['agent'], moment: 'alone', lost: 'none', ...stop },
  { name: 'holder hangs in a slice', who: ['holder'], moment: 'half', lost: 'none', ...stop },
  { name: 'holder hangs, candidate alone', who: ['holder'], moment: 'alone', lost: 'none', ...stop },
  { name: 'candidate hangs in a slice', who: ['candidate'], moment: 'half', lost: 'hung', ...stop },
  { name: 'candidate hangs, alone', who: ['candidate'], moment: 'alone', lost: 'hung', ...stop },
  ...stopsOfNginx,
  ...promotions,
];
