import type { Duplex } from 'node:stream';
import { type Dispatcher, errors } from 'undici';
import { ClientLeft, ClientSilent, RequestBody } from './body.ts';
import { type Exchange, isHttp2 } from './exchange.ts';
import type { Head } from './head.ts';
import { endToEnd, fromBuffers } from './headers.ts';
import { startTunnel } from './tunnel.ts';
import { ConnectFailed, hadAnsweredBefore } from './upstream.ts';

/** How one attempt ended. Only after `connectFailed` and `stale` may the request be sent again. */
export type Outcome =
  | { readonly kind: 'answered' }
  | { readonly kind: 'connectFailed'; readonly error: ConnectFailed }
  /** A kept connection had ended before the server saw anything of a request that may be repeated. */
  | { readonly kind: 'stale' }
  /** Nothing of an answer was passed on yet. */
  | { readonly kind: 'failed'; readonly status: number; readonly why: string; readonly byServer: boolean }
  /** The answer broke off; the client saw it break off. */
  | { readonly kind: 'broken'; readonly why: string; readonly byServer: boolean }
  | { readonly kind: 'clientLeft' };

export interface SendOptions {
  readonly headers: readonly string[];
  readonly serverMs: number;
  readonly clientMs: number;
  readonly tunnelMs: number;
}

class ServerSilent extends Error {}
class ClientStuck extends Error {}

const repeatable = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Sends the request to one place and passes the answer on as it comes, as fast as the slower side takes it. */
export function send(to: Dispatcher, exchange: Exchange, head: Head, options: SendOptions): Promise<Outcome> {
  return new Promise((resolve) => {
    const attempt = new Attempt(exchange, head, options, resolve);
    to.dispatch(
      {
        path: head.target,
        method: head.method,
        headers: [...options.headers],
        body: attempt.body,
        upgrade: exchange.upgrade?.protocol ?? null,
      },
      attempt,
    );
  });
}

class Attempt implements Dispatcher.DispatchHandler {
  readonly body: RequestBody | null;
  readonly #exchange: Exchange;
  readonly #head: Head;
  readonly #options: SendOptions;
  readonly #resolve: (outcome: Outcome) => void;
  #controller: Dispatcher.DispatchController | null = null;
  #silence: NodeJS.Timeout | null = null;
  #answered = false;
  #paused = false;
  #over = false;

  constructor(exchange: Exchange, head: Head, options: SendOptions, resolve: (outcome: Outcome) => void) {
    this.#exchange = exchange;
    this.#head = head;
    this.#options = options;
    this.#resolve = resolve;
    this.body = head.hasBody ? this.#requestBody() : null;
    exchange.gone.addEventListener('abort', this.#clientLeft, { once: true });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#exchange.gone.aborted) controller.abort(new ClientLeft('the client left'));
    else this.#listen(this.#options.serverMs);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    message = '',
  ): void {
    this.#silence?.refresh();
    const headers = endToEnd(rawOf(controller.rawHeaders), status === 204 ? noLength : undefined);
    if (status < 200) {
      this.#informational(status, headers);
      return;
    }
    this.#answered = true;
    this.#exchange.start(status, message, headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#silence?.refresh();
    const { response } = this.#exchange;
    if (isHttp2(response) ? response.write(chunk) : response.write(chunk)) return;
    controller.pause();
    this.#paused = true;
    this.#listen(this.#options.clientMs);
    response.once('drain', () => {
      if (this.#over) return;
      this.#paused = false;
      this.#listen(this.#options.serverMs);
      controller.resume();
    });
  }

  onResponseEnd(): void {
    this.#exchange.response.end();
    this.#settle({ kind: 'answered' });
  }

  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    server: Duplex,
  ): void {
    const { upgrade } = this.#exchange;
    if (!upgrade) {
      server.destroy();
      this.#settle({ kind: 'failed', status: 502, why: 'upgrade-not-asked-for', byServer: true });
      return;
    }
    this.#exchange.status = status;
    this.#answered = true;
    const headers = endToEnd(rawOf(controller.rawHeaders));
    startTunnel({ upgrade, server, headers, silenceMsMax: this.#options.tunnelMs });
    this.#settle({ kind: 'answered' });
  }

  onResponseError(_controller: unknown, error: Error): void {
    const outcome = this.#outcomeOf(error);
    if (outcome.kind === 'broken') this.#exchange.abort();
    this.#settle(outcome);
  }

  readonly #clientLeft = (): void => {
    this.#controller?.abort(new ClientLeft('the client left'));
  };

  #requestBody(): RequestBody {
    const exchange = this.#exchange;
    return new RequestBody({
      request: exchange.request,
      silenceMsMax: this.#options.clientMs,
      onStart: () => {
        if (exchange.expectsContinue && !exchange.started) exchange.response.writeContinue();
        exchange.expectsContinue = false;
      },
      onBytes: () => this.#silence?.refresh(),
    });
  }

  #informational(status: number, headers: readonly string[]): void {
    const links = headers.filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === 'link');
    const { response, version } = this.#exchange;
    if (status === 103 && links.length > 0 && version !== 'old' && !this.#exchange.upgrade)
      response.writeEarlyHints({ link: links });
  }

  /** One timer for whoever is waited for: the server, or a client that does not read. */
  #listen(silenceMsMax: number): void {
    if (this.#silence) clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#silent(), silenceMsMax);
  }

  #silent(): void {
    if (this.#paused) this.#controller?.abort(new ClientStuck('the client does not read'));
    else if (this.body?.awaitsClient && !this.#answered) this.#silence?.refresh();
    else this.#controller?.abort(new ServerSilent('the server is silent'));
  }

  #outcomeOf(error: Error): Outcome {
    if (error instanceof ConnectFailed) return { kind: 'connectFailed', error };
    if (error instanceof ClientSilent) return this.#failed(408, 'client-silent', false);
    if (error instanceof ClientStuck) return { kind: 'broken', why: 'client-does-not-read', byServer: false };
    if (error instanceof ClientLeft || this.#exchange.gone.aborted) return { kind: 'clientLeft' };
    if (error instanceof ServerSilent) return this.#failed(504, 'server-silent', true);
    if (error instanceof errors.InvalidArgumentError || error instanceof errors.NotSupportedError)
      return this.#failed(400, 'request-cannot-be-passed-on', false);
    if (this.#mayRepeat(error)) return { kind: 'stale' };
    return this.#failed(
      502,
      error instanceof errors.HTTPParserError ? 'bad-answer' : 'server-broke-off',
      true,
    );
  }

  #failed(status: number, why: string, byServer: boolean): Outcome {
    return this.#exchange.started
      ? { kind: 'broken', why, byServer }
      : { kind: 'failed', status, why, byServer };
  }

  /** The connection had carried an answer before, and ended without a byte of this one. */
  #mayRepeat(error: Error): boolean {
    const closed = error instanceof errors.SocketError && (error.socket?.bytesRead ?? 0) > 0;
    const used = closed || (hadAnsweredBefore(error) && !(error instanceof errors.HTTPParserError));
    return used && !this.#answered && this.body === null && repeatable.has(this.#head.method);
  }

  #settle(outcome: Outcome): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#silence) clearTimeout(this.#silence);
    this.#exchange.gone.removeEventListener('abort', this.#clientLeft);
    if (this.body?.started) {
      this.body.destroy();
      this.#exchange.dropBody();
    }
    this.#resolve(outcome);
  }
}

const noLength = new Set(['content-length']);

function rawOf(raw: Dispatcher.DispatchController['rawHeaders']): string[] {
  return Array.isArray(raw) ? fromBuffers(raw) : [];
}
