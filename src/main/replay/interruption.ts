/** One signal for 'stop and tidy up': the caller's, Ctrl-C, or the end of the terminal. */
export function interruption(outer: AbortSignal | undefined): { readonly signal: AbortSignal; off(): void } {
  const ours = new AbortController();
  const stop = () => ours.abort(new Error('interrupted'));
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, stop);
  return {
    signal: outer ? AbortSignal.any([outer, ours.signal]) : ours.signal,
    off() {
      for (const name of names) process.off(name, stop);
    },
  };
}
