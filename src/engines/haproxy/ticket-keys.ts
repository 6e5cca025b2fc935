import type { Cli } from './cli.ts';

/**
 * `set ssl tls-key` makes a key the newest: the oldest is forgotten, and the last but one encrypts. So each key of the set
 * that it does not have yet is told in order, and read back. A site without TLS has nobody to tell.
 */
export async function setTicketKeys(cli: Cli, keys: readonly string[], left: () => number): Promise<void> {
  for (const [id, known] of keysOf(await cli.ask('show tls-keys *', left()))) {
    const missing = keys.slice(keys.indexOf(known.at(-1) ?? '') + 1);
    for (const key of missing) {
      const said = (await cli.ask(`set ssl tls-key #${id} ${key}`, left())).trim();
      if (!said.startsWith('TLS ticket key updated')) throw new Error(`set ssl tls-key: ${said}`);
    }
  }
  for (const [id, known] of keysOf(await cli.ask('show tls-keys *', left())))
    if (known.join() !== keys.join()) throw new Error(`the ticket keys #${id} are not as they were told`);
}

/** By the number of their file: `# 0 (/run/.../ticket.keys)`, then a line for each key: `0.1 BASE64`. */
function keysOf(said: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const line of said.split('\n')) {
    const file = /^# (\d+) \(/.exec(line)?.[1];
    if (file !== undefined) found.set(file, []);
    const [, id, key] = /^(\d+)\.\d+ (\S+)$/.exec(line) ?? [];
    if (id !== undefined && key !== undefined) found.get(id)?.push(key);
  }
  return found;
}
