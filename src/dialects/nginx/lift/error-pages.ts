import { said } from './scope.ts';
import type { Where } from './state.ts';
import type { Node } from './tree.ts';

export interface ErrorPage {
  readonly node: Node;
  readonly target: string;
  /** `=200`: 200; `=`: 0, whatever the target's is; null: the status stays. */
  readonly overwrite: number | null;
}

/** The last word about a status; null: it stays as it is. */
export function pageOf(status: number, where: Where): ErrorPage | null {
  for (const node of said(where.scope, 'error_page')) {
    const target = node.words.at(-1) ?? '';
    const codes = node.words.slice(0, -1);
    const sign = codes.at(-1)?.startsWith('=') ? codes.at(-1) : undefined;
    if (codes.includes(String(status)))
      return { node, target, overwrite: sign === undefined ? null : Number(sign.slice(1) || 0) };
  }
  return null;
}
