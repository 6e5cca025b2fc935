import type { Fate } from './meaning.ts';
import { said } from './scope.ts';
import { type Server, unknown, type Where } from './state.ts';
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

/** For what no location has been found. */
export const pageOfServer = (status: number, server: Server): ErrorPage | null =>
  pageOf(status, { server, scope: server.scope, location: null, handler: null });

/** The status with which it leads to an address. */
export const redirectedBy = ({ overwrite }: ErrorPage): number =>
  overwrite !== null && [301, 302, 303, 307, 308].includes(overwrite) ? overwrite : 302;

/** Where a redirect's page leads: one of this machine's own still carries the address, so that it is not told what it is. */
export function movedAs({ overwrite, target, node }: ErrorPage, fate: Fate): Fate {
  const isMoved = overwrite === null || overwrite === 0 || (overwrite >= 300 && overwrite < 400);
  return isMoved && /^[/@]/.test(target) ? unknown(node, 'complex') : fate;
}
