/** Time as a parameter: product code never calls Date.now or setTimeout on its own. */
export interface Clock {
  /** Milliseconds since 1970, for what people read and the journal keeps. */
  now(): number;
  /** Milliseconds from an arbitrary start, never going back: for measuring and deadlines. */
  monotonicMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve();
      }, ms);
      signal?.addEventListener('abort', stop, { once: true });
    }),
};

/** Calls `act` after `ms`. Returns the function that calls it off. */
export function after(clock: Clock, ms: number, act: () => void): () => void {
  const off = new AbortController();
  clock.sleep(ms, off.signal).then(
    () => {
      if (!off.signal.aborted) act();
    },
    () => {},
  );
  return () => off.abort();
}
