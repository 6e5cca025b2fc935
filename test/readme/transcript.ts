/**
 * What a page shows of a terminal, and whether that is what comes. In ```console blocks a line that begins with `$ ` is a
 * command and what is under it its output; a line `^C` ends the command that was left running last. A line `...` stands
 * for any lines, `...` inside a line for anything in it.
 */
export interface Step {
  readonly kind: 'command' | 'interrupt';
  /** Empty for an interrupt. */
  readonly command: string;
  readonly expected: readonly string[];
  /** Of the page, from 1. */
  readonly line: number;
}

/** The steps under a heading of the second level, in order. */
export function stepsOf(page: string, heading: string): readonly Step[] {
  const steps: { kind: Step['kind']; command: string; expected: string[]; line: number }[] = [];
  let inSection = false;
  let inBlock = false;
  for (const [index, text] of page.split('\n').entries()) {
    const line = index + 1;
    if (!inBlock && text.startsWith('## ')) inSection = text === `## ${heading}`;
    else if (inBlock && text === '```') inBlock = false;
    else if (inSection && text === '```console') inBlock = true;
    else if (inBlock && text.startsWith('$ '))
      steps.push({ kind: 'command', command: text.slice(2), expected: [], line });
    else if (inBlock && text === '^C') steps.push({ kind: 'interrupt', command: '', expected: [], line });
    else if (inBlock) steps.at(-1)?.expected.push(text);
  }
  return steps;
}

/** What differs from run to run stands as a word: what is left must be the same. */
export function normalised(line: string): string {
  return line
    .replace(/\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+\d\d:\d\d)?)?/g, 'DATE')
    .replace(/\b\d\d:\d\d:\d\d(?:\.\d+)?/g, 'TIME')
    .replace(/\bc\d+-[0-9a-f]{6}\b/g, 'CHANGE')
    .replace(/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,64}\b/g, 'HASH')
    .replace(/\b(haproxy|builtin) \d[\w.+~-]*/g, '$1 VERSION')
    .replace(
      /\b(generations?) \d+( to \d+)?/g,
      (_, word: string, to?: string) => `${word} N${to ? ' to N' : ''}`,
    )
    .replace(/\b\d[\d,]*(?:\.\d+)? (?:µs|ms|s|min)\b/g, 'DURATION')
    .replace(/\bincumbent \d[\d,]*/g, 'incumbent N')
    .replace(/\b\d[\d,]*(?:\.\d+)?(?= (?:real )?(?:requests?|entries)\b)/g, 'N')
    .replace(/\breal requests?\b/g, 'real requests')
    .replace(/\bN (?:requests?|entries|entry)\b/g, (words) =>
      words.includes('request') ? 'N requests' : 'N entries',
    )
    .replace(/\s+/g, ' ')
    .trim();
}

/** Null when it is what was expected; else the first expected line that did not come. */
export function difference(expected: readonly string[], actual: readonly string[]): string | null {
  const wanted = withoutBlanks(expected);
  const came = withoutBlanks(actual).map(normalised);
  /** For every prefix of what was wanted, the places in what came that it may end at. */
  let ends = new Set([0]);
  for (const [index, line] of wanted.entries()) {
    const next = new Set<number>();
    for (const end of ends) {
      if (line.trim() === '...') for (let i = end; i <= came.length; i += 1) next.add(i);
      else if (end < came.length && isLike(line, came[end] ?? '')) next.add(end + 1);
    }
    if (next.size === 0) return `line ${index + 1} did not come: ${line}`;
    ends = next;
  }
  return ends.has(came.length) ? null : `more came than is shown: ${came[Math.max(...ends)]}`;
}

function withoutBlanks(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => line.trim() !== '');
}

function isLike(wanted: string, came: string): boolean {
  const parts = wanted.split('...').map((part) => normalised(part).replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(came);
}
