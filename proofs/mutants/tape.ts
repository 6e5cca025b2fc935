/** What real engines did with many texts, kept, so that each mutant is judged by the same decisions without an engine. */
import { type Case, type EngineName, meaningOf } from '../plan/case.ts';
import { decide } from '../plan/decisions.ts';
import { verdictOf } from '../plan/judge.ts';
import type { Reply } from '../plan/wire.ts';

export interface Recorded {
  readonly case: Case;
  readonly replies: readonly KeptReply[];
  /** How much the meaning left open as it stands: one that leaves more open is not the same. */
  readonly open: number;
}

type KeptReply =
  | { readonly kind: 'closed' }
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: readonly (readonly [string, string])[];
      readonly body: string;
    };

export async function record(
  engine: EngineName,
  seed: number,
  decisions: number,
): Promise<readonly Recorded[]> {
  const tape: Recorded[] = [];
  const { disagreements } = await decide(engine, seed, decisions, (one, replies) => {
    const kept = replies.map(
      (reply): KeptReply => (reply.kind === 'closed' ? reply : { ...reply, headers: [...reply.headers] }),
    );
    tape.push({ case: one, replies: kept, open: judged({ case: one, replies: kept, open: 0 }).open });
  });
  const [first] = disagreements;
  if (first)
    throw new Error(
      `no mutant is needed: ${first.engine}, text ${first.seed}: ${first.asked}: ${first.wrong}`,
    );
  return tape;
}

/** How many decisions are wrong, and how many are left open. */
export function judged({ case: one, replies }: Recorded): {
  readonly wrong: string | null;
  readonly open: number;
} {
  const lifted = meaningOf(one);
  let open = 0;
  for (const [index, asked] of one.asked.entries()) {
    const kept = replies[index];
    if (kept === undefined) continue;
    const reply: Reply = kept.kind === 'closed' ? kept : { ...kept, headers: new Map(kept.headers) };
    const { wrong, said } = verdictOf(one, lifted, asked, reply);
    if (wrong !== null) return { wrong, open };
    if (said !== 'exact') open += 1;
  }
  return { wrong: null, open };
}
