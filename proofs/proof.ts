/** What every `npm run prove:NAME` is made of: figures that hold or do not, a last line that sums them up, an exit status. */

export interface Figure {
  readonly name: string;
  readonly value: number | string;
  /** What it has to be, for people: `0`, `at most 5 ms`. Empty for a figure that is only told. */
  readonly wanted: string;
  /** Null: only told. */
  readonly holds: boolean | null;
}

export interface Proof {
  /** A line for people; nothing with `--json`. */
  say(line: string): void;
  /** A figure that is told and not judged. */
  tell(name: string, value: number | string): void;
  /** A number that may not be above `most`. */
  atMost(name: string, value: number, most: number, unit?: string): void;
  /** A number that may not be below `least`. */
  atLeast(name: string, value: number, least: number, unit?: string): void;
  /** Anything that has to be so. */
  holds(name: string, value: string, wanted: string, holds: boolean): void;
}

/** Runs a proof as a program. A proof that judged nothing does not hold. */
export async function prove(name: string, run: (proof: Proof) => Promise<void>): Promise<never> {
  const json = process.argv.includes('--json');
  const figures: Figure[] = [];
  const say = (line: string) => {
    if (!json) process.stdout.write(`${line}\n`);
  };
  const add = (figure: Figure) => {
    figures.push(figure);
    const mark = figure.holds === null ? ' ' : figure.holds ? '✓' : '✗';
    const wanted = figure.wanted === '' ? '' : `   (${figure.wanted})`;
    say(`  ${mark} ${figure.name.padEnd(64)} ${String(figure.value).padStart(10)}${wanted}`);
  };
  const rounded = (value: number) => Math.round(value * 100) / 100;
  const proof: Proof = {
    say,
    tell: (what, value) =>
      add({ name: what, value: typeof value === 'number' ? rounded(value) : value, wanted: '', holds: null }),
    atMost: (what, value, most, unit = '') =>
      add({
        name: what,
        value: rounded(value),
        wanted: `at most ${most}${unit && ` ${unit}`}`,
        holds: value <= most,
      }),
    atLeast: (what, value, least, unit = '') =>
      add({
        name: what,
        value: rounded(value),
        wanted: `at least ${least}${unit && ` ${unit}`}`,
        holds: value >= least,
      }),
    holds: (what, value, wanted, holds) => add({ name: what, value, wanted, holds }),
  };
  let error = '';
  const began = performance.now();
  try {
    await run(proof);
  } catch (thrown) {
    error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    say(`  ✗ ${error}`);
  }
  const judged = figures.filter((f) => f.holds !== null);
  const broken = judged.filter((f) => !f.holds);
  const holds = error === '' && judged.length > 0 && broken.length === 0;
  const seconds = Math.round((performance.now() - began) / 1000);
  const summary = holds
    ? `prove:${name} holds: ${judged.length} of ${judged.length} figures, in ${seconds} s`
    : `prove:${name} DOES NOT HOLD: ${error === '' ? broken.map((f) => f.name).join('; ') || 'nothing was judged' : error.split('\n')[0]}`;
  process.stdout.write(
    json ? `${JSON.stringify({ name, holds, figures, error, seconds })}\n` : `${summary}\n`,
  );
  process.exit(holds ? 0 : 1);
}
