import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, writeDurably } from '#base';

/**
 * A ticket can be taken up for five minutes with every engine. A key is known for one time before it encrypts, encrypts
 * for one, and decrypts for one more: whoever hears of a rotation late, up to the next one, still reads everybody's tickets.
 */
export const rotateEveryMs = 12 * 3_600_000;
const keysAll = 3;
const keyBytes = 48;
const draftMsMax = 60_000;
const named = /^\d{9}$/;

export interface KeySet {
  /** Rises with each rotation. */
  readonly number: number;
  /** In base64, 48 bytes each (name, AES-128, HMAC-SHA256), the oldest first. The last but one encrypts. */
  readonly keys: readonly string[];
}

/**
 * The keys of a site's TLS tickets: the same for every generation and balancer of this machine. Each set is a file of its
 * own, which comes into being whole and once: of several agents that rotate at the same time one does it, and one that is
 * killed leaves the old set or the new one. Who removes the folder has thrown all keys away: new ones are made at once.
 */
export class TicketKeys {
  readonly #folder: string;
  readonly #clock: Clock;

  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  /** Rotates first when it is time. Called at each start of a generation, and every second. */
  current(): KeySet {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const newest = this.#newest();
    if (!newest) {
      this.#make({ number: 1, keys: Array.from({ length: keysAll }, makeKey) });
    } else if (this.#clock.now() - newest.madeAt >= rotateEveryMs) {
      this.#make({ number: newest.number + 1, keys: [...newest.keys.slice(1), makeKey()] });
    } else return newest;
    const made = this.#newest();
    if (!made) throw new Error(`${this.#folder} does not keep what is written to it`);
    return made;
  }

  #newest(): (KeySet & { readonly madeAt: number }) | null {
    for (const number of this.#numbers()) {
      try {
        const file = this.#file(number);
        const keys = readFileSync(file, 'utf8').trim().split('\n');
        return { number, keys, madeAt: statSync(file).mtimeMs };
      } catch (error) {
        // Another agent has just rotated.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
    return null;
  }

  /** The newest first. */
  #numbers(): number[] {
    const files = readdirSync(this.#folder).filter((name) => named.test(name));
    return files.map(Number).toSorted((a, b) => b - a);
  }

  #file(number: number): string {
    return join(this.#folder, String(number).padStart(9, '0'));
  }

  /** Only one who makes it has made it. */
  #make({ number, keys }: KeySet): void {
    const draft = join(this.#folder, `draft-${process.pid}`);
    writeDurably(draft, keyFile(keys));
    try {
      linkSync(draft, this.#file(number));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    rmSync(draft, { force: true });
    for (const old of this.#numbers().filter((one) => one < number)) rmSync(this.#file(old), { force: true });
    for (const name of readdirSync(this.#folder)) if (!named.test(name)) this.#removeLeft(name);
  }

  /** Of one that was killed. */
  #removeLeft(name: string): void {
    const path = join(this.#folder, name);
    const madeAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (this.#clock.now() - madeAt > draftMsMax) rmSync(path, { force: true });
  }
}

function makeKey(): string {
  return randomBytes(keyBytes).toString('base64');
}

/** As HAProxy reads it. */
export function keyFile(keys: readonly string[]): string {
  return `${keys.join('\n')}\n`;
}
