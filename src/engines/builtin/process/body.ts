import type { Socket } from 'node:net';
import type { ClientRequest } from './exchange.ts';

/** The client was silent while its body was awaited, or took too long over it. */
export class ClientSilent extends Error {}
export class ClientLeft extends Error {}
/** The client sent more or less than it had said (HTTP/2 only; HTTP/1.1 cannot). */
export class BodyOfAnotherLength extends Error {}

export interface BodyTimes {
  readonly silenceMsMax: number;
  /** Null: as long as it takes. */
  readonly wholeMsMax: number | null;
}

/**
 * A request's body on its way to a server. It touches the request only once there is a connection to the server (so one
 * that failed costs nothing), and never destroys it (so the client still gets its answer).
 */
export class RequestBody {
  readonly #request: ClientRequest;
  readonly #length: number | null;
  readonly #silenceMsMax: number;
  readonly #wholeMsMax: number | null;
  #to: Socket | null = null;
  #sent = 0;
  #whole = false;
  #blocked = false;
  #silence: NodeJS.Timeout | null = null;
  #late: NodeJS.Timeout | null = null;
  #onBroken: (error: Error) => void = () => {};
  #copy: ((bytes: Buffer) => void) | null = null;

  /** `length`: null when it is sent in chunks. */
  constructor(request: ClientRequest, length: number | null, { silenceMsMax, wholeMsMax }: BodyTimes) {
    this.#request = request;
    this.#length = length;
    this.#silenceMsMax = silenceMsMax;
    this.#wholeMsMax = wholeMsMax;
  }

  /** Bytes were taken from the request: it cannot be sent a second time. */
  get started(): boolean {
    return this.#to !== null;
  }

  /** All of it was handed over. */
  get whole(): boolean {
    return this.#whole;
  }

  /** The client owes us the next bytes; the server is not to blame for the silence. */
  get awaitsClient(): boolean {
    return this.#to !== null && !this.#whole && !this.#blocked;
  }

  /** `copy`: hears what is passed on too. */
  start(to: Socket, onBroken: (error: Error) => void, copy: ((bytes: Buffer) => void) | null = null): void {
    this.#to = to;
    this.#copy = copy;
    this.#onBroken = onBroken;
    this.#silence = setTimeout(() => {
      if (this.awaitsClient) this.#break(new ClientSilent('the client sent no more of its body'));
    }, this.#silenceMsMax);
    if (this.#wholeMsMax !== null)
      this.#late = setTimeout(() => {
        this.#break(new ClientSilent('the body took too long'));
      }, this.#wholeMsMax);
    const request = this.#request;
    to.on('drain', this.#drain);
    request.on('data', this.#data).on('end', this.#end).on('close', this.#close).on('error', this.#close);
    if (request.readableEnded) this.#end();
    else if (request.destroyed) this.#close();
    else request.resume();
  }

  /** Takes no more of the request. */
  stop(): void {
    if (this.#silence) clearTimeout(this.#silence);
    if (this.#late) clearTimeout(this.#late);
    this.#to?.off('drain', this.#drain);
    // The listener for 'error' stays: an error that nobody hears would be the process's.
    this.#request.off('data', this.#data).off('end', this.#end).off('close', this.#close);
  }

  #break(error: Error): void {
    this.stop();
    this.#onBroken(error);
  }

  readonly #data = (bytes: Buffer): void => {
    const to = this.#to;
    if (!to || bytes.length === 0) return;
    this.#silence?.refresh();
    this.#sent += bytes.length;
    if (this.#length !== null && this.#sent > this.#length) {
      this.#break(new BodyOfAnotherLength('the body is longer than its content-length'));
      return;
    }
    if (this.#length === null) {
      to.cork();
      to.write(`${bytes.length.toString(16)}\r\n`, 'latin1');
      to.write(bytes);
      this.#blocked = !to.write('\r\n', 'latin1');
      to.uncork();
    } else this.#blocked = !to.write(bytes);
    this.#copy?.(bytes);
    if (this.#blocked) this.#request.pause();
  };

  readonly #drain = (): void => {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#silence?.refresh();
    this.#request.resume();
  };

  readonly #end = (): void => {
    this.stop();
    if (this.#length !== null && this.#sent !== this.#length) {
      this.#onBroken(new BodyOfAnotherLength('the body is shorter than its content-length'));
      return;
    }
    if (this.#length === null) this.#to?.write('0\r\n\r\n', 'latin1');
    this.#whole = true;
  };

  readonly #close = (): void => {
    if (!this.#request.readableEnded) this.#break(new ClientLeft('the client left'));
  };
}
