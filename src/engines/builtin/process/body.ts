import { Readable } from 'node:stream';
import type { ClientRequest } from './exchange.ts';

/** The client was silent while its body was awaited. */
export class ClientSilent extends Error {}
export class ClientLeft extends Error {}

/**
 * A request's body on its way to a server. It touches the request only when the server's connection asks for the first
 * byte (so a connection that failed costs nothing), and never destroys it (so the client still gets its answer).
 */
export class RequestBody extends Readable {
  readonly #request: ClientRequest;
  readonly #silenceMsMax: number;
  readonly #onStart: () => void;
  readonly #onBytes: () => void;
  #started = false;
  #waiting = false;
  #silence: NodeJS.Timeout | null = null;

  constructor(options: {
    readonly request: ClientRequest;
    readonly silenceMsMax: number;
    onStart(): void;
    onBytes(): void;
  }) {
    super();
    this.#request = options.request;
    this.#silenceMsMax = options.silenceMsMax;
    this.#onStart = options.onStart;
    this.#onBytes = options.onBytes;
    // It may break after its reader has gone; an error that nobody hears would be the process's.
    this.on('error', () => {});
  }

  /** Bytes were taken from the request: it cannot be sent a second time. */
  get started(): boolean {
    return this.#started;
  }

  /** The client owes us the next bytes; the server is not to blame for the silence. */
  get awaitsClient(): boolean {
    return this.#waiting;
  }

  override _read(): void {
    if (!this.#started) this.#begin();
    this.#waiting = true;
    this.#silence?.refresh();
    this.#request.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#detach();
    done(error);
  }

  #begin(): void {
    this.#started = true;
    this.#onStart();
    this.#silence = setTimeout(() => {
      if (this.#waiting) this.destroy(new ClientSilent('the client sent no more of its body'));
    }, this.#silenceMsMax);
    this.#request
      .on('data', this.#data)
      .on('end', this.#end)
      .on('close', this.#close)
      .on('error', this.#close);
    if (this.#request.readableEnded) this.#end();
    else if (this.#request.destroyed) this.#close();
  }

  #detach(): void {
    this.#waiting = false;
    if (this.#silence) clearTimeout(this.#silence);
    // The listener for 'error' stays, for the same reason as our own.
    this.#request.off('data', this.#data).off('end', this.#end).off('close', this.#close);
  }

  readonly #data = (chunk: Buffer): void => {
    this.#silence?.refresh();
    this.#onBytes();
    if (this.push(chunk)) return;
    this.#waiting = false;
    this.#request.pause();
  };

  readonly #end = (): void => {
    this.#detach();
    this.push(null);
  };

  readonly #close = (): void => {
    if (!this.#request.readableEnded) this.destroy(new ClientLeft('the client left'));
  };
}
