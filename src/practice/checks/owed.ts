import type { Check } from '../facts.ts';

/** What people left lying: nothing is wrong yet, and the next change or the next incident meets it. */
export const owed: Check = ({ reviewsOwed, frozen, openIncidents }) => ({
  findings: [
    ...reviewsOwed.map((change) => ({
      id: `review-owed:${change}`,
      severity: 'medium' as const,
      what: `change ${change} went past its review, and nobody else has looked at it since`,
      evidence: [],
      remedy: `Somebody other than its author reads it: \`holdfast changes ${change}\`, then \`holdfast approve ${change} --reason ...\`.`,
      place: null,
    })),
    ...(frozen === null
      ? []
      : [
          {
            id: 'frozen',
            severity: 'medium' as const,
            what: `changes are frozen: ${frozen}`,
            evidence: [],
            remedy: 'Read the postmortem, then end it with `holdfast apply --unfreeze`.',
            place: null,
          },
        ]),
    ...openIncidents.map((incident) => ({
      id: `open-incident:${incident}`,
      severity: 'medium' as const,
      what: `incident ${incident} is still open`,
      evidence: [],
      remedy: `holdfast postmortem ${incident}`,
      place: null,
    })),
  ],
});
