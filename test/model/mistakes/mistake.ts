/** What an operator got wrong, the file with it, and every line that is told. */
export interface Mistake {
  readonly what: string;
  readonly text: string;
  readonly told: readonly string[];
}
