// @ts-check
// Plain JavaScript: bin/holdfast.js asks it before anything else, and a first text with types would load what strips them.
import { userInfo } from 'node:os';
import { join } from 'node:path';

/**
 * Where Node keeps what it made of our source. `HOLDFAST_CACHE` overrides.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string}
 */
export function codeFolder(env = process.env) {
  const user = userInfo();
  const cache = user.uid === 0 ? '/var/cache' : (env.XDG_CACHE_HOME ?? join(user.homedir, '.cache'));
  return env.HOLDFAST_CACHE ?? join(cache, 'holdfast');
}
