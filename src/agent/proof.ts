import type { Clock } from '#base';
import type { EngineControl } from '#engines';
import type { Site } from '#model';
import { probeServer } from '#probe';

/** What has to be shown before an engine is killed or replaced. */
const lastWordMs = 500;
const serversAskedMax = 8;

/** One more chance, longer than a tick's. */
export function answers(control: EngineControl): Promise<boolean> {
  return control.state(lastWordMs).then(
    () => true,
    () => false,
  );
}

/** Whether at least one server is good when asked directly: else the engine is not what is wrong. */
export async function anyServerAnswers(site: Site, clock: Clock): Promise<boolean> {
  const asked = site.pools
    .flatMap((pool) => pool.servers.slice(0, 2).map((server) => ({ pool, server })))
    .slice(0, serversAskedMax);
  const probes = await Promise.all(
    asked.map(({ pool, server }) =>
      probeServer(server, { check: pool.healthCheck, connectMs: pool.timeouts.connectMs, clock }),
    ),
  );
  return probes.some((probe) => probe.ok);
}
