import { request } from 'node:http';
import { connect, type NetConnectOpts } from 'node:net';
import type { BuiltinAddress } from '#dialects';
import { type HealthCheck, type HttpCheck, statusFits } from '#model';
import { hostPort } from './address.ts';
import { judge, type PoolState, type ServerState } from './pool.ts';

interface Verdict {
  readonly ok: boolean;
  /** In HAProxy's words: `L7OK 200`, `L4CON ECONNREFUSED`. */
  readonly said: string;
}

const firstChecksSpreadMs = 1;

/** Checks every server of the pool until stopped. The first checks go out at once, a little apart. */
export function watchHealth(pool: PoolState): () => void {
  const stops = pool.servers.map((server, index) => watchServer(pool, server, index * firstChecksSpreadMs));
  return () => {
    for (const stop of stops) stop();
  };
}

function watchServer(pool: PoolState, server: ServerState, delayMs: number): () => void {
  const { healthCheck } = pool.config;
  let stopped = false;
  let alone = false;
  let checking = false;
  let timer = setTimeout(run, Math.min(delayMs, healthCheck.intervalMs));
  async function run(): Promise<void> {
    checking = true;
    const decidesAlone = alone;
    alone = false;
    const { ok, said } = await check(
      checkedAt(server.config.at, healthCheck.port),
      hostOf(pool),
      healthCheck,
    );
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

function checkedAt(at: BuiltinAddress, port: number | null): BuiltinAddress {
  return at.kind === 'unix' || port === null ? at : { ...at, port };
}

export function connectTo(at: BuiltinAddress): NetConnectOpts {
  return at.kind === 'unix'
    ? { path: at.path }
    : { host: at.host, port: at.port, noDelay: true, autoSelectFamily: true };
}

function check(at: BuiltinAddress, host: string, healthCheck: HealthCheck): Promise<Verdict> {
  return healthCheck.http
    ? checkHttp(at, { ...healthCheck.http, host: healthCheck.http.host ?? host }, healthCheck.timeoutMs)
    : checkTcp(at, healthCheck.timeoutMs);
}

function checkTcp(at: BuiltinAddress, timeoutMs: number): Promise<Verdict> {
  return new Promise((resolve) => {
    const socket = connect(connectTo(at));
    const end = (ok: boolean, said: string) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ ok, said });
    };
    const timer = setTimeout(() => end(false, `L4TOUT in ${timeoutMs} ms`), timeoutMs);
    socket.on('connect', () => end(true, 'L4OK'));
    socket.on('error', (error) => end(false, `L4CON ${codeOf(error)}`));
  });
}

/** What HAProxy looks at of a body: its buffer. */
const bodyCharactersMax = 16_384;

function checkHttp(
  at: BuiltinAddress,
  { method, host, path, headers, expectStatus, expectBody }: HttpCheck & { readonly host: string },
  timeoutMs: number,
): Promise<Verdict> {
  return new Promise((resolve) => {
    let connected = false;
    const asked = request({
      ...(at.kind === 'unix' ? { socketPath: at.path } : { host: at.host, port: at.port }),
      method,
      path,
      agent: false,
      headers: ['host', host, 'connection', 'close', ...headers.flatMap(({ name, value }) => [name, value])],
    });
    const end = (ok: boolean, said: string) => {
      clearTimeout(timer);
      asked.destroy();
      resolve({ ok, said });
    };
    const layer = () => (connected ? 'L7' : 'L4');
    const timer = setTimeout(() => end(false, `${layer()}TOUT in ${timeoutMs} ms`), timeoutMs);
    asked.on('socket', (socket) => socket.once('connect', () => (connected = true)));
    asked.on('error', (error) => end(false, `${connected ? 'L7RSP' : 'L4CON'} ${codeOf(error)}`));
    asked.on('response', (answer) => {
      const status = answer.statusCode ?? 0;
      const fits = statusFits(status, expectStatus);
      if (!fits || expectBody === null) return end(fits, `${fits ? 'L7OK' : 'L7STS'} ${status}`);
      let body = '';
      const decide = () => {
        const found = body.includes(expectBody);
        end(found, found ? `L7OK ${status}` : 'L7RSP the body does not hold what is expected');
      };
      answer.on('error', decide).on('end', decide);
      answer.on('data', (chunk: Buffer) => {
        body = (body + chunk.toString('latin1')).slice(0, bodyCharactersMax);
        if (body.includes(expectBody) || body.length === bodyCharactersMax) decide();
      });
    });
    asked.end();
  });
}

export function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
