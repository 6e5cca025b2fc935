import { closeSync } from 'node:fs';
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import type { ListenAt } from '#dialects';
import { duplicate } from './descriptor.ts';

/** What the holder's socket has; Node's own default (511) would shrink it for all generations. */
export const backlog = 4096;

/**
 * One listener's public door. Parked, it accepts nothing and leaves open connections alone; the socket itself stays
 * open under its inherited number, for us and for the other generations.
 */
export class PublicDoor {
  readonly #at: ListenAt;
  readonly #halfOpen: boolean;
  readonly #accept: (socket: Socket) => void;
  #server: Server | null = null;

  /** `halfOpen`: a client that has said all may still hear its answer. TLS has its own way of saying so. */
  constructor(at: ListenAt, options: { readonly halfOpen: boolean; accept(socket: Socket): void }) {
    this.#at = at;
    this.#halfOpen = options.halfOpen;
    this.#accept = options.accept;
  }

  get open(): boolean {
    return this.#server?.listening === true;
  }

  async resume(): Promise<void> {
    if (this.#server) return;
    const server = createServer(
      { allowHalfOpen: this.#halfOpen, noDelay: true, keepAlive: true },
      this.#accept,
    );
    this.#server = server;
    try {
      await listen(server, listenOptions(this.#at));
    } catch (error) {
      if (this.#server === server) this.#server = null;
      throw error;
    }
  }

  /** Closes only the accepting: what was accepted belongs to whoever serves it. */
  park(): void {
    this.#server?.close();
    this.#server = null;
  }

  /** For good: gives up the inherited number too. */
  end(): void {
    this.park();
    if (this.#at.kind === 'fd') closeSync(this.#at.fd);
  }
}

function listenOptions(at: ListenAt): ListenOptions & { fd?: number } {
  switch (at.kind) {
    case 'fd':
      return { fd: duplicate(at.fd), backlog };
    case 'address':
      return { host: at.host, port: at.port, backlog };
    case 'unix':
      return { path: at.path, backlog };
  }
}

export function listen(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      server.on('error', () => {});
      resolve();
    });
  });
}
