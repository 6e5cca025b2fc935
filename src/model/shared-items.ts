import type { Spot } from './plain-yaml.ts';

/** An item of a list, as it was read where it stood first. */
export interface ReadItem {
  readonly value: unknown;
  readonly spot: Spot;
  /** Where it began: its spots are offsets in that text. */
  readonly from: number;
  readonly nodes: number;
}

/**
 * Items of the lists that a document's keys have (routes, pools), for texts that are read to be compared: one that is written
 * letter for letter as another one is the same value, so that nothing which is known of the value is asked again.
 */
export class SharedItems {
  readonly #known = new Map<number, Map<string, ReadItem>>();

  of(indent: number, source: string): ReadItem | undefined {
    return this.#known.get(indent)?.get(source);
  }

  add(indent: number, source: string, item: ReadItem): void {
    const here = this.#known.get(indent) ?? new Map<string, ReadItem>();
    this.#known.set(indent, here);
    here.set(source, item);
  }
}
