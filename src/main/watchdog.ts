import { agentSocket, messageOf, type SitePaths, systemClock, wireClient } from '#base';
import type { Site } from '#model';
import { runningPid } from './children.ts';
import { balancerPlaces } from './places.ts';

const askEveryMs = 2_000;
const answerMsMax = 2_000;
/** An agent that is silent for as long as this is of no use: the holder has long ended every exposure. */
const silencesMax = 3;

/**
 * Kills agents that live and do not answer; whoever supervises them starts them again. No request is lost by it.
 * An agent that does not listen yet is starting, which may take its time. Resolves when `stopping` is aborted.
 */
export async function endHungAgents(
  site: Site,
  paths: SitePaths,
  stopping: AbortSignal,
  say: (text: string) => void,
): Promise<void> {
  await Promise.all(
    site.balancers.map(async ({ name }) => {
      const client = wireClient(agentSocket(paths, name));
      const { agentPid } = balancerPlaces(paths, name);
      let silences = 0;
      while (!stopping.aborted) {
        const hung = await client.call('status', {}, answerMsMax).then(
          () => false,
          (error) => messageOf(error).includes('no answer'),
        );
        silences = hung ? silences + 1 : 0;
        const pid = silences >= silencesMax ? runningPid(agentPid) : null;
        if (pid !== null) {
          say(`${new Date().toISOString()} the agent of ${name} does not answer and is killed`);
          process.kill(pid, 'SIGKILL');
          silences = 0;
        }
        await systemClock.sleep(askEveryMs, stopping).catch(() => {});
      }
      client.close();
    }),
  );
}
