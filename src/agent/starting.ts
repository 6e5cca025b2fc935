import { Failure } from '#base';

/** Of the latest changes that were taken back. Older ones have no message under way any more. */
const takenBackMax = 100;

/** The change whose candidate starts, and changes that are not to have one: what a slow network brings late was asked for before they were taken back. */
export class Starting {
  readonly #takenBack = new Map<string, string>();
  #now: string | null = null;

  get now(): string | null {
    return this.#now;
  }

  /** @throws Failure HF404 when it has been taken back. */
  begin(change: string): void {
    this.requireWanted(change);
    this.#now = change;
  }

  end(): void {
    this.#now = null;
  }

  /** Null: whatever starts just now. True: its candidate just starts, and goes as soon as it has started. */
  takeBack(change: string | null, why: string): boolean {
    const named = change ?? this.#now;
    if (named === null) return false;
    if (!this.#takenBack.has(named)) this.#takenBack.set(named, why);
    const [oldest] = this.#takenBack.keys();
    if (this.#takenBack.size > takenBackMax && oldest !== undefined) this.#takenBack.delete(oldest);
    return named === this.#now;
  }

  /** @throws Failure HF404 when it has been taken back. */
  requireWanted(change: string): void {
    const why = this.#takenBack.get(change);
    if (why === undefined) return;
    throw new Failure('HF404', `${change} was taken back before its candidate had started: ${why}`);
  }
}
