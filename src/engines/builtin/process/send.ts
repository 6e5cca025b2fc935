import type { Gzip } from 'node:zlib';
import type { Compression } from '#model';
import type { HeaderChanges } from '#routing';
import { type AnswerHead, BadAnswer } from './answer-parser.ts';
import { BodyOfAnotherLength, ClientLeft, ClientSilent, RequestBody } from './body.ts';
import { compressing } from './compression.ts';
import { type Exchange, isHttp2 } from './exchange.ts';
import { changedHeaders } from './filters.ts';
import type { Head } from './head.ts';
import { endToEnd, fieldsShape, type RawHeaders, valuesOf } from './headers.ts';
import { startTunnel } from './tunnel.ts';
import type { Asker, ConnectFailed, Connections, ServerConnection } from './upstream.ts';

/** How one attempt ended. Only after `connectFailed` and `stale` may the request be sent again. */
export type Outcome =
  | { readonly kind: 'answered' }
  | { readonly kind: 'connectFailed'; readonly error: ConnectFailed }
  /** A kept connection had ended before the server saw anything of a request that may be repeated. */
  | { readonly kind: 'stale' }
  /** An answer that another server may give better; nothing of it was passed on. */
  | { readonly kind: 'unwanted'; readonly status: number }
  /** Nothing of an answer was passed on yet. */
  | { readonly kind: 'failed'; readonly status: number; readonly why: string; readonly byServer: boolean }
  /** The answer broke off; the client saw it break off. */
  | { readonly kind: 'broken'; readonly why: string; readonly byServer: boolean }
  | { readonly kind: 'clientLeft' };

export interface SendOptions {
  /** End to end, with host. */
  readonly headers: RawHeaders;
  readonly serverMs: number;
  /** Until the answer begins, in the place of `serverMs`. */
  readonly firstByteMs?: number | undefined;
  /** For the whole of the request's body. */
  readonly bodyMs?: number | undefined;
  readonly clientMs: number;
  readonly tunnelMs: number;
  /** A kept one or a new one; a new one; a new one that is closed behind the answer. */
  readonly connection: 'any' | 'new' | 'once';
  /** Of the answer, behind what else is done to it. */
  readonly compression?: Compression | undefined;
  /** What is done to the server's answer. */
  readonly responseHeaders?: HeaderChanges | null;
  /** Whether an answer with this status is to be thrown away: another server will be asked. */
  unwanted(status: number): boolean;
}

class ServerSilent extends Error {}
class ClientStuck extends Error {}

/** What may be sent a second time: it changes nothing. */
export const repeatable = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);
/** Servers ask for a length where these have no body. */
const usuallyWithBody = new Set(['POST', 'PUT', 'PATCH']);
const startLineShape = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ [\x21-\x7e\x80-\xff]+$/;
/** Up to here a copy as text, which goes out in one piece with the head, is cheaper than a second piece. */
const oneWriteBytesMax = 8_192;
const answered: Outcome = { kind: 'answered' };

/** Sends the request to one place and passes the answer on as it comes, as fast as the slower side takes it. */
export function send(
  to: Connections,
  exchange: Exchange,
  head: Head,
  options: SendOptions,
): Promise<Outcome> {
  return new Promise((resolve) => {
    new Attempt(exchange, head, options, resolve).begin(to);
  });
}

class Attempt implements Asker {
  readonly #exchange: Exchange;
  readonly #head: Head;
  readonly #options: SendOptions;
  readonly #resolve: (outcome: Outcome) => void;
  #connection: ServerConnection | null = null;
  #body: RequestBody | null = null;
  /** Compresses the answer. */
  #packer: Gzip | null = null;
  /** Runs while the client does not read. */
  #stuck: NodeJS.Timeout | null = null;
  #answered = false;
  #over = false;

  constructor(exchange: Exchange, head: Head, options: SendOptions, resolve: (outcome: Outcome) => void) {
    this.#exchange = exchange;
    this.#head = head;
    this.#options = options;
    this.#resolve = resolve;
  }

  begin(to: Connections): void {
    const exchange = this.#exchange;
    const text = requestText(this.#head, this.#options, exchange.upgrade);
    if (text === null) {
      this.#settle(this.#failed(400, 'request-cannot-be-passed-on', false));
      return;
    }
    exchange.whenGone(() => this.#break(new ClientLeft('the client left')));
    if (exchange.expired) {
      this.#settle(this.#tookTooLong());
      return;
    }
    to.take(
      this.#options.connection !== 'any' || exchange.upgrade !== null,
      (connection) => this.#ask(connection, text),
      (error) => this.#settle(exchange.gone ? { kind: 'clientLeft' } : { kind: 'connectFailed', error }),
    );
  }

  onInformational({ status, headers }: AnswerHead): void {
    const { response, version, upgrade } = this.#exchange;
    if (status !== 103 || version === 'old' || upgrade) return;
    const link = valuesOf(endToEnd(headers), 'link');
    if (link.length > 0) response.writeEarlyHints({ link: [...link] });
  }

  onHead({ status, reason, headers }: AnswerHead): void {
    if (this.#options.unwanted(status)) {
      this.#connection?.drop();
      this.#settle({ kind: 'unwanted', status });
      return;
    }
    this.#answered = true;
    if (this.#options.firstByteMs !== undefined) this.#connection?.silentFor(this.#options.serverMs);
    const came = endToEnd(headers, status === 204 ? noLength : undefined);
    const { responseHeaders } = this.#options;
    const changed = responseHeaders ? changedHeaders(came, responseHeaders) : came;
    this.#exchange.start(status, reason, this.#compressed(status, changed));
  }

  #compressed(status: number, headers: readonly string[]): readonly string[] {
    const { compression } = this.#options;
    if (compression === undefined) return headers;
    const { method } = this.#head;
    const { version, request, response } = this.#exchange;
    const accepts = version === 'old' ? null : valuesOf(request.rawHeaders, 'accept-encoding');
    const made = compressing(compression, { method, accepts }, status, headers);
    this.#packer = made.stream;
    made.stream?.on('error', () => this.#exchange.abort()).pipe(response);
    return made.headers;
  }

  onData(bytes: Buffer, last: boolean): void {
    // What is left of an answer that nobody wants.
    if (this.#over) return;
    const { response } = this.#exchange;
    if (this.#packer) {
      if (last) this.#packer.end(bytes);
      else if (!this.#packer.write(bytes)) this.#pause(this.#packer);
    } else if (isHttp2(response)) {
      if (last) response.end(bytes);
      else if (!response.write(bytes)) this.#pause();
    } else if (last && bytes.length <= oneWriteBytesMax) response.end(bytes.toString('latin1'), 'latin1');
    else if (last) response.end(bytes);
    else if (!response.write(bytes)) this.#pause();
  }

  onEnd(trailers: RawHeaders): void {
    if (this.#over) return;
    const said = trailers.length > 0 ? endToEnd(trailers, noLength) : trailers;
    if (this.#packer) this.#exchange.trail(said);
    else this.#exchange.end(said);
    if (!this.#packer) this.#exchange.takenWithin(this.#options.clientMs);
    // The server has answered a request that it did not hear to the end: nothing can follow on that connection.
    const unheard = this.#body !== null && !this.#body.whole;
    if (unheard || this.#options.connection === 'once') this.#connection?.drop();
    if (this.#packer) this.#pack(this.#packer);
    else this.#settle(answered);
  }

  /** The rest comes out of the packer. The server's connection may carry another request by now. */
  #pack(packer: Gzip): void {
    this.#connection = null;
    this.#exchange.whenGone(() => packer.destroy());
    packer
      .once('end', () => this.#exchange.takenWithin(this.#options.clientMs))
      .once('close', () => this.#settle(answered))
      .end();
  }

  onSwitch({ status, headers }: AnswerHead, first: Buffer): void {
    const { upgrade } = this.#exchange;
    const server = this.#connection?.release();
    if (!upgrade || !server) {
      server?.destroy();
      this.#settle(this.#failed(502, 'upgrade-not-asked-for', true));
      return;
    }
    this.#exchange.status = status;
    this.#answered = true;
    const plain = endToEnd(headers);
    const dressed = this.#exchange.dress?.(plain) ?? plain;
    startTunnel({ upgrade, server, first, headers: dressed, silenceMsMax: this.#options.tunnelMs });
    this.#settle(answered);
  }

  onSilence(): void {
    const awaitsClient = this.#stuck !== null || (this.#body?.awaitsClient === true && !this.#answered);
    if (awaitsClient) this.#connection?.goOn();
    else this.#break(new ServerSilent('the server is silent'));
  }

  onBroken(error: Error, untouched: boolean): void {
    const outcome = this.#outcomeOf(error, untouched);
    if (outcome.kind === 'broken') {
      this.#packer?.destroy();
      this.#exchange.abort();
    }
    this.#settle(outcome);
  }

  #ask(connection: ServerConnection, text: string): void {
    if (this.#over) {
      connection.drop();
      return;
    }
    if (this.#exchange.gone) {
      connection.drop();
      this.#settle({ kind: 'clientLeft' });
      return;
    }
    this.#connection = connection;
    const { serverMs, firstByteMs, clientMs, bodyMs } = this.#options;
    const silenceMs = firstByteMs ?? serverMs;
    connection.ask(this, text, { bodyless: this.#head.method === 'HEAD', silenceMs });
    if (!this.#head.hasBody) return;
    const exchange = this.#exchange;
    if (exchange.expectsContinue) exchange.response.writeContinue();
    exchange.expectsContinue = false;
    const [length] = valuesOf(this.#options.headers, 'content-length');
    this.#body = new RequestBody(exchange.request, length === undefined ? null : Number(length), {
      silenceMsMax: clientMs,
      wholeMsMax: bodyMs ?? null,
    });
    this.#body.start(connection.socket, (error) => this.#break(error), exchange.copy);
  }

  #pause(full: { once(event: 'drain', heard: () => void): unknown } = this.#exchange.response): void {
    const connection = this.#connection;
    if (this.#stuck || !connection) return;
    connection.socket.pause();
    this.#stuck = setTimeout(() => {
      this.#break(new ClientStuck('the client does not read'));
    }, this.#options.clientMs);
    full.once('drain', () => {
      if (this.#over) return;
      if (this.#stuck) clearTimeout(this.#stuck);
      this.#stuck = null;
      connection.goOn();
      connection.socket.resume();
    });
  }

  /** What happened on our side or the client's: the connection to the server goes with it. */
  #break(error: Error): void {
    if (this.#over) return;
    this.#connection?.drop();
    // Without a connection it is still being opened: its end settles this.
    if (this.#connection) this.onBroken(error, false);
    else if (this.#exchange.expired) this.#settle(this.#tookTooLong());
  }

  #tookTooLong(): Outcome {
    return this.#failed(504, 'took-too-long', true);
  }

  #outcomeOf(error: Error, untouched: boolean): Outcome {
    if (error instanceof ClientSilent) return this.#failed(408, 'client-silent', false);
    if (error instanceof ClientStuck) return { kind: 'broken', why: 'client-does-not-read', byServer: false };
    if (this.#exchange.expired && !this.#exchange.gone) return this.#tookTooLong();
    if (error instanceof ClientLeft || this.#exchange.gone) return { kind: 'clientLeft' };
    if (error instanceof BodyOfAnotherLength) return this.#failed(400, 'body-of-another-length', false);
    if (error instanceof ServerSilent) return this.#failed(504, 'server-silent', true);
    if (untouched && !this.#answered && !this.#head.hasBody && repeatable.has(this.#head.method))
      return { kind: 'stale' };
    return this.#failed(502, error instanceof BadAnswer ? 'bad-answer' : 'server-broke-off', true);
  }

  #failed(status: number, why: string, byServer: boolean): Outcome {
    return this.#exchange.started
      ? { kind: 'broken', why, byServer }
      : { kind: 'failed', status, why, byServer };
  }

  #settle(outcome: Outcome): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#stuck) clearTimeout(this.#stuck);
    this.#exchange.whenGone(null);
    if (this.#body) {
      this.#body.stop();
      this.#exchange.dropBody();
    }
    this.#resolve(outcome);
  }
}

/** The request's head as it goes out; null when it would not be one that can be read in one way only. */
export function requestText(
  { method, target, hasBody }: Head,
  { headers, connection }: Pick<SendOptions, 'headers' | 'connection'>,
  upgrade: Exchange['upgrade'],
): string | null {
  let fields = '';
  for (let i = 0; i + 1 < headers.length; i += 2) fields += `${headers[i]}: ${headers[i + 1]}\r\n`;
  const hasLength = valuesOf(headers, 'content-length').length > 0;
  if (hasBody && !hasLength) fields += 'transfer-encoding: chunked\r\n';
  else if (!hasLength && usuallyWithBody.has(method)) fields += 'content-length: 0\r\n';
  fields += upgrade
    ? `connection: upgrade\r\nupgrade: ${upgrade.protocol}\r\n`
    : `connection: ${connection === 'once' ? 'close' : 'keep-alive'}\r\n`;
  const line = `${method} ${target}`;
  return startLineShape.test(line) && fieldsShape.test(fields) ? `${line} HTTP/1.1\r\n${fields}\r\n` : null;
}

const noLength = new Set(['content-length']);
