import { type Answer, count, type Gate, type Proposal, passed } from './gate.ts';

/** The people that the risk asks for have approved it, none of them its author. Waits for them as long as it takes. */
export const review: Gate<'review'> = {
  name: 'review',
  forceable: true,
  askedAfterRefusal: false,
  during: 'proposed',
  async ask(proposal) {
    const { planned, approvals, forced, breakGlass, signal } = proposal;
    if (proposal.isSpareTurn) return passed('guard.spares of the site, which was reviewed, says so');
    const needed = planned.view?.risk.approvals ?? { count: 0, because: [] };
    if (needed.count === 0) return passed('no approval is needed');
    const asked = `${count(needed.count, 'approval')} needed: ${needed.because.join('; ')}`;
    // Nobody is waited for, and that is what the journal says of it.
    if ((forced || breakGlass) && approvals.given().length < needed.count) return missing(asked, proposal);
    await approvals.wait(needed, signal);
    const given = approvals.given();
    if (signal.aborted || given.length < needed.count) return missing(asked, proposal);
    return passed(`approved by ${given.map(({ by }) => by).join(' and ')}`, [
      asked,
      ...given.map(({ by, reason }) => `${by}: ${reason || 'no reason given'}`),
    ]);
  },
};

function missing(asked: string, { approvals }: Proposal): Answer {
  const given = approvals.given();
  const by = given.length === 0 ? 'nobody has' : `only ${given.map((one) => one.by).join(' and ')} has`;
  return {
    verdict: 'refused',
    summary: `${by} approved it; ${asked}`,
    evidence: [],
    diagnostics: [
      {
        code: 'HF113',
        severity: 'error',
        place: null,
        path: '',
        message: asked,
        remedy: 'Somebody else than its author: `holdfast approve CHANGE`',
      },
    ],
  };
}
