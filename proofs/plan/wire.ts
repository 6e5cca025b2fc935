/** Requests over kept-alive connections, several at a time, and what comes back of each. */
import { connect, type Socket } from 'node:net';
import { connect as secure } from 'node:tls';
import type { Asked } from './case.ts';
import { seenIn } from './servers.ts';

/** `closed`: the connection ended without an answer to it. */
export type Reply =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: ReadonlyMap<string, string>;
      readonly body: string;
    }
  | { readonly kind: 'closed' };

/** Where a text is asked: a Unix socket that wants a PROXY header first, or a port of this machine. */
export type Entrance =
  | {
      readonly kind: 'socket';
      readonly path: string /** One request a connection. */;
      readonly alone?: boolean;
    }
  | { readonly kind: 'port'; readonly port: number };

const togetherMax = 16;
const silenceMs = 120_000;

/** Those of one source share connections. It is told by the PROXY header, or it is the address that connects. */
export async function askAll(entrance: Entrance, all: readonly Asked[]): Promise<readonly Reply[]> {
  const replies: Reply[] = [];
  let waiting = all.map((_, index) => index);
  while (waiting.length > 0) {
    const [first = 0] = waiting;
    const isAlone = entrance.kind === 'socket' && entrance.alone === true;
    const most = isAlone ? 1 : togetherMax;
    const same = waiting.filter((index) => isSame(all[index], all[first])).slice(0, most);
    const got = await askTogether(
      entrance,
      same.flatMap((index) => all[index] ?? []),
    );
    got.forEach((reply, at) => {
      replies[same[at] ?? 0] = reply;
    });
    // What stood behind the one that ended the connection was not asked.
    const done = new Set(same.slice(0, Math.max(1, got.length)));
    if (got.length === 0) replies[first] = { kind: 'closed' };
    waiting = waiting.filter((index) => !done.has(index));
  }
  return replies;
}

function isSame(a: Asked | undefined, b: Asked | undefined): boolean {
  return (
    a?.request.sourceAddress === b?.request.sourceAddress &&
    a?.request.sni === b?.request.sni &&
    a?.request.scheme === b?.request.scheme
  );
}

/** The answers that came until the connection ended or all were there. */
async function askTogether(entrance: Entrance, asked: readonly Asked[]): Promise<readonly Reply[]> {
  const request = asked[0]?.request;
  if (request === undefined) return [];
  const raw =
    entrance.kind === 'socket'
      ? connect(entrance.path)
      : connect({ host: '127.0.0.1', port: entrance.port, localAddress: request.sourceAddress });
  if (entrance.kind === 'socket')
    raw.write(`PROXY TCP4 ${request.sourceAddress} 127.0.0.1 ${request.sourcePort} ${request.port}\r\n`);
  const servername = request.sni ?? undefined;
  const socket: Socket =
    request.scheme === 'https'
      ? secure({ socket: raw, rejectUnauthorized: false, ...(servername ? { servername } : {}) })
      : raw;
  const answers = new Answers(asked.map((one) => one.request.method));
  socket.write(asked.map(bytesOf).join(''), 'latin1');
  await new Promise<void>((done, fail) => {
    socket.setTimeout(silenceMs, () => fail(new Error(`no answer to ${shown(asked[0])}`)));
    socket.on('data', (chunk) => {
      answers.add(chunk.toString('latin1'));
      if (answers.replies.length === asked.length || answers.isStuck) done();
    });
    for (const event of ['close', 'error', 'end'] as const) socket.on(event, () => done());
    raw.on('error', () => done());
  }).finally(() => {
    socket.destroy();
    raw.destroy();
  });
  return answers.replies;
}

function bytesOf({ request, absolute }: Asked): string {
  const { method, scheme, path, query, host, headers, version } = request;
  const url = query === null ? path : `${path}?${query}`;
  const lines = [
    ...(host === null ? [] : [`Host: ${host}`]),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  // What is sent would be another request than the one that is judged.
  if (/[\r\n]/.test([method, url, ...lines].join(''))) throw new Error(`a line break in ${method} ${url}`);
  const target = absolute ? `${scheme}://${host}${url}` : url;
  return `${method} ${target} HTTP/${version}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
}

/** A request in one line, for people. */
export function shown(asked: Asked | undefined): string {
  if (asked === undefined) return '';
  const { scheme, port, sourceAddress, sni } = asked.request;
  const name = sni === null ? '' : ` for ${sni}`;
  return `${scheme} on ${port} from ${sourceAddress}${name}: ${bytesOf(asked).trim().replaceAll('\r\n', ' | ')}`;
}

class Answers {
  readonly replies: Reply[] = [];
  /** An engine made HEAD of another method, and waits for a body that no server sends: nothing more comes. */
  isStuck = false;
  readonly #methods: readonly string[];
  #rest = '';

  constructor(methods: readonly string[]) {
    this.#methods = methods;
  }

  add(chunk: string): void {
    this.#rest += chunk;
    while (!this.isStuck && this.#take());
  }

  #take(): boolean {
    const end = this.#rest.indexOf('\r\n\r\n');
    if (end === -1) return false;
    const [line = '', ...lines] = this.#rest.slice(0, end).split('\r\n');
    const status = Number(line.split(' ')[1]);
    const headers = new Map(
      lines.map((one) => [
        one.slice(0, one.indexOf(':')).toLowerCase(),
        one.slice(one.indexOf(':') + 1).trim(),
      ]),
    );
    const isHead = this.#methods[this.replies.length] === 'HEAD';
    this.isStuck = !isHead && seenIn(headers)?.head?.method === 'HEAD';
    const hasNone = isHead || this.isStuck || status === 204 || status === 304;
    const body = hasNone ? { text: '', end: end + 4 } : this.#body(end + 4, headers);
    if (body === null) return false;
    this.#rest = this.#rest.slice(body.end);
    if (status >= 200) this.replies.push({ kind: 'answer', status, headers, body: body.text });
    return true;
  }

  #body(start: number, headers: ReadonlyMap<string, string>) {
    if (headers.get('transfer-encoding') === 'chunked') return this.#chunks(start);
    const end = start + Number(headers.get('content-length') ?? 0);
    return this.#rest.length < end ? null : { text: this.#rest.slice(start, end), end };
  }

  #chunks(start: number) {
    let text = '';
    for (let at = start; ; ) {
      const line = this.#rest.indexOf('\r\n', at);
      if (line === -1) return null;
      const length = Number.parseInt(this.#rest.slice(at, line), 16);
      const end = line + 2 + length + 2;
      if (this.#rest.length < end) return null;
      if (length === 0) return { text, end };
      text += this.#rest.slice(line + 2, line + 2 + length);
      at = end;
    }
  }
}
