import { type Saw, statusOf } from '../../test/contract/client.ts';
import { ambiguity } from '../../test/contract/lax.ts';
import type { OriginConnection } from '../../test/contract/origin.ts';

/** What became of an attempt. `through`: the server got something that servers read in different ways, or more than was asked. */
export type Verdict =
  | { readonly kind: 'refused'; readonly status: number | null }
  | { readonly kind: 'clean'; readonly requests: number }
  | { readonly kind: 'through'; readonly why: string };

export const victimPath = '/victim';

/** `mostRequests`: how many requests may reach the server for what the client said. */
export function verdictOf(saw: Saw, connections: readonly OriginConnection[], mostRequests: number): Verdict {
  let requests = 0;
  for (const { bytes, reader } of connections) {
    const why = ambiguity(bytes);
    if (why !== null) return { kind: 'through', why };
    for (const { start, headers } of reader.messages) {
      if (start.includes(victimPath)) continue;
      requests += 1;
      const forged = headers.find(([name]) => name === 'x-injected');
      if (forged) return { kind: 'through', why: 'a field of the attempt is a field of its own' };
    }
  }
  if (requests > mostRequests) return { kind: 'through', why: `the server saw ${requests} requests` };
  if (requests > 0) return { kind: 'clean', requests };
  return { kind: 'refused', status: saw.answers[0] ? statusOf(saw.answers[0]) : null };
}

export function told(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'refused':
      return verdict.status === null ? 'ended' : `refused ${verdict.status}`;
    case 'clean':
      return 'one, clean';
    case 'through':
      return 'THROUGH';
  }
}
