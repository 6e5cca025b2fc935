import { Agent, request } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface AskOptions {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly agent?: Agent | false;
  readonly timeoutMs?: number;
}

/** One HTTP/1.1 request to 127.0.0.1, on a connection of its own unless an agent is given. Never retries. */
export function ask(port: number, options: AskOptions = {}): Promise<Answer> {
  const { path = '/', method = 'GET', headers = {}, agent = false, timeoutMs = 30_000 } = options;
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent }, (response) => {
      let body = '';
      response.setEncoding('latin1');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body, headers: response.headers }),
      );
    });
    sent.setTimeout(timeoutMs, () => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    sent.on('error', reject);
    sent.end();
  });
}

/** A client whose requests share one kept-alive HTTP/1.1 connection. */
export function keptAlive(port: number): {
  ask(options?: AskOptions): Promise<Answer>;
  close(): void;
} {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return { ask: (options = {}) => ask(port, { ...options, agent }), close: () => agent.destroy() };
}

/** A client whose requests share one HTTP/2 connection over TLS. */
export function http2Client(port: number): { ask(path?: string): Promise<Answer>; close(): void } {
  const session: ClientHttp2Session = connect(`https://localhost:${port}`, { rejectUnauthorized: false });
  session.on('error', () => {});
  return {
    ask: (path = '/') =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ':path': path });
        let status = 0;
        let body = '';
        stream.setEncoding('utf8');
        stream.on('response', (headers) => {
          status = headers[':status'] ?? 0;
        });
        stream.on('data', (chunk: string) => {
          body += chunk;
        });
        stream.on('error', reject);
        stream.on('end', () => resolve({ status, body, headers: {} }));
        stream.end();
      }),
    close: () => session.destroy(),
  };
}
