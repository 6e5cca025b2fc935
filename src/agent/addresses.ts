import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { type Diagnostic, Failure } from '#base';
import { type Balancer, boundHost, type Site } from '#model';
import { openListening } from './holder/sockets.ts';
import { loadState } from './holder/state.ts';

/** Listeners of the site whose address cannot be had on this balancer: tried, and let go at once. What the holder has is ours. */
export function addressMistakes(site: Site, balancer: Balancer, run: string): readonly Diagnostic[] {
  const held = new Set(
    loadState(join(run, 'holder.json')).sockets.map(({ host, port }) => `${host}:${port}`),
  );
  return site.listeners.flatMap((listener) => {
    const host = boundHost(listener, balancer);
    if (held.has(`${host}:${listener.port}`)) return [];
    try {
      closeSync(openListening(host, listener.port, { dualStack: listener.dualStack ?? false }));
      return [];
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const { code, message, remedy } = error;
      const path = `listener "${listener.name}"`;
      return [{ code, severity: 'error', place: listener.place, path, message, remedy }];
    }
  });
}
