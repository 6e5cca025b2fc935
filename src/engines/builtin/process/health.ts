import { request } from 'node:http';
import type { Socket } from 'node:net';
import { foreignHeader, type HttpCheck, missingText, statusFits } from '#model';
import { codeOf, hostPort } from './address.ts';
import { judge, type PoolState, type ServerState } from './pool.ts';
import { connectTo, type Reach } from './reach.ts';
import { opener, type Way } from './upstream.ts';

interface Verdict {
  readonly ok: boolean;
  /** In HAProxy's words: `L7OK 200`, `L4CON ECONNREFUSED`. */
  readonly said: string;
}

const firstChecksSpreadMs = 1;

/** Checks every server of the pool until stopped. The first checks go out at once, a little apart. */
export function watchHealth(pool: PoolState, reach: Reach): () => void {
  const stops = pool.servers.map((server, index) =>
    watchServer(pool, server, reach, index * firstChecksSpreadMs),
  );
  return () => {
    for (const stop of stops) stop();
  };
}

function watchServer(pool: PoolState, server: ServerState, reach: Reach, delayMs: number): () => void {
  const { healthCheck } = pool.config;
  let stopped = false;
  let alone = false;
  let checking = false;
  let timer = setTimeout(run, Math.min(delayMs, healthCheck.intervalMs));
  async function run(): Promise<void> {
    checking = true;
    const decidesAlone = alone;
    alone = false;
    const { ok, said } = await check(pool, server, reach);
    checking = false;
    if (stopped) return;
    judge(pool, server, ok, said, decidesAlone);
    timer = setTimeout(run, alone ? 0 : healthCheck.intervalMs);
  }
  server.suspect = () => {
    alone = true;
    if (checking || stopped) return;
    clearTimeout(timer);
    timer = setTimeout(run, 0);
  };
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** The first server's, for all of them: as the other engines' texts have it. */
function hostOf(pool: PoolState): string {
  const at = pool.servers[0]?.config.at;
  return at?.kind === 'tcp' ? hostPort(at.host, at.port) : 'localhost';
}

function check(pool: PoolState, server: ServerState, reach: Reach): Promise<Verdict> {
  const { http, port, timeoutMs } = pool.config.healthCheck;
  const { at } = server.config;
  const elsewhere = at.kind === 'tcp' && port !== null ? { ...at, port } : null;
  const way: Way = elsewhere
    ? { to: connectTo(elsewhere), timeoutMs, first: null, tls: null }
    : { ...reach.way(server.config, null), timeoutMs };
  return http
    ? checkHttp(way, { ...http, host: http.host ?? hostOf(pool) }, timeoutMs)
    : checkTcp(way, timeoutMs);
}

function checkTcp(way: Way, timeoutMs: number): Promise<Verdict> {
  return new Promise((resolve) => {
    opener(way)(
      (socket) => {
        socket.on('error', () => {}).destroy();
        resolve({ ok: true, said: way.tls === null ? 'L4OK' : 'L6OK' });
      },
      (error) => resolve(notConnected(error, timeoutMs)),
    );
  });
}

function notConnected({ message: code }: Error, timeoutMs: number): Verdict {
  return { ok: false, said: code === 'ETIMEDOUT' ? `L4TOUT in ${timeoutMs} ms` : `L4CON ${code}` };
}

/** What HAProxy looks at of a body: its buffer. */
const bodyCharactersMax = 16_384;

function checkHttp(
  way: Way,
  { method, host, path, headers, ...expected }: HttpCheck & { readonly host: string },
  timeoutMs: number,
): Promise<Verdict> {
  const began = performance.now();
  return new Promise((resolve) => {
    const ask = (socket: Socket) => {
      const asked = request({
        createConnection: () => socket,
        method,
        path,
        headers: [
          'host',
          host,
          'connection',
          'close',
          ...headers.flatMap(({ name, value }) => [name, value]),
        ],
      });
      const end = (ok: boolean, said: string) => {
        clearTimeout(timer);
        socket.on('error', () => {}).destroy();
        resolve({ ok, said });
      };
      const leftMs = Math.max(1, timeoutMs - (performance.now() - began));
      const timer = setTimeout(() => end(false, `L7TOUT in ${timeoutMs} ms`), leftMs);
      asked.on('error', (error) => end(false, `L7RSP ${codeOf(error)}`));
      asked.on('response', (answer) => {
        const status = answer.statusCode ?? 0;
        if (!statusFits(status, expected.expectStatus)) return end(false, `L7STS ${status}`);
        const stranger = foreignHeader(expected, answer.headers);
        if (stranger !== null) return end(false, `L7RSP ${stranger}`);
        const isWhole = (body: string) => missingText(expected, body) === null;
        if (isWhole('')) return end(true, `L7OK ${status}`);
        let body = '';
        const decide = () => {
          const missing = missingText(expected, body);
          end(missing === null, missing === null ? `L7OK ${status}` : `L7RSP ${missing}`);
        };
        answer.on('error', decide).on('end', decide);
        answer.on('data', (chunk: Buffer) => {
          body = (body + chunk.toString('latin1')).slice(0, bodyCharactersMax);
          if (isWhole(body) || body.length === bodyCharactersMax) decide();
        });
      });
      asked.end();
    };
    opener(way)(ask, (error) => resolve(notConnected(error, timeoutMs)));
  });
}
