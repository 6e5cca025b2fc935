import type { Finding } from '#events';
import type { BalancerFacts, Check } from '../facts.ts';

/** Whether a bad change could be taken back this minute, and what is known against the engine that would do it. */
export const wayBack: Check = ({ balancers }) => ({
  findings: [...balancers].flatMap(([name, facts]) =>
    facts ? [...blocked(name, facts), ...known(name, facts)] : [],
  ),
  notSeen: [...balancers].flatMap(([name, facts]) => {
    if (!facts) return [`${name} did not answer: nothing can be said of it`];
    return facts.wayBack ? [] : [`the way back of ${name} could not be tried`];
  }),
});

function blocked(name: string, { wayBack: way, carriedInstead, engine }: BalancerFacts): Finding[] {
  const findings: Finding[] = [];
  if (way && !way.ok)
    findings.push({
      id: `way-back:${name}`,
      severity: 'high',
      what: `a bad change could not be taken back on ${name} now`,
      evidence: way.tried,
      remedy: 'Mend what is named; until then no change passes the gate "way back".',
      place: null,
    });
  if (carriedInstead !== null)
    findings.push({
      id: `carried:${name}`,
      severity: 'high',
      what: `${name} is carried by ${engine} since ${carriedInstead} failed: no other engine is left for the next time`,
      evidence: [],
      remedy: `Mend ${carriedInstead}, then bring it back with \`holdfast apply FILE\`.`,
      place: null,
    });
  return findings;
}

function known(name: string, { wayBack: way, engine }: BalancerFacts): Finding[] {
  return (way?.knownFaults ?? []).map(({ what, remedy, blocks }) => ({
    id: `known-fault:${name}:${what}`,
    severity: blocks ? 'high' : 'low',
    what: `${engine} of ${name}: ${what}`,
    evidence: [],
    remedy,
    place: null,
  }));
}
