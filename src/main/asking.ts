import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { type ApiLocation, messageOf, type SitePaths, wireClient } from '#base';
import { type Answer, type ChildPlan, runningPid } from './children.ts';

/** Ten seconds: the holder has ended every exposure long before. */
export const agentSilencesMax = 3;
/** Half a minute: nothing that it does at a stretch takes so long, and nobody misses it sooner than it is back. */
export const controllerSilencesMax = 8;

/** An agent, by its socket; whatever it says is an answer. */
export function askAgent(socket: string): ChildPlan['ask'] {
  return async (withinMs) => {
    const client = wireClient(socket);
    try {
      await client.call('status', {}, withinMs);
      return 'answers';
    } catch (error) {
      return isNobody(error) ? 'away' : messageOf(error).includes('no answer') ? 'silent' : 'answers';
    } finally {
      client.close();
    }
  };
}

/** The controller, at the address of its API. One that has not written that down is starting. */
export function askController(paths: SitePaths): ChildPlan['ask'] {
  const pidFile = join(paths.run, 'controller.pid');
  return async (withinMs) => {
    const location = apiOf(paths);
    if (!location || location.pid !== runningPid(pidFile)) return 'away';
    return await new Promise<Answer>((resolve) => {
      const request = get(`${location.url}/health`, { agent: false, timeout: withinMs }, (response) => {
        response.destroy();
        resolve('answers');
      });
      request.on('error', (error) => resolve(isNobody(error) ? 'away' : 'silent'));
      request.on('timeout', () => request.destroy());
    });
  };
}

export function apiOf(paths: SitePaths): ApiLocation | null {
  try {
    return JSON.parse(readFileSync(paths.api, 'utf8')) as ApiLocation;
  } catch {
    return null;
  }
}

function isNobody(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  return code === 'ENOENT' || code === 'ECONNREFUSED';
}
