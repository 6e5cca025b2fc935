import type { FaultScope } from '#events';
import type { Picture } from '../picture.ts';

/** What one rule found out. Several culprits: between these. */
export interface Finding {
  readonly culprits: readonly FaultScope[];
  /** Without a full stop. */
  readonly sentence: string;
  readonly evidence: readonly string[];
  readonly advice: string;
  readonly certain: boolean;
  /** What it explains: trouble of these pools, or of all. */
  readonly pools: readonly string[] | 'all';
  /** Servers that it names, for the change that may have brought them. */
  readonly servers?: readonly { readonly pool: string; readonly server: string }[];
}

/** Looks at one kind of cause. Pure. */
export type Rule = (picture: Picture) => readonly Finding[];

/** `web-7`, `web-7 and web-8`, `web-7, web-8 and web-9`; many are counted. */
export function namesOf(names: readonly string[], max = 4): string {
  if (names.length > max) return `${names.slice(0, max - 1).join(', ')} and ${names.length - max + 1} more`;
  if (names.length < 2) return names[0] ?? '';
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

export function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}

export function percent(share: number): string {
  if (share > 0 && share < 0.01) return 'less than 1 %';
  return `${Math.round(share * 100)} %`;
}

/** `does` for one, `do` for several. */
export function verb(count: number, one: string, several: string): string {
  return count === 1 ? one : several;
}
