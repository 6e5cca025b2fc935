import { join } from 'node:path';
import { apiFile, baseFolders } from './base-folders.js';

/** Where one site keeps what must survive a reboot (`state`) and what must not (`run`: sockets, generations). */
export interface SitePaths {
  readonly run: string;
  readonly state: string;
  /** Where the API is and the token for it, readable by the user who started Holdfast: `ApiLocation` as JSON. */
  readonly api: string;
}

export interface ApiLocation {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
}

export function sitePaths(site: string, env: NodeJS.ProcessEnv = process.env): SitePaths {
  const base = baseFolders(env);
  return { run: join(base.run, site), state: join(base.state, site), api: apiFile(base.run, site) };
}

/** The Unix socket of a balancer's agent: `wireClient` speaks to it. */
export function agentSocket(paths: SitePaths, balancer: string): string {
  return join(paths.run, balancer, 'agent.sock');
}
