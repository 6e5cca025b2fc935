/** What mutants are judged by, gathered once: what real engines did with many texts, and pairs of texts and of meanings. */
import { type EngineName, meaningOf } from '../plan/case.ts';
import { type Disagreement, decide } from '../plan/decisions.ts';
import { verdictOf } from '../plan/judge.ts';
import type { Reply } from '../plan/wire.ts';
import { edited } from './edits.ts';
import type { KeptReply, Pair, Recorded } from './judged.ts';

export interface Tape {
  readonly recorded: readonly Recorded[];
  readonly decisions: number;
  /** Decisions that the model says wrong as it stands: they are left out. */
  readonly wrong: number;
  /** Some of them. */
  readonly disagreements: readonly Disagreement[];
}

export async function record(engine: EngineName, seed: number, decisions: number): Promise<Tape> {
  const recorded: Recorded[] = [];
  let wrong = 0;
  const outcome = await decide(engine, seed, decisions, (one, replies) => {
    const lifted = meaningOf(one);
    const kept = one.asked.map((asked, index): KeptReply | null => {
      const reply = replies[index];
      if (!reply) return null;
      if (verdictOf(one, lifted, asked, reply).wrong === null) return keptReply(reply);
      wrong += 1;
      return null;
    });
    recorded.push({ kind: 'decided', case: one, replies: kept });
  });
  return { recorded, decisions: outcome.decisions, wrong, disagreements: outcome.disagreements };
}

const keptReply = (reply: Reply): KeptReply =>
  reply.kind === 'closed' ? reply : { ...reply, headers: [...reply.headers] };

/** The shortest texts of the tape, each beside itself with a few lines otherwise, or all of it written otherwise. */
export function pairsOf(recorded: readonly Recorded[], most: number): readonly Pair[] {
  const each = Math.floor(most / 2);
  const shortest = (engine: EngineName) =>
    recorded
      .map(({ case: one }) => one)
      .filter((one) => one.engine === engine)
      .toSorted((a, b) => a.text.length - b.text.length)
      .slice(0, each);
  return [...shortest('haproxy'), ...shortest('nginx')].map(
    (before): Pair => ({ kind: 'compared', before, ...edited(before, 0) }),
  );
}
