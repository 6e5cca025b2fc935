import { describe, describeLanguage, describeValue } from '../fate/describe.ts';
import { type Atom, isMachine, type Terms } from './terms.ts';
import type { Chosen, Group } from './walk.ts';

const shownMax = 2;

/** A class in words; of several the first, and how many more. */
export function describeClass({ samples, classes }: Group, terms: Terms): string {
  const parts: string[] = [];
  for (let at: Chosen | null = samples[0] ?? null; at !== null; at = at.rest)
    parts.push(describeField(at, terms));
  const words = parts.filter(Boolean).join(', ') || 'every request';
  return classes > 1 ? `${words}, and ${classes - 1} more ${classes === 2 ? 'class' : 'classes'}` : words;
}

function describeField({ field, atoms, words }: Chosen, { atoms: all }: Terms): string {
  if (field.startsWith('whether:'))
    return `${words[0] === 'yes' ? '' : 'not '}${field.slice(field.indexOf('\n') + 1)}`;
  const texts = [...atoms].map((number) => describeAtom(all[number])).filter((text) => text !== '');
  const name =
    field === 'from'
      ? 'source address'
      : field === 'normalisedPath'
        ? 'path'
        : field.replace(/^header:/, 'header ');
  // The longest says the most.
  const shown = texts.sort((a, b) => b.length - a.length).slice(0, shownMax);
  if (shown.length > 0) return shown.join(' and ');
  return words[0] === null ? `no ${name}` : `another ${name}, such as ${JSON.stringify(words[0])}`;
}

function describeAtom(atom: Atom | undefined): string {
  if (atom?.kind === 'from') return describe({ kind: 'from', networks: atom.networks });
  if (atom?.kind !== 'in' || isMachine(atom.test)) return '';
  return `${describeValue(atom.value)} ${describeLanguage(atom.test)}`;
}
