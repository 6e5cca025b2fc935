/** Requests over kept-alive connections, several at a time, and what comes back of each. */
import { connect, type Socket } from 'node:net';
import { connect as secure } from 'node:tls';
import type { meaning } from '#routing';

/** `closed`: the connection ended without an answer to it. */
export type Reply =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: ReadonlyMap<string, string>;
      readonly body: string;
    }
  | { readonly kind: 'closed' };

const togetherMax = 16;
const silenceMs = 120_000;

/** All of them over one entrance; those of one source share connections. The PROXY header says where they come from. */
export async function askAll(path: string, requests: readonly meaning.Request[]): Promise<readonly Reply[]> {
  const replies: Reply[] = [];
  let waiting = requests.map((_, index) => index);
  while (waiting.length > 0) {
    const [first = 0] = waiting;
    const same = waiting.filter((index) => isSame(requests[index], requests[first])).slice(0, togetherMax);
    const asked = same.flatMap((index) => requests[index] ?? []);
    const got = await askTogether(path, asked);
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

function isSame(a: meaning.Request | undefined, b: meaning.Request | undefined): boolean {
  return a?.sourceAddress === b?.sourceAddress && a?.sni === b?.sni && a?.scheme === b?.scheme;
}

/** The answers that came until the connection ended or all were there. */
async function askTogether(path: string, requests: readonly meaning.Request[]): Promise<readonly Reply[]> {
  const [first] = requests;
  if (first === undefined) return [];
  const raw = connect(path);
  const port = first.scheme === 'https' ? 443 : 80;
  raw.write(`PROXY TCP4 ${first.sourceAddress} 127.0.0.1 ${first.sourcePort} ${port}\r\n`);
  const servername = first.sni ?? undefined;
  const socket: Socket =
    first.scheme === 'https'
      ? secure({ socket: raw, rejectUnauthorized: false, ...(servername ? { servername } : {}) })
      : raw;
  const answers = new Answers(requests.map(({ method }) => method));
  socket.write(requests.map(bytesOf).join(''), 'latin1');
  await new Promise<void>((done) => {
    socket.setTimeout(silenceMs, () => done());
    socket.on('data', (chunk) => {
      answers.add(chunk.toString('latin1'));
      if (answers.replies.length === requests.length) done();
    });
    for (const event of ['close', 'error', 'end'] as const) socket.on(event, () => done());
    raw.on('error', () => done());
  });
  socket.destroy();
  raw.destroy();
  return answers.replies;
}

export function bytesOf({ method, path, query, host, headers, version }: meaning.Request): string {
  const url = query === null ? path : `${path}?${query}`;
  const lines = [
    ...(host === null ? [] : [`Host: ${host}`]),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(['POST', 'PUT'].includes(method) ? ['content-length: 0'] : []),
  ];
  return `${method} ${url} HTTP/${version}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
}

class Answers {
  readonly replies: Reply[] = [];
  readonly #methods: readonly string[];
  #rest = '';

  constructor(methods: readonly string[]) {
    this.#methods = methods;
  }

  add(chunk: string): void {
    this.#rest += chunk;
    while (this.#take());
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
    const hasNone = this.#methods[this.replies.length] === 'HEAD' || status === 204 || status === 304;
    const body = hasNone ? { text: '', end: end + 4 } : this.#body(end + 4, headers);
    if (body === null) return false;
    this.#rest = this.#rest.slice(body.end);
    if (status >= 200) this.replies.push({ kind: 'answer', status, headers, body: body.text });
    return true;
  }

  #body(start: number, headers: ReadonlyMap<string, string>) {
    if (headers.get('transfer-encoding') === 'chunked') {
      const last = this.#rest.indexOf('\r\n0\r\n\r\n', start - 2);
      return last === -1 ? null : { text: '', end: last + 7 };
    }
    const end = start + Number(headers.get('content-length') ?? 0);
    return this.#rest.length < end ? null : { text: this.#rest.slice(start, end), end };
  }
}
