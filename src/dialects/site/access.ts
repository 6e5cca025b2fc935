import type { Place } from '#base';
import { type Access, meaning } from '#routing';

/** Refusals in their order: network (403), rate (429), password (401). How long a body is, no plan asks: it is a setting. */
export function stepsOfAccess(access: Access | null, place: Place): readonly meaning.Step[] {
  if (access === null) return [];
  const { deny, allow, rate, basicAuth } = access;
  const step = (when: meaning.Condition, status: number, text: string): meaning.Step => ({
    when,
    then: { kind: 'answer', status, body: null },
    place,
    text,
  });
  return [
    ...(deny.length > 0 ? [step({ kind: 'from', networks: deny }, 403, `deny ${deny.join(' ')}`)] : []),
    ...(allow.length > 0
      ? [step(meaning.not({ kind: 'from', networks: allow }), 403, `allow ${allow.join(' ')} only`)]
      : []),
    ...(rate
      ? [step({ kind: 'unknown', why: 'state', text: rateText(rate), place }, 429, rateText(rate))]
      : []),
    ...(basicAuth ? [step(meaning.not(knows(basicAuth, place)), 401, `password of ${basicAuth.realm}`)] : []),
  ];
}

function rateText({ requests, perMs }: NonNullable<Access['rate']>): string {
  return `a client's requests are above ${requests} in ${perMs} ms`;
}

/** Without the header nobody knows a password; with it, the hash decides. */
function knows({ realm, users }: NonNullable<Access['basicAuth']>, place: Place): meaning.Condition {
  const hashes = users.map(({ name, passwordHash }) => `${name}:${passwordHash}`).sort();
  return meaning.all([
    { kind: 'in', value: meaning.header('authorization'), language: { kind: 'present' } },
    {
      kind: 'unknown',
      why: 'secret',
      text: `the password is right for ${realm} (${hashes.join(' ')})`,
      place,
    },
  ]);
}
