/** HTTP/1.1 as RFC 9112 has it, to the letter: what is not exactly right is a fault. Reads what went over the wire. */
export interface Message {
  readonly start: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  /** The beginning of it. */
  body: string;
  bodyBytes: number;
  trailers: readonly (readonly [name: string, value: string])[];
  complete: boolean;
}

export interface ReaderOptions {
  readonly kind: 'request' | 'response';
  /** What can end nothing is let pass: control bytes in values, odd names of trailers. */
  readonly tolerant?: true;
  /** The method of the nth request that gets an answer: an answer to HEAD has no body. */
  methodOf?(nth: number): string;
  onHead?(message: Message): void;
  onMessage?(message: Message): void;
}

const keptBytesMax = 65_536;
const headBytesMax = 1_048_576;
const fieldShape = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;
/** RFC 9110, 5.5: other control bytes than these may be kept. They end nothing. */
const tolerantFieldShape = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\0\r\n]*?)[ \t]*$/;
/** Trailers say nothing about where a message ends, whatever they are called. */
const tolerantTrailerShape = /^([^\0-\x20:]+):[ \t]*([^\0\r\n]*?)[ \t]*$/;
const requestShape = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ [\x21-\x7e\x80-\xff]+ HTTP\/1\.[01]$/;
const responseShape = /^HTTP\/1\.[01] \d{3}(?: [\t\x20-\x7e\x80-\xff]*)?$/;

const stateBehindHead = { none: 'head', length: 'length', chunked: 'size', close: 'close' } as const;

export class MessageReader {
  readonly messages: Message[] = [];
  /** What came behind an answer 101, or behind a request that was answered so. */
  raw = '';
  fault: string | null = null;
  readonly #options: ReaderOptions;
  #pending = '';
  #message: Message | null = null;
  #left = 0;
  #state: 'head' | 'length' | 'size' | 'chunk' | 'chunkEnd' | 'trailers' | 'close' | 'raw' = 'head';
  #answered = 0;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** A message has begun and not ended. */
  get underWay(): boolean {
    return this.#message !== null || (this.#state === 'head' && this.#pending !== '');
  }

  tunnel(): void {
    this.#state = 'raw';
    this.raw += this.#pending;
    this.#pending = '';
  }

  push(bytes: string): void {
    if (this.fault !== null) return;
    this.#pending += bytes;
    while (this.fault === null && this.#step());
  }

  end(): void {
    if (this.#state === 'close') this.#finish();
  }

  /** True when there may be more to read. */
  #step(): boolean {
    switch (this.#state) {
      case 'head':
        return this.#head();
      case 'length':
      case 'chunk':
        return this.#bytes(this.#left);
      case 'size':
        return this.#size();
      case 'chunkEnd':
        return this.#chunkEnd();
      case 'trailers':
        return this.#trailers();
      case 'close':
        return this.#bytes(Number.POSITIVE_INFINITY);
      case 'raw':
        this.raw += this.#pending;
        this.#pending = '';
        return false;
    }
  }

  #head(): boolean {
    const end = this.#pending.indexOf('\r\n\r\n');
    if (end < 0) {
      if (this.#pending.length > headBytesMax) this.fault = 'a head without end';
      if (/\n\n|\n\r\n|[^\r]\n/.test(this.#pending.slice(0, 65_536)))
        this.fault = 'a bare line feed in a head';
      return false;
    }
    const [start = '', ...lines] = this.#pending.slice(0, end).split('\r\n');
    this.#pending = this.#pending.slice(end + 4);
    const shape = this.#options.kind === 'request' ? requestShape : responseShape;
    if (!shape.test(start)) return this.#wrong(`start line ${JSON.stringify(start.slice(0, 80))}`);
    const headers = fieldsOf(lines, this.#options.tolerant ? tolerantFieldShape : fieldShape);
    if (headers === null) return this.#wrong(`header lines ${JSON.stringify(lines.join('|').slice(0, 200))}`);
    const framing = this.#framingOf(start, headers);
    if (typeof framing === 'string') return this.#wrong(framing);
    const message: Message = {
      ...{ start, headers, framing: framing.kind, body: '', bodyBytes: 0, trailers: [], complete: false },
    };
    this.messages.push(message);
    this.#message = message;
    this.#left = framing.length;
    this.#state = stateBehindHead[framing.kind];
    this.#options.onHead?.(message);
    if (framing.kind === 'none' || (framing.kind === 'length' && framing.length === 0)) this.#finish();
    return true;
  }

  #framingOf(
    start: string,
    headers: Message['headers'],
  ): { kind: Message['framing']; length: number } | string {
    const codings = valuesOf(headers, 'transfer-encoding');
    const lengths = valuesOf(headers, 'content-length');
    if (codings.length > 0 && lengths.length > 0) return 'both Transfer-Encoding and Content-Length';
    if (lengths.length > 1 || lengths.some((l) => !/^\d{1,15}$/.test(l)))
      return 'Content-Length is not one number';
    if (codings.length > 1 || codings.some((c) => c.toLowerCase() !== 'chunked'))
      return 'Transfer-Encoding is not chunked';
    const none = { kind: 'none', length: 0 } as const;
    if (this.#options.kind === 'response') {
      const status = Number(start.slice(9, 12));
      if (status < 200) return none;
      const method = this.#options.methodOf?.(this.#answered) ?? 'GET';
      this.#answered += 1;
      if (method === 'HEAD' || status === 204 || status === 304) return none;
      if (codings.length === 0 && lengths.length === 0) return { kind: 'close', length: 0 };
    } else if (valuesOf(headers, 'host').length > 1) return 'more than one Host';
    if (codings.length > 0) return { kind: 'chunked', length: 0 };
    return lengths.length > 0 ? { kind: 'length', length: Number(lengths[0]) } : none;
  }

  #bytes(most: number): boolean {
    const message = this.#message;
    if (!message || this.#pending === '') return false;
    const part = this.#pending.length <= most ? this.#pending : this.#pending.slice(0, most);
    this.#pending = this.#pending.slice(part.length);
    message.bodyBytes += part.length;
    if (message.body.length < keptBytesMax) message.body += part.slice(0, keptBytesMax - message.body.length);
    if (this.#state === 'close') return false;
    this.#left -= part.length;
    if (this.#left > 0) return false;
    if (this.#state === 'chunk') this.#state = 'chunkEnd';
    else this.#finish();
    return true;
  }

  #size(): boolean {
    const end = this.#pending.indexOf('\r\n');
    if (end < 0) {
      if (this.#pending.length > 4_096 || this.#pending.includes('\n'))
        this.fault = 'a chunk size without end';
      return false;
    }
    const line = this.#pending.slice(0, end);
    this.#pending = this.#pending.slice(end + 2);
    const size = /^([0-9a-fA-F]{1,12})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/.exec(line)?.[1];
    if (size === undefined) return this.#wrong(`chunk size ${JSON.stringify(line.slice(0, 80))}`);
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left === 0 ? 'trailers' : 'chunk';
    return true;
  }

  #chunkEnd(): boolean {
    if (this.#pending.length < 2) return false;
    if (!this.#pending.startsWith('\r\n')) return this.#wrong('no line end behind a chunk');
    this.#pending = this.#pending.slice(2);
    this.#state = 'size';
    return true;
  }

  #trailers(): boolean {
    const empty = this.#pending.startsWith('\r\n');
    const end = empty ? 0 : this.#pending.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const lines = empty ? [] : this.#pending.slice(0, end).split('\r\n');
    this.#pending = this.#pending.slice(empty ? 2 : end + 4);
    const trailers = fieldsOf(lines, this.#options.tolerant ? tolerantTrailerShape : fieldShape);
    if (trailers === null) return this.#wrong(`trailers ${JSON.stringify(lines.join('|').slice(0, 200))}`);
    if (this.#message) this.#message.trailers = trailers;
    this.#finish();
    return true;
  }

  #finish(): void {
    const message = this.#message;
    this.#message = null;
    if (this.#state !== 'raw') this.#state = 'head';
    if (!message) return;
    message.complete = true;
    if (/^HTTP\/1\.[01] 101/.test(message.start)) this.#state = 'raw';
    this.#options.onMessage?.(message);
  }

  #wrong(fault: string): false {
    this.fault = fault;
    return false;
  }
}

function fieldsOf(lines: readonly string[], shape: RegExp): [string, string][] | null {
  const fields = lines.map((line): [string, string] | null => {
    const [, name, value] = shape.exec(line) ?? [];
    return name === undefined || value === undefined ? null : [name.toLowerCase(), value];
  });
  return fields.every((field) => field !== null) ? fields : null;
}

export function valuesOf(headers: Message['headers'], name: string): string[] {
  return headers.flatMap(([known, value]) => (known === name ? [value] : []));
}
