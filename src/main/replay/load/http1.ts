import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { answerReader } from './answer.ts';
import { type Client, codeOf, type Ending, endingOf, outcomeOf } from './client.ts';
import { type LoadPlan, preciseNow } from './plan.ts';

interface Connection {
  readonly socket: Socket;
  /** Ends the connection, and its request as `timed out`. */
  readonly giveUp: () => void;
  send(ended: (ending: Ending) => void): void;
}

/** Raw sockets: it has to be known which connection a request went over, and at what moment that one broke. */
export function http1Client(plan: LoadPlan): Client {
  const free = new Set<Connection>();
  const all = new Set<Connection>();
  const isKept = plan.kind === 'kept';
  const request = requestBytes(plan);

  function openConnection(): Connection {
    const openedAt = preciseNow();
    const socket = openSocket(plan);
    const reader = answerReader(plan.markerHeader);
    let requests = 0;
    let waiting: ((ending: Ending) => void) | null = null;

    function settle(outcome: Ending['outcome'], detail: string, status: number | null = null, marker = '') {
      const tell = waiting;
      waiting = null;
      tell?.({ outcome, status, reused: requests > 1, openedAt, marker, detail });
    }
    function drop(outcome: Ending['outcome'], detail: string) {
      free.delete(connection);
      all.delete(connection);
      socket.destroy();
      settle(outcome, detail);
    }
    function take(answer: ReturnType<typeof reader.push> | null) {
      if (answer === 'more') return;
      if (answer === null) return drop('closed', '');
      if (answer === 'broken' || !waiting) return drop('failed', 'not HTTP');
      const { status, marker, body } = answer;
      settle(endingOf(status, body, plan.expectBody), '', status, marker);
      if (isKept && answer.keepAlive) free.add(connection);
      else drop('closed', '');
    }

    socket.on('data', (chunk: Buffer) => take(reader.push(chunk)));
    socket.on('end', () => take(reader.end()));
    socket.on('error', (error) => drop(outcomeOf(codeOf(error)), codeOf(error)));
    socket.on('close', () => drop('closed', ''));
    const connection: Connection = {
      socket,
      giveUp: () => drop('timed out', ''),
      send(ended) {
        requests += 1;
        waiting = ended;
        free.delete(connection);
        socket.write(request);
      },
    };
    all.add(connection);
    return connection;
  }

  return {
    async open() {
      if (!isKept) return;
      const opened = Array.from({ length: plan.connections }, openConnection);
      await Promise.all(opened.map((c) => untilOpen(c.socket, plan.tls)));
      for (const connection of opened) free.add(connection);
    },
    send(ended) {
      // The one that has been free the longest, so that every connection is used.
      const [oldest] = free;
      const connection = oldest ?? openConnection();
      connection.send(ended);
      return connection.giveUp;
    },
    close() {
      for (const { socket } of all) socket.destroy();
    },
  };
}

function requestBytes({ path, hostname, kind }: LoadPlan): Buffer {
  const connection = kind === 'kept' ? 'keep-alive' : 'close';
  const lines = [`GET ${path} HTTP/1.1`, `host: ${hostname}`, 'user-agent: holdfast-load'];
  return Buffer.from(`${[...lines, `connection: ${connection}`].join('\r\n')}\r\n\r\n`);
}

function openSocket({ host, port, hostname, tls }: LoadPlan): Socket {
  const socket = tls
    ? connectTls({ host, port, servername: hostname, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
    : connect({ host, port });
  return socket.setNoDelay(true);
}

function untilOpen(socket: Socket, tls: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(tls ? 'secureConnect' : 'connect', resolve);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed')));
  });
}
