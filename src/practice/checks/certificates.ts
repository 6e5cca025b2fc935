import type { Finding } from '#events';
import type { Check } from '../facts.ts';

const dayMs = 86_400_000;
/** When a renewal that works has long been done (Let's Encrypt renews at 30 days), and when it is urgent. */
const soonDays = 21;
const urgentDays = 7;

/** Certificates that clients are shown and that end soon. */
export const certificates: Check = ({ now, balancers }) => {
  const files = new Map<string, { readonly names: readonly string[]; readonly validTo: number }>();
  for (const facts of balancers.values())
    for (const one of facts?.certificates ?? []) files.set(one.file, one);
  return { findings: [...files].flatMap(([file, one]) => ending(file, one, now)) };
};

function ending(
  file: string,
  { names, validTo }: { readonly names: readonly string[]; readonly validTo: number },
  now: number,
): Finding[] {
  const days = (validTo - now) / dayMs;
  if (days > soonDays) return [];
  const when = new Date(validTo).toISOString().slice(0, 16).replace('T', ' ');
  const says = days < 0 ? `ended on ${when} UTC` : `ends in ${Math.floor(days)} days (${when} UTC)`;
  return [
    {
      id: `certificate:${file}`,
      severity: days <= urgentDays ? 'high' : 'medium',
      what: `certificate ${file} ${says}`,
      evidence: names.length > 0 ? [`for ${names.join(', ')}`] : [],
      remedy: 'Renew it; Holdfast takes a renewed file into use by itself.',
      place: null,
    },
  ];
}
