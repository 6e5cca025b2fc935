import { fieldsShape, type RawHeaders } from './headers.ts';

/** The server's bytes are no answer, or one that can be read in two ways. Its connection is of no more use. */
export class BadAnswer extends Error {}

export interface AnswerHead {
  readonly status: number;
  readonly reason: string;
  readonly headers: RawHeaders;
}

/** Hears one answer: `onInformational` any number of times, then `onSwitch`, or `onHead`, `onData`..., `onEnd`. */
export interface AnswerReader {
  onInformational(head: AnswerHead): void;
  onHead(head: AnswerHead): void;
  /** `last`: the answer is whole with these bytes, and `onEnd` comes next. */
  onData(bytes: Buffer, last: boolean): void;
  onEnd(trailers: RawHeaders): void;
  /** 101: what comes from here on is another protocol's; `first` came behind the head. */
  onSwitch(head: AnswerHead, first: Buffer): void;
}

/** Of a head, and again of the trailers. */
const headBytesMax = 65_536;
/** A chunk's size with its extensions, which are dropped. */
const sizeLineBytesMax = 4_096;
/** Before the answer proper: each is passed on at once, so a flood of them would fill memory. */
const informationalMax = 32;
const nothing: Buffer = Buffer.alloc(0);
const headEnd = Buffer.from('\r\n\r\n');
const lineEnd = Buffer.from('\r\n');
const versionText = 'HTTP/1.';
const statusLineShape = /^HTTP\/1\.[01] [1-9]\d\d(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const sizeLineShape = /^([0-9a-fA-F]{1,12})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/;

type Phase = 'head' | 'length' | 'size' | 'chunk' | 'chunkEnd' | 'trailers' | 'untilClose' | 'done';

/**
 * Reads answers of one connection, one after the other, as RFC 9112 has them and no more: no bare line feeds, no folded
 * lines, one length. `feed` throws `BadAnswer`.
 */
export class AnswerParser {
  #reader: AnswerReader | null = null;
  #phase: Phase = 'done';
  #bodyless = false;
  #left = 0;
  #rest: Buffer = nothing;
  #informational = 0;
  /** How long the server said that it keeps the connection; 0: not at all. */
  keepMs = 0;

  /** `bodyless`: the request was HEAD. */
  expect(reader: AnswerReader, bodyless: boolean): void {
    this.#reader = reader;
    this.#phase = 'head';
    this.#bodyless = bodyless;
    this.#informational = 0;
    this.keepMs = 0;
  }

  get done(): boolean {
    return this.#phase === 'done';
  }

  feed(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#rest.length > 0) {
      bytes = Buffer.concat([this.#rest, chunk]);
      this.#rest = nothing;
    }
    let at = 0;
    while (at < bytes.length) {
      const next = this.#step(bytes, at);
      if (next === null) {
        this.#rest = at === 0 ? bytes : bytes.subarray(at);
        return;
      }
      at = next;
    }
  }

  /** The server has ended its side. False: an answer is missing, or part of one. */
  finish(): boolean {
    if (this.#phase === 'untilClose') this.#end([]);
    return this.#phase === 'done';
  }

  /** Where to go on, or null when more bytes are needed first. */
  #step(bytes: Buffer, at: number): number | null {
    switch (this.#phase) {
      case 'head':
        return this.#head(bytes, at);
      case 'length':
      case 'chunk':
        return this.#body(bytes, at);
      case 'size':
        return this.#size(bytes, at);
      case 'chunkEnd':
        return this.#chunkEnd(bytes, at);
      case 'trailers':
        return this.#trailers(bytes, at);
      case 'untilClose':
        this.#reader?.onData(at === 0 ? bytes : bytes.subarray(at), false);
        return bytes.length;
      case 'done':
        throw new BadAnswer('bytes behind the answer');
    }
  }

  #head(bytes: Buffer, at: number): number | null {
    const end = bytes.indexOf(headEnd, at);
    if (end < 0) {
      const first = bytes.toString('latin1', at, Math.min(bytes.length, at + versionText.length));
      if (!versionText.startsWith(first)) throw new BadAnswer('no status line');
      return bounded(bytes.length - at, headBytesMax);
    }
    bounded(end - at, headBytesMax);
    const text = bytes.toString('latin1', at, end + 2);
    const firstEnd = text.indexOf('\r\n');
    const statusLine = text.slice(0, firstEnd);
    if (!statusLineShape.test(statusLine)) throw new BadAnswer('no status line');
    const head = {
      status: Number(statusLine.slice(9, 12)),
      reason: statusLine.slice(13),
      headers: fieldsOf(text, firstEnd + 2),
    };
    return this.#begin(head, statusLine.charCodeAt(7) === 0x31, bytes, end + 4);
  }

  #begin(head: AnswerHead, isNew: boolean, bytes: Buffer, from: number): number {
    const { status } = head;
    if (status === 101) {
      this.#phase = 'done';
      this.#take()?.onSwitch(head, bytes.subarray(from));
      return bytes.length;
    }
    if (status < 200) {
      this.#informational += 1;
      if (this.#informational > informationalMax) throw new BadAnswer('too many informational answers');
      this.#reader?.onInformational(head);
      return from;
    }
    const { length, chunked, keepMs } = framingOf(head.headers, isNew);
    const none = this.#bodyless || status === 204 || status === 304 || (length === 0 && !chunked);
    const untilClose = !none && length === null && !chunked;
    this.keepMs = untilClose ? 0 : keepMs;
    this.#left = length ?? 0;
    this.#phase = none ? 'done' : chunked ? 'size' : untilClose ? 'untilClose' : 'length';
    this.#reader?.onHead(head);
    if (none) this.#end([]);
    return from;
  }

  #body(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#left);
    this.#left -= end - at;
    const whole = this.#left === 0 && this.#phase === 'length';
    this.#reader?.onData(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end), whole);
    if (whole) this.#end([]);
    else if (this.#left === 0) this.#phase = 'chunkEnd';
    return end;
  }

  #size(bytes: Buffer, at: number): number | null {
    const end = bytes.indexOf(lineEnd, at);
    if (end < 0) return bounded(bytes.length - at, sizeLineBytesMax);
    bounded(end - at, sizeLineBytesMax);
    const [, size] = sizeLineShape.exec(bytes.toString('latin1', at, end)) ?? [];
    if (size === undefined) throw new BadAnswer('a chunk without a size');
    this.#left = Number.parseInt(size, 16);
    this.#phase = this.#left === 0 ? 'trailers' : 'chunk';
    return end + 2;
  }

  #chunkEnd(bytes: Buffer, at: number): number | null {
    if (bytes.length - at < 2) return null;
    if (bytes[at] !== 0x0d || bytes[at + 1] !== 0x0a) throw new BadAnswer('a chunk longer than its size');
    this.#phase = 'size';
    return at + 2;
  }

  #trailers(bytes: Buffer, at: number): number | null {
    if (bytes.length - at < 2) return null;
    if (bytes[at] === 0x0d && bytes[at + 1] === 0x0a) {
      this.#end([]);
      return at + 2;
    }
    const end = bytes.indexOf(headEnd, at);
    if (end < 0) return bounded(bytes.length - at, headBytesMax);
    bounded(end - at, headBytesMax);
    this.#end(fieldsOf(bytes.toString('latin1', at, end + 2), 0));
    return end + 4;
  }

  #end(trailers: RawHeaders): void {
    this.#phase = 'done';
    this.#take()?.onEnd(trailers);
  }

  #take(): AnswerReader | null {
    const reader = this.#reader;
    this.#reader = null;
    return reader;
  }
}

/** Null, or an exception: so many bytes are not kept. */
function bounded(length: number, bytesMax: number): null {
  if (length > bytesMax) throw new BadAnswer(`more than ${bytesMax} bytes of a head`);
  return null;
}

/** `text` holds lines, each with its end. */
function fieldsOf(text: string, from: number): string[] {
  if (!fieldsShape.test(text.slice(from))) throw new BadAnswer('a header that is none');
  const fields: string[] = [];
  for (let at = from; at < text.length; ) {
    const colon = text.indexOf(':', at);
    const end = text.indexOf('\r\n', colon);
    let first = colon + 1;
    let last = end;
    while (first < last && isBlank(text.charCodeAt(first))) first += 1;
    while (last > first && isBlank(text.charCodeAt(last - 1))) last -= 1;
    fields.push(text.slice(at, colon), text.slice(first, last));
    at = end + 2;
  }
  return fields;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

interface Framing {
  readonly length: number | null;
  readonly chunked: boolean;
  readonly keepMs: number;
}

/** Without a word about it, a server keeps its connection. */
function framingOf(headers: RawHeaders, isNew: boolean): Framing {
  let length: number | null = null;
  let chunked = false;
  let keepMs = isNew ? Number.POSITIVE_INFINITY : 0;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const value = headers[i + 1] ?? '';
    switch (headers[i]?.toLowerCase()) {
      case 'content-length':
        if (length !== null || !/^\d{1,15}$/.test(value))
          throw new BadAnswer('content-length is not one number');
        length = Number(value);
        break;
      case 'transfer-encoding':
        if (chunked || value.toLowerCase() !== 'chunked')
          throw new BadAnswer('a transfer-encoding other than chunked');
        chunked = true;
        break;
      case 'connection':
        if (/(?:^|[,\s])close(?:$|[,\s])/i.test(value)) keepMs = 0;
        break;
      case 'keep-alive':
        keepMs = Math.min(keepMs, promisedMs(value));
    }
  }
  if (chunked && (length !== null || !isNew))
    throw new BadAnswer('chunked beside a content-length, or in HTTP/1.0');
  return { length, chunked, keepMs };
}

/** A second less than promised: the server's clock started earlier than ours. */
function promisedMs(value: string): number {
  const seconds = /(?:^|[,\s])timeout=(\d{1,9})/i.exec(value)?.[1];
  return seconds === undefined ? Number.POSITIVE_INFINITY : Math.max(0, (Number(seconds) - 1) * 1_000);
}
