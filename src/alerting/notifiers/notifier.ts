import type { ReadSecret } from '#base';
import type { OutgoingAnswer, Post, Resolve } from '#probe';
import type { Message } from '../message.ts';

/** What became of one try. */
export type Delivery =
  | { readonly kind: 'sent'; readonly said: string }
  /** `final`: the same message would be refused again. */
  | {
      readonly kind: 'failed';
      readonly why: string;
      readonly final: boolean;
      readonly retryAfterMs: number | null;
    };

/** What a notifier may use of the world. */
export interface NotifierPorts {
  readonly post: Post;
  readonly resolve: Resolve;
  readonly secret: ReadSecret;
  readonly env: NodeJS.ProcessEnv;
}

/** Ends within the signal's time. May throw: that is a failed try, and not the last. */
export type Send = (message: Message, signal: AbortSignal) => Promise<Delivery>;

const saidMax = 200;

export function sent(said: string): Delivery {
  return { kind: 'sent', said: short(said) };
}

export function failed(why: string, final = false, retryAfterMs: number | null = null): Delivery {
  return { kind: 'failed', why: short(why), final, retryAfterMs };
}

/** 2xx it is there; 429 and 5xx later; every other status, redirects too, means that it will never be taken. */
export function deliveryOf({ status, body, retryAfterMs }: OutgoingAnswer): Delivery {
  const said = `${status} ${body}`.trim();
  if (status >= 200 && status < 300) return sent(said);
  if (status >= 300 && status < 400) return failed(`it redirects (${status}), which is not followed`, true);
  const later = status === 408 || status === 429 || status >= 500 || status === 0;
  return failed(`it answered ${said}`, !later, retryAfterMs);
}

/** One line, as it stands in the journal and on a terminal. */
function short(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, saidMax);
}
