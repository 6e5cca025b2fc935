import type { Progress } from '#contract';

/** What one change shows to whoever watches it: first all that was, then what comes. */
export interface ProgressHub {
  show(line: Progress): void;
  /** Calls `use` for what was, at once, and then for what comes, until `end`; returns the function that stops it. */
  watch(use: (line: Progress) => void): () => void;
}

export function createProgressHub(): ProgressHub {
  const shown: Progress[] = [];
  const watchers = new Set<(line: Progress) => void>();
  return {
    show(line) {
      const last = shown.at(-1);
      // Only the newest canary line is kept: a canary may last for hours.
      if (line.kind === 'canary' && last?.kind === 'canary') shown[shown.length - 1] = line;
      else shown.push(line);
      for (const use of watchers) use(line);
    },
    watch(use) {
      for (const line of shown) use(line);
      watchers.add(use);
      return () => watchers.delete(use);
    },
  };
}
