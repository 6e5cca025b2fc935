// @ts-check
// Plain JavaScript: bin/holdfast.js asks it before anything else, and a first text with types would load what strips them.
import { existsSync, mkdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * Where Node keeps what it made of our source: `code` below the cache folder, which `HOLDFAST_CACHE` overrides. Null: nothing
 * can be kept there.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string | null}
 */
export function codeFolder(env = process.env) {
  const user = userInfo();
  const cache = user.uid === 0 ? '/var/cache' : (env.XDG_CACHE_HOME ?? join(user.homedir, '.cache'));
  const folder = join(env.HOLDFAST_CACHE ?? join(cache, 'holdfast'), 'code');
  return isThere(folder) ? folder : null;
}

/**
 * The same for a child of ours.
 * @returns {Record<string, string>}
 */
export function codeCache() {
  const folder = codeFolder();
  return folder === null ? {} : { NODE_COMPILE_CACHE: folder };
}

/**
 * Made one by one: Node tries for ever to make several at once where none can be made, such as below /proc.
 * @param {string} folder
 * @returns {boolean}
 */
function isThere(folder) {
  if (existsSync(folder)) return true;
  const above = dirname(folder);
  if (above === folder || !isThere(above)) return false;
  try {
    mkdirSync(folder);
    return true;
  } catch {
    // Another process may just have made it.
    return existsSync(folder);
  }
}
