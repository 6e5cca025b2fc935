import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { type Client, codeOf, type Ending, endingOf, outcomeOf } from './client.ts';
import { type LoadPlan, preciseNow } from './plan.ts';

const bodyKeptMax = 256;

/** Streams by turns over `plan.connections` sessions; one that is told to go away is replaced by the next request. */
export function http2Client(plan: LoadPlan): Client {
  const sessions: (ClientHttp2Session | null)[] = Array.from({ length: plan.connections }, () => null);
  const used = new WeakSet<ClientHttp2Session>();
  const openedAt = new WeakMap<ClientHttp2Session, number>();
  let turn = 0;

  function openSession(slot: number): ClientHttp2Session {
    const begunAt = preciseNow();
    const session = connect(`https://${plan.host}:${plan.port}`, {
      rejectUnauthorized: false,
      servername: plan.hostname,
    });
    const forget = () => {
      if (sessions[slot] === session) sessions[slot] = null;
    };
    // Each stream tells what became of it; here the session is only given up.
    session.on('error', forget).on('goaway', forget).on('close', forget);
    sessions[slot] = session;
    openedAt.set(session, begunAt);
    return session;
  }

  function sendOn(
    session: ClientHttp2Session,
    of: Pick<Ending, 'reused' | 'openedAt'>,
    ended: (ending: Ending) => void,
  ): () => void {
    const stream = session.request({ ':path': plan.path, ':authority': plan.hostname });
    let status: number | null = null;
    let marker = '';
    let body = '';
    let cause = '';
    let isTold = false;
    function tell(outcome: Ending['outcome']) {
      if (isTold) return;
      isTold = true;
      ended({ outcome, status, ...of, marker: marker || body.slice(0, 64), detail: cause });
    }
    stream.on('response', (headers) => {
      status = headers[':status'] ?? null;
      marker = String(headers[plan.markerHeader] ?? '');
    });
    stream.on('data', (chunk: Buffer) => {
      if (body.length < bodyKeptMax) body += chunk.toString('latin1').slice(0, bodyKeptMax - body.length);
    });
    stream.on('error', (error) => {
      cause = codeOf(error.cause ?? error);
    });
    stream.on('close', () => tell(streamOutcome(stream, status, body, cause, plan.expectBody)));
    stream.end();
    return () => {
      tell('timed out');
      stream.close(constants.NGHTTP2_CANCEL);
    };
  }

  return {
    async open() {
      const opened = sessions.map((_, slot) => openSession(slot));
      await Promise.all(opened.map(untilOpen));
    },
    send(ended) {
      const slot = turn++ % sessions.length;
      const known = sessions[slot];
      const session = known && !known.closed && !known.destroyed ? known : openSession(slot);
      const of = { reused: used.has(session), openedAt: openedAt.get(session) ?? preciseNow() };
      used.add(session);
      try {
        return sendOn(session, of, ended);
      } catch (error) {
        ended({ outcome: 'failed', status: null, ...of, marker: '', detail: codeOf(error) });
        return () => {};
      }
    },
    close() {
      for (const session of sessions) session?.destroy();
    },
  };
}

function streamOutcome(
  stream: ClientHttp2Stream,
  status: number | null,
  body: string,
  cause: string,
  expectBody: string | null,
): Ending['outcome'] {
  if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) return 'refused stream';
  if (cause) return outcomeOf(cause);
  if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) return 'failed';
  return status === null ? 'closed' : endingOf(status, body, expectBody);
}

function untilOpen(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    session.once('remoteSettings', () => resolve());
    session.once('error', reject);
    session.once('close', () => reject(new Error('the connection was closed')));
  });
}
