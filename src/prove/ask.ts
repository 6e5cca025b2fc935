import { connect, isIP, isIPv6, type Socket } from 'node:net';
import { connect as secure } from 'node:tls';
import type { meaning } from '#routing';

/** `closed`: the connection ended without an answer. `silent`: nothing came in time. */
export type Reply =
  | {
      readonly kind: 'answer';
      readonly status: number;
      /** Names in lower case; the last of one name. */
      readonly headers: ReadonlyMap<string, string>;
    }
  | { readonly kind: 'closed' }
  | { readonly kind: 'silent' };

const answerCharsMax = 1024 * 1024;

/** One request on a connection of its own, byte for byte; a PROXY header says from where and to where it is. Never rejects. */
export function ask(socket: string, asked: meaning.Request, tls: boolean, timeoutMs: number): Promise<Reply> {
  return new Promise((resolve) => {
    const raw = connect(socket);
    raw.write(proxyLine(asked));
    const spoken: Socket = tls
      ? secure({
          socket: raw,
          rejectUnauthorized: false,
          ...(asked.sni === null ? {} : { servername: asked.sni }),
        })
      : raw;
    let text = '';
    const done = (reply: Reply) => {
      clearTimeout(timer);
      spoken.destroy();
      raw.destroy();
      resolve(reply);
    };
    const timer = setTimeout(() => done({ kind: 'silent' }), timeoutMs);
    const ended = () => done(answerIn(text, true) ?? { kind: 'closed' });
    spoken.on('data', (chunk: Buffer) => {
      if (text.length < answerCharsMax) text += chunk.toString('latin1');
      const reply = answerIn(text, false);
      if (reply) done(reply);
    });
    for (const event of ['close', 'error', 'end'] as const) spoken.on(event, ended);
    raw.on('error', ended);
    spoken.write(bytesOf(asked), 'latin1');
  });
}

function proxyLine({ sourceAddress, sourcePort, address, port }: meaning.Request): string {
  const v6 = isIPv6(sourceAddress);
  const bare = address.replace(/^\[(.*)\]$/, '$1');
  const to = isIP(bare) === (v6 ? 6 : 4) ? bare : v6 ? '::1' : '127.0.0.1';
  return `PROXY ${v6 ? 'TCP6' : 'TCP4'} ${sourceAddress} ${to} ${sourcePort} ${port ?? 0}\r\n`;
}

export function bytesOf({ method, path, query, host, headers, version }: meaning.Request): string {
  const lines = [
    ...(host === null ? [] : [`Host: ${host}`]),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(/^(?:POST|PUT|PATCH)$/.test(method) && !('content-length' in headers) ? ['content-length: 0'] : []),
  ];
  const url = query === null ? path : `${path}?${query}`;
  return `${method} ${url} HTTP/${version}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
}

/** As soon as its head is there: of a body nothing is asked. Interim answers are not the answer. */
function answerIn(text: string, isEnd: boolean): Reply | null {
  const end = text.indexOf('\r\n\r\n');
  const [first = '', ...lines] = text.slice(0, end === -1 ? text.length : end).split('\r\n');
  const status = Number(/^HTTP\/\d\.\d (\d{3})/.exec(first)?.[1] ?? 0);
  if (end === -1) return isEnd && status > 199 ? { kind: 'answer', status, headers: new Map() } : null;
  if (status === 0) return null;
  if (status < 200 && status !== 101) return answerIn(text.slice(end + 4), isEnd);
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { kind: 'answer', status, headers: new Map(headers) };
}
