import type { Field } from './field.ts';

/** One injected fault, and what it is. */
export interface Fault {
  readonly name: string;
  /** In the words of `scopeWords`; several ways to name it are equally true. Null: there is nothing that anybody should be told. */
  readonly is: readonly (readonly string[])[] | null;
  /** Resolves when it is there. A change says its number in the place of `CHANGE`. */
  strike(field: Field): unknown;
  mend(field: Field): unknown;
  /** What seconds it may take to be seen; when it takes effect later than it is injected. */
  readonly withinMs?: number;
  /** The fault is a change: `CHANGE` in `is` is its number. */
  readonly isChange?: true;
}

export const both = ['lb-1', 'lb-2'] as const;
export const three = [1, 2, 3] as const;
export const poolServers = (pool: string) => three.map((at) => `${pool}/${pool}-${at}`);
