import type { Death } from './protocol.ts';

const deathsMax = 100;

export type NewDeath = Omit<Death, 'number'>;

/** Engines that ended without being told to, numbered in the order in which they are told. */
export class Deaths {
  readonly #told: Death[] = [];
  readonly #untold = new Set<NewDeath>();

  constructor(before: readonly Death[]) {
    this.#told.push(...before);
  }

  /** Oldest first. */
  get told(): readonly Death[] {
    return this.#told;
  }

  /** With those of which it is not known yet how they end: whoever finds them written takes over what was begun. */
  get all(): readonly Death[] {
    const first = this.#nextNumber;
    return [...this.#told, ...[...this.#untold].map((death, index) => ({ number: first + index, ...death }))];
  }

  /** To be told when somebody has taken over, or could not. */
  expect(death: NewDeath): void {
    this.#untold.add(death);
  }

  /** Also of one that was expected, as it ended: `instead` is what is told. */
  tell(death: NewDeath, instead: NewDeath = death): void {
    this.#untold.delete(death);
    this.#told.push({ number: this.#nextNumber, ...instead });
    if (this.#told.length > deathsMax) this.#told.shift();
  }

  get #nextNumber(): number {
    return (this.#told.at(-1)?.number ?? 0) + 1;
  }
}
