import { askEvery, type Proposal } from './gate.ts';

const planTimeoutMs = 10_000;

/** Whether every balancer can tell what runs to do as the new text says. `why`: what speaks against it, for people. */
export type Way =
  | { readonly kind: 'in place'; readonly changes: readonly string[] }
  | { readonly kind: 'new generation'; readonly why: string };

/** A forced change has servers that nobody has seen alive: it gets a generation of its own, with the net. */
export async function wayOf(proposal: Proposal): Promise<Way> {
  if (proposal.newGeneration) return { kind: 'new generation', why: 'it was asked for' };
  if (proposal.forced) return { kind: 'new generation', why: 'the change is forced' };
  const { answers, silent } = await askEvery(
    proposal.balancers,
    'inPlace',
    { site: proposal.reading.text },
    planTimeoutMs,
  );
  const changes: string[] = [];
  for (const { balancer, output } of answers) {
    if (output.changes === null) return { kind: 'new generation', why: `${balancer}: ${output.why}` };
    changes.push(...output.changes);
  }
  const [mute] = silent;
  if (mute) return { kind: 'new generation', why: `${mute.balancer}: ${mute.why}` };
  return { kind: 'in place', changes: [...new Set(changes)] };
}
