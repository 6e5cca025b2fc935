import { request } from 'node:http';
import { connect, isIP, isIPv6, type Socket } from 'node:net';
import { connect as secure } from 'node:tls';
import type { Request } from '#routing';

export interface EntranceAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

const bodyBytesMax = 64 * 1024;

/**
 * Asks one generation a request by its private entrance, which answers whether or not its public side is parked.
 * The PROXY protocol line says which listener it stands for.
 * @throws Error when there is no answer within `timeoutMs`.
 */
export function askEntrance(entrance: string, asked: Request, timeoutMs: number): Promise<EntranceAnswer> {
  return askAt(entrance, asked, { timeoutMs, proxy: true, tls: false, whole: true });
}

export interface AskedAt {
  readonly timeoutMs: number;
  /** A PROXY protocol line first, for whom it is from and which port it is for. */
  readonly proxy: boolean;
  /** Whatever certificate it shows. */
  readonly tls: boolean;
  /** Its body is read to the end, however long it is. */
  readonly whole: boolean;
}

/** One request to a Unix socket, on a connection of its own. @throws Error when there is no answer in time. */
export function askAt(path: string, asked: Request, how: AskedAt): Promise<EntranceAnswer> {
  const { timeoutMs, proxy, tls, whole } = how;
  return new Promise((resolve, reject) => {
    const raw = connect(path);
    raw.on('error', reject);
    if (proxy) raw.write(proxyLine(asked));
    const named = isIP(asked.host) === 0 ? { servername: asked.host } : {};
    const socket: Socket = tls ? secure({ socket: raw, rejectUnauthorized: false, ...named }) : raw;
    socket.on('error', reject);
    const defaultPort = asked.scheme === 'https' ? 443 : 80;
    const host = asked.port === defaultPort ? asked.host : `${asked.host}:${asked.port}`;
    const sent = request(
      {
        createConnection: () => socket,
        method: asked.method,
        path: asked.query === '' ? asked.path : `${asked.path}?${asked.query}`,
        headers: { host, connection: 'close', ...asked.headers },
        setHost: false,
      },
      (answer) => {
        let body = '';
        const done = () => {
          clearTimeout(timer);
          socket.destroy();
          raw.destroy();
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body });
        };
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => {
          if (body.length < bodyBytesMax) body += chunk;
          else if (!whole) done();
        });
        answer.on('end', done);
        answer.on('error', done);
      },
    );
    const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    sent.on('error', (error) => {
      clearTimeout(timer);
      socket.destroy();
      raw.destroy();
      reject(error);
    });
    sent.end();
  });
}

function proxyLine({ sourceAddress = '127.0.0.1', port }: Request): string {
  const addresses = isIPv6(sourceAddress) ? `TCP6 ${sourceAddress} ::1` : `TCP4 ${sourceAddress} 127.0.0.1`;
  return `PROXY ${addresses} 1024 ${port}\r\n`;
}

/** `GET http://shop.example/cart` */
export function describeRequest(asked: Request): string {
  const defaultPort = asked.scheme === 'https' ? 443 : 80;
  const port = asked.port === defaultPort ? '' : `:${asked.port}`;
  const query = asked.query === '' ? '' : `?${asked.query}`;
  const headers = Object.entries(asked.headers).map(([name, value]) => ` ${name}: ${value}`);
  return `${asked.method} ${asked.scheme}://${asked.host}${port}${asked.path}${query}${headers.join('')}`;
}
