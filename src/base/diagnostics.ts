import { closest, distance } from 'fastest-levenshtein';

/** A place in a text that a person wrote. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** An operator's mistake, as a value. `code` stands in the catalogue (`docs/errors.md`). */
export interface Diagnostic {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly place: Place | null;
  /** Where in the document, in its own words: `routes[3].pool`. */
  readonly path: string;
  /** What was expected and what came, one sentence, no full stop. */
  readonly message: string;
  /** What to do about it, one sentence; empty when the message says it all. */
  readonly remedy: string;
}

/** `HF014 site.yaml:12:9 routes[3].pool: expected one of "web", "api", got "wbe". Did you mean "web"?`; a warning says that it is one. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { code, severity, place, path, message, remedy } = diagnostic;
  const where = place ? ` ${place.file}:${place.line}:${place.column}` : '';
  const mark = severity === 'warning' ? 'warning' : '';
  const what = [mark, path, message].filter(Boolean).join(': ');
  return `${code}${where} ${what}${remedy ? `. ${remedy}` : ''}`;
}

/** `Did you mean "web"?`, or an empty string when nothing known is near enough to be what was meant. */
export function didYouMean(word: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const best = closest(
    word.toLowerCase(),
    known.map((k) => k.toLowerCase()),
  );
  const original = known.find((k) => k.toLowerCase() === best);
  const nearEnough = Math.max(1, Math.floor(word.length / 3));
  const near = distance(word.toLowerCase(), best) <= nearEnough || sameLetters(word.toLowerCase(), best);
  return original !== undefined && near ? `Did you mean "${original}"?` : '';
}

/** Two letters that changed places count as two mistakes of distance, and are one slip of the hand. */
function sameLetters(a: string, b: string): boolean {
  return a.length === b.length && [...a].sort().join('') === [...b].sort().join('');
}
