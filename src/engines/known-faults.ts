/**
 * A fault of some versions of an engine that a change of the configuration can run into: its reload, its start, or what
 * it does to requests. No vulnerabilities: who watches those has better sources.
 */
export interface KnownFault {
  /** What a person calls it: `haproxy-3337`. */
  readonly id: string;
  /** One sentence that ends without a stop. */
  readonly what: string;
  /** What it hits. `reload`: the engine's own, which Holdfast does not use, but a service manager does once it is given back. */
  readonly hits: 'reload' | 'start' | 'requests' | 'end';
  /** `blocks`: a change does not go on with it; `warns`: it is told. */
  readonly effect: 'blocks' | 'warns';
  /** Versions that are known to have it, both ends included. */
  readonly versions: readonly { readonly from: string; readonly through: string }[];
  /** Each must match a line of the engine's text, its comments left out. Empty: every text. */
  readonly uses: readonly RegExp[];
  /** The thread or the change log that says so; it has been read. */
  readonly sources: readonly string[];
  readonly remedy: string;
}

/** `2.6.12-1+deb12u4` is 2.6.12; null where no version begins the text. */
export function versionOf(text: string): readonly number[] | null {
  const found = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return found && [Number(found[1]), Number(found[2]), Number(found[3] ?? 0)];
}

/** Pure: what is known against this version with this text. Told rather than missed: `uses` looks at words, not at their meaning. */
export function faultsOf(known: readonly KnownFault[], version: string, text: string): readonly KnownFault[] {
  const numbers = versionOf(version);
  if (!numbers) return [];
  const between = known.filter(({ versions }) =>
    versions.some(({ from, through }) => {
      const [first, last] = [versionOf(from), versionOf(through)];
      return first && last && compare(first, numbers) <= 0 && compare(numbers, last) <= 0;
    }),
  );
  if (between.every(({ uses }) => uses.length === 0)) return between;
  const lines = text.split('\n').map((line) => line.replace(/(?:^|\s)#.*$/, ''));
  return between.filter(({ uses }) => uses.every((word) => lines.some((line) => word.test(line))));
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((number, index) => number !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
