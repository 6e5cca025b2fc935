// @ts-check
// Plain JavaScript, as code-folder.js: a rollback by hand asks it, and waits for nothing that strips types.
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/**
 * The folders whose subfolders are sites. `HOLDFAST_RUN` and `HOLDFAST_STATE` override.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {{ run: string; state: string }}
 */
export function baseFolders(env = process.env) {
  const user = userInfo();
  const root = user.uid === 0;
  const runtime = root ? '/run' : (env.XDG_RUNTIME_DIR ?? join(tmpdir(), `holdfast-${user.uid}`));
  const state = root ? '/var/lib' : (env.XDG_STATE_HOME ?? join(user.homedir, '.local/state'));
  return {
    run: env.HOLDFAST_RUN ?? join(runtime, 'holdfast'),
    state: env.HOLDFAST_STATE ?? join(state, 'holdfast'),
  };
}

/**
 * Sites whose controller left word where it is (`ApiLocation`), whether it still runs or is just being started again.
 * @param {string} run
 * @returns {string[]} names
 */
export function sitesThatRun(run) {
  let folders;
  try {
    folders = readdirSync(run, { withFileTypes: true });
  } catch {
    return [];
  }
  return folders
    .filter((entry) => entry.isDirectory() && existsSync(apiFile(run, entry.name)))
    .map(({ name }) => name)
    .sort();
}

/**
 * Where the API of a site is, and the token for it: an `ApiLocation` as JSON, readable by the user who started Holdfast.
 * @param {string} run
 * @param {string} site
 */
export function apiFile(run, site) {
  return join(run, site, 'api.json');
}
