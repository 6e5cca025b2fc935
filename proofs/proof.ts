/** What every `npm run prove:NAME` and `npm run bench` is made of: figures that hold or do not, a last line that sums them up, an exit status. */

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

export interface Gathered {
  readonly figures: readonly Figure[];
  /** What was thrown; empty when nothing was. */
  readonly error: string;
  readonly seconds: number;
  /** All that was judged holds, and something was judged. */
  readonly holds: boolean;
  readonly broken: readonly string[];
}

/** Runs one, and says each figure as it comes. */
export async function gather(
  say: (line: string) => void,
  run: (proof: Proof) => Promise<void>,
): Promise<Gathered> {
  const figures: Figure[] = [];
  const add = (figure: Figure) => {
    figures.push(figure);
    const mark = figure.holds === null ? ' ' : figure.holds ? '✓' : '✗';
    const wanted = figure.wanted === '' ? '' : `   (${figure.wanted})`;
    say(`  ${mark} ${figure.name.padEnd(64)} ${String(figure.value).padStart(10)}${wanted}`);
  };
  let error = '';
  const began = performance.now();
  try {
    await run(proofOf(say, add));
  } catch (thrown) {
    error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    say(`  ✗ ${error}`);
  }
  const judged = figures.filter((f) => f.holds !== null);
  const broken = judged.filter((f) => !f.holds).map((f) => f.name);
  const holds = error === '' && judged.length > 0 && broken.length === 0;
  return { figures, error, holds, broken, seconds: Math.round((performance.now() - began) / 1000) };
}

function proofOf(say: Proof['say'], add: (figure: Figure) => void): Proof {
  const rounded = (value: number) => Math.round(value * 1_000) / 1_000;
  const judge = (name: string, value: number, wanted: string, holds: boolean) =>
    add({ name, value: rounded(value), wanted, holds });
  return {
    say,
    tell: (name, value) =>
      add({ name, value: typeof value === 'number' ? rounded(value) : value, wanted: '', holds: null }),
    atMost: (name, value, most, unit = '') =>
      judge(name, value, `at most ${most}${unit && ` ${unit}`}`, value <= most),
    atLeast: (name, value, least, unit = '') =>
      judge(name, value, `at least ${least}${unit && ` ${unit}`}`, value >= least),
    holds: (name, value, wanted, holds) => add({ name, value, wanted, holds }),
  };
}

const toUndo: (() => Promise<void>)[] = [];

/**
 * What has to be undone also when the proof is interrupted: sites that run, folders, file systems. Returns what undoes it,
 * which does so once. What began last is undone first.
 */
export function undoing(undo: () => unknown): () => Promise<void> {
  let done: Promise<void> | null = null;
  const once = () => {
    done ??= Promise.resolve()
      .then(undo)
      .then(() => {});
    return done;
  };
  toUndo.push(once);
  return once;
}

const interruptedExit = 130;

async function undoAll(): Promise<never> {
  for (const undo of toUndo.toReversed())
    await undo().catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
  process.exit(interruptedExit);
}

/** Runs a proof as a program. A proof that judged nothing does not hold. */
export async function prove(name: string, run: (proof: Proof) => Promise<void>): Promise<never> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void undoAll());
  const json = process.argv.includes('--json');
  const say = (line: string) => {
    if (!json) process.stdout.write(`${line}\n`);
  };
  const { figures, error, holds, broken, seconds } = await gather(say, run);
  const judged = figures.filter((f) => f.holds !== null);
  const summary = holds
    ? `prove:${name} holds: ${judged.length} of ${judged.length} figures, in ${seconds} s`
    : `prove:${name} DOES NOT HOLD: ${error === '' ? broken.join('; ') || 'nothing was judged' : error.split('\n')[0]}`;
  process.stdout.write(
    json ? `${JSON.stringify({ name, holds, figures, error, seconds })}\n` : `${summary}\n`,
  );
  process.exit(holds ? 0 : 1);
}
