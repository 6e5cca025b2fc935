import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from '#base';
import type { EngineControl } from '#engines';

/** More than a site has servers and settings of them. */
const keptMax = 50_000;
const answerMsMax = 2_000;

/** What was set at runtime and holds for later generations too: survives switches and reboots. */
export class KeptCommands {
  readonly #file: string;
  readonly #commands: Map<string, string>;

  constructor(state: string) {
    this.#file = join(state, 'runtime.json');
    this.#commands = new Map(load(this.#file));
  }

  get all(): readonly string[] {
    return [...this.#commands.values()];
  }

  /** Whether something of this server (`pool/server`) was set. */
  concerns(server: string): boolean {
    return this.#commands.keys().some((key) => key.endsWith(` ${server}`));
  }

  /** On disk when it returns. */
  keep(key: string, command: string): void {
    this.#commands.delete(key);
    this.#commands.set(key, command);
    for (const oldest of this.#commands.keys()) {
      if (this.#commands.size <= keptMax) break;
      this.#commands.delete(oldest);
    }
    writeDurably(this.#file, JSON.stringify([...this.#commands]));
  }

  /** Tells a generation that has just started. Resolves with what it did not take: a server that its text no longer has, say. */
  async tell(control: EngineControl): Promise<readonly string[]> {
    const refused: string[] = [];
    if (!control.ask) return refused;
    for (const command of this.all) {
      const said = await control.ask(command, answerMsMax);
      if (said.trim() !== '') refused.push(`${command}: ${said.trim()}`);
    }
    return refused;
  }
}

function load(file: string): [string, string][] {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as [string, string][];
  } catch {
    return [];
  }
}
