import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

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

/** The folder whose subfolders are sites. `HOLDFAST_RUN` and `HOLDFAST_STATE` override. */
export function baseFolders(env: NodeJS.ProcessEnv = process.env): { run: string; state: string } {
  const user = userInfo();
  const root = user.uid === 0;
  const runtime = root ? '/run' : (env.XDG_RUNTIME_DIR ?? join(tmpdir(), `holdfast-${user.uid}`));
  const state = root ? '/var/lib' : (env.XDG_STATE_HOME ?? join(user.homedir, '.local/state'));
  return {
    run: env.HOLDFAST_RUN ?? join(runtime, 'holdfast'),
    state: env.HOLDFAST_STATE ?? join(state, 'holdfast'),
  };
}

export function sitePaths(site: string, env: NodeJS.ProcessEnv = process.env): SitePaths {
  const base = baseFolders(env);
  return { run: join(base.run, site), state: join(base.state, site), api: join(base.run, site, 'api.json') };
}

/** The Unix socket of a balancer's agent: `wireClient` speaks to it. */
export function agentSocket(paths: SitePaths, balancer: string): string {
  return join(paths.run, balancer, 'agent.sock');
}
