/** Mutants that nobody could find, each by a rule and with its reason: they are drawn, told, and not counted. */
import type { Mutant } from './mutants.ts';

interface Exclusion {
  readonly why: string;
  readonly is: (mutant: Mutant) => boolean;
}

const exclusions: readonly Exclusion[] = [
  { why: 'words for people', is: ({ file }) => /\/(?:describe|description|predicates)\.ts$/.test(file) },
  {
    why: 'settings, which change no decision',
    is: ({ file }) =>
      /\/haproxy\/lift\/(?:settings|told|values)\.ts$|\/nginx\/lift\/(?:settings|units)\.ts$|\/findings\/settings\.ts$/.test(
        file,
      ),
  },
  { why: 'a named limit', is: ({ text }) => /\b\w+Max\b/.test(text) },
  {
    why: 'remembered, which is only quicker',
    is: ({ text }) => /\bknown\b|\bbefore !== undefined\) return before\b|\brememberedMin\b/.test(text),
  },
];

/** Null: it is to be found. */
export function whyExcluded(mutant: Mutant): string | null {
  return exclusions.find(({ is }) => is(mutant))?.why ?? null;
}
