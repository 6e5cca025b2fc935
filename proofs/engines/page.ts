import type { ContractCase } from '../../test/contract/case.ts';
import { areas } from '../../test/contract/cases/index.ts';
import { cell } from '../../test/contract/page.ts';

/** What one version of an engine did with one case. */
export type Result =
  | { readonly kind: 'expected' }
  | { readonly kind: 'difference' }
  /** The engine cannot do what the site asks for, and says so (docs/vocabulary.md). */
  | { readonly kind: 'cannot' }
  | { readonly kind: 'other'; readonly what: readonly string[] };

export interface Column {
  readonly engine: string;
  readonly version: string;
  readonly from: string;
  /** It is judged: what is installed, and what is ours. */
  readonly judged: boolean;
  /** Why it could not be tried. */
  readonly refused: string | null;
  readonly results: ReadonlyMap<string, Result>;
}

const marks = { expected: '✓', difference: 'd', cannot: '-', other: '✗' } as const;

/** `docs/contract.md`. */
export function contractPage(columns: readonly Column[], on: string, summary: string): string {
  const tried = columns.filter(({ refused }) => refused === null);
  const head = tried.map(({ engine, version }) => `${engine} ${version}`);
  const sections = Object.entries(areas).map(([area, cases]) => {
    const rows = cases.map((one: ContractCase) => {
      const cells = tried.map(({ results }) => marks[results.get(one.id)?.kind ?? 'other']);
      const source = one.source ? ` (${one.source})` : '';
      return `| ${[`\`${one.id}\``, cell(one.holds + source), ...cells].join(' | ')} |`;
    });
    return `## ${area}\n\n| case | what must hold | ${head.join(' | ')} |\n| --- | --- |${' --- |'.repeat(head.length)}\n${rows.join('\n')}\n`;
  });
  return [
    `# The contract of an engine

Written by \`npm run prove:engines -- --write\`; do not edit. Last run ${on}.

Each case is bytes on the wire, what the server does, what the client must see and what the server must have seen
(\`test/contract/cases/\`). ✓: as expected. d: a difference that is published, with its reason, in
[differences.md](differences.md). -: the engine cannot do what the site asks for ([vocabulary.md](vocabulary.md)). ✗: something else; below stands what.
`,
    versionsOf(columns),
    ...sections,
    othersOf(tried),
    `${summary}\n`,
  ].join('\n');
}

function versionsOf(columns: readonly Column[]): string {
  const rows = columns.map(({ engine, version, from, judged, refused, results }) => {
    const count = (kind: Result['kind']) => [...results.values()].filter((one) => one.kind === kind).length;
    const figures =
      refused === null ? `${count('expected')} / ${count('difference')} / ${count('other')}` : cell(refused);
    return `| ${engine} ${version} | ${from} | ${judged ? 'yes' : 'no'} | ${figures} |`;
  });
  return `| engine | from | supported | ✓ / d / ✗ |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

function othersOf(columns: readonly Column[]): string {
  const lists = columns.flatMap(({ engine, version, results }) => {
    const lines = [...results].flatMap(([id, one]) =>
      one.kind === 'other' ? [`- \`${id}\`: ${shortened(one.what.join('; '))}`] : [],
    );
    return lines.length > 0 ? [`### ${engine} ${version}\n\n${lines.join('\n')}\n`] : [];
  });
  return lists.length === 0 ? '' : `## What versions do otherwise\n\n${lists.join('\n')}`;
}

function shortened(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: bytes of the wire have no place on a page
  const printable = text.replaceAll(/[\x00-\x1f\x7f-\xff]/g, '.');
  return printable.length > 240 ? `${printable.slice(0, 240)}...` : printable;
}
