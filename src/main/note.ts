import { agentSocket, type SitePaths, wireClient } from '#base';
import type { Noted } from '#events';

const noteMsMax = 3_000;

/** Has the balancer's agent keep a record, which comes into the journal. Nobody waits for it longer than a moment. */
export async function note(paths: SitePaths, balancer: string, what: Noted): Promise<void> {
  const agent = wireClient(agentSocket(paths, balancer));
  try {
    await agent.call('note', { what }, noteMsMax);
  } catch (error) {
    process.stderr.write(`not journalled: ${what.kind}: ${String(error)}\n`);
  } finally {
    agent.close();
  }
}
