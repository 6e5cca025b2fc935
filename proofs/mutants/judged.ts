/** Whether the model, as it is loaded here, says what it has to say. Every question has an answer that the model was not asked for. */
import { meaning } from '#routing';
import { type Case, meaningOf, meaningsOf } from '../plan/case.ts';
import { verdictOf } from '../plan/judge.ts';
import type { Reply } from '../plan/wire.ts';
import { type BlowingUp, blowUpWrong } from './blow-ups.ts';
import { comparison } from './comparison.ts';
import { type Falling, fallenWrong } from './fallen.ts';
import { type Folding, foldingJudged } from './foldings.ts';
import { type Tabled, tableJudged } from './machines.ts';
import { guessed, type Refused } from './refused.ts';
import { type SettingsPair, settingsWrong } from './settings.ts';
import { type Stated, statedWrong } from './stated.ts';

/** What a real engine did with a text. */
export interface Recorded {
  readonly kind: 'decided';
  readonly case: Case;
  /** Null: what the model said of it was wrong to begin with. */
  readonly replies: readonly (KeptReply | null)[];
}

/** Two texts of the same requests. */
export interface Pair {
  readonly kind: 'compared';
  readonly before: Case;
  readonly after: Case;
  /** They are the same, written otherwise. */
  readonly same: boolean;
}

/** Two meanings that no text was needed for. */
export interface Meanings {
  readonly kind: 'meanings';
  readonly before: meaning.Meaning;
  readonly after: meaning.Meaning;
  readonly asked: readonly meaning.Request[];
  /** They are the same. */
  readonly same: boolean;
}

export type Question =
  | Recorded
  | Pair
  | Meanings
  | Refused
  | Tabled
  | SettingsPair
  | BlowingUp
  | Falling
  | Stated
  | Folding;

export type KeptReply =
  | { readonly kind: 'closed' }
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: readonly (readonly [string, string])[];
      readonly body: string;
    };

export interface Judgement {
  /** Null: nothing is. */
  readonly wrong: string | null;
  /** How much was left open. */
  readonly open: number;
  /** What it cost, counted and not timed: steps of tables, or the size of what was made. */
  readonly work: number;
}

export function judged(question: Question): Judgement {
  switch (question.kind) {
    case 'decided':
      return decided(question);
    case 'compared': {
      const { same } = question;
      const asked = question.before.asked.map(({ request }) => request);
      const [before, after] = meaningsOf(question.before, question.after);
      return comparison({ before, after, asked, same });
    }
    case 'meanings':
      return comparison(question);
    case 'refused':
      return plainly(guessed(question));
    case 'settings':
      return plainly(settingsWrong(question));
    case 'stated':
      return plainly(statedWrong(question));
    case 'blow-up':
      return plainly(blowUpWrong(question));
    case 'fallen':
      return plainly(fallenWrong(question));
    case 'folded':
    case 'read':
      return foldingJudged(question);
    default:
      return tableJudged(question);
  }
}

const plainly = (wrong: string | null): Judgement => ({ wrong, open: 0, work: 0 });

const workPerPart = 100;

function decided({ case: one, replies }: Recorded): Judgement {
  const lifted = meaningOf(one);
  const work = lifted.listeners.reduce((sum, { rules }) => sum + workPerPart * meaning.sizeOf(rules), 0);
  // A line that is not understood is more that is left open, though less than a decision.
  let open = lifted.notUnderstood.length / 1_000;
  for (const [index, asked] of one.asked.entries()) {
    const kept = replies[index];
    if (!kept) continue;
    const { wrong, said } = verdictOf(one, lifted, asked, asReply(kept));
    if (wrong !== null) return { wrong, open, work };
    if (said !== 'exact') open += 1;
  }
  return { wrong: null, open, work };
}

export const asReply = (kept: KeptReply): Reply =>
  kept.kind === 'closed' ? kept : { ...kept, headers: new Map(kept.headers) };
