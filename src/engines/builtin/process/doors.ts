import { constants, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import {
  createSecureContext,
  createServer as createTls,
  type TLSSocket,
  type Server as TlsServer,
} from 'node:tls';
import { assert } from '#base';
import type { BuiltinListener, BuiltinText } from '#dialects';
import { mayAsk, type RoutedListener } from '#routing';
import { plainAddress } from './address.ts';
import { rfc2253 } from './distinguished-name.ts';
import type { EntranceTo, OpenEntrance } from './entrances.ts';
import type { ConnectionFacts } from './exchange.ts';
import type { Front } from './front.ts';
import type { Generation } from './generation.ts';
import { type Preface, readPreface } from './preface.ts';
import { type ProxyHeader, parseProxy } from './proxy-protocol.ts';
import { backlog, listen, PublicDoor } from './sides.ts';
import { removeSocketFile } from './socket-file.ts';
import { Stream } from './streams.ts';
import type { Tickets } from './tickets.ts';

/** All doors of a generation: the public ones, and the private entrance. */
export interface Doors {
  accepting(): boolean;
  resume(): Promise<void>;
  park(): void;
  end(): void;
}

export async function openDoors(
  generation: Generation,
  front: Front,
  entrances: readonly OpenEntrance[],
  counted: (socket: Socket) => void,
): Promise<Doors> {
  const { text } = generation;
  const taken = (socket: Socket, take: (socket: Socket) => void) => {
    if (generation.counts.connections >= text.limits.connectionsMax) return void socket.destroy();
    counted(socket);
    take(socket);
  };
  const forRequests = text.listeners.map((listener, index) => {
    const routed = generation.listeners[index] ?? null;
    const accept = acceptor(listener, generation, routed, front);
    return new PublicDoor(listener.at, {
      halfOpen: listener.scheme === 'http',
      accept: (socket) => taken(socket, accept),
    });
  });
  const streams = (text.streams ?? []).map((said) => new Stream(generation, said));
  const forStreams = streams.map((stream) => {
    const accept = streamAcceptor(stream);
    return new PublicDoor(stream.said.at, {
      halfOpen: true,
      accept: (socket) => taken(socket, accept),
    });
  });
  const doors = [...forRequests, ...forStreams];
  const byEntrance = entranceTaker(generation, front, streams);
  const opened = await Promise.all(
    entrances.map(({ to, at }) => openEntrance(at, counted, (socket) => byEntrance(to, socket))),
  );
  const park = () => {
    for (const door of doors) door.park();
  };
  return {
    accepting: () => doors.length > 0 && doors.every((door) => door.open),
    async resume() {
      try {
        for (const door of doors) await door.resume();
      } catch (error) {
        park();
        throw error;
      }
    },
    park,
    end() {
      for (const door of doors) door.end();
      for (const entrance of opened) entrance.close();
    },
  };
}

function acceptor(
  listener: BuiltinListener,
  generation: Generation,
  routed: RoutedListener | null,
  front: Front,
): (socket: Socket) => void {
  const isTold = mayAsk({ deny: [], allow: listener.proxyFrom });
  /** Whom a connection is for, where a proxy has said so. */
  const told = new Map<string, ProxyHeader>();
  const factsOf = (socket: Socket, clientSubject: string | null): ConnectionFacts => {
    const header = told.get(keyOf(socket));
    return {
      side: 'public',
      listener: routed,
      client: header?.client ?? {
        address: plainAddress(socket.remoteAddress),
        port: socket.remotePort ?? 0,
      },
      local: {
        address: header?.local?.address ?? plainAddress(socket.localAddress),
        port: listener.port,
      },
      clientSubject,
    };
  };
  const begin = beginner(listener, generation, front, factsOf);
  return (socket) => {
    socket.on('error', () => socket.destroy());
    if (listener.proxyFrom.length === 0 || !isTold(plainAddress(socket.remoteAddress))) return begin(socket);
    readProxyHeader(socket, (header) => {
      const key = keyOf(socket);
      told.set(key, header);
      socket.once('close', () => told.delete(key));
      begin(socket);
    });
  };
}

/** The same of a connection and of the TLS on it. */
function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function beginner(
  listener: BuiltinListener,
  { text, tickets }: Pick<Generation, 'text' | 'tickets'>,
  front: Front,
  factsOf: (socket: Socket, clientSubject: string | null) => ConnectionFacts,
): (socket: Socket) => void {
  if (listener.scheme === 'http') return (socket) => front.take(socket, factsOf(socket, null), 'http/1.1');
  const tls = tlsServer(listener, text, tickets);
  tls.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => socket.destroy());
    const shown = listener.clients ? socket.getPeerX509Certificate() : undefined;
    // One that is required has ended the handshake before this, when it is wrong or not there.
    if (shown && !socket.authorized) return void socket.destroy();
    front.take(
      socket,
      factsOf(socket, shown ? rfc2253(shown.subject) : null),
      socket.alpnProtocol === 'h2' ? 'h2' : 'http/1.1',
    );
  });
  tls.on('tlsClientError', (_error, socket) => socket.destroy());
  return (socket) => void tls.emit('connection', socket);
}

/** Throws when a certificate cannot be used. The first one is for clients that name no host, or another one. */
export function tlsServer(listener: BuiltinListener, text: BuiltinText, tickets: Tickets | null): TlsServer {
  const bundles = listener.certificates.map((file) => readFileSync(file));
  const [first] = bundles;
  const clients = clientOptions(listener);
  const server = createTls({
    cert: first,
    key: first,
    ALPNProtocols: listener.http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
    minVersion: `TLSv${listener.minVersion}`,
    ...clients,
    handshakeTimeout: text.limits.headMs,
    // HAProxy's word for it: with the same keys each takes up the other's sessions.
    sessionIdContext: 'haproxy',
  });
  if (!clients) tickets?.serve(server);
  for (const bundle of bundles.toReversed()) {
    const context = createSecureContext({
      cert: bundle,
      key: bundle,
      minVersion: `TLSv${listener.minVersion}`,
      ...clients,
    });
    for (const name of namesOf(bundle)) server.addContext(name, context);
  }
  return server;
}

/** Of several in one text Node takes the first only. */
const oneList = /-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g;

/** A session is taken up nowhere: another listener's clients may have shown another certificate there, or none. */
function clientOptions({ clients }: BuiltinListener) {
  if (!clients) return null;
  return {
    ca: readFileSync(clients.authorities, 'utf8'),
    ...(clients.revocations === undefined
      ? {}
      : { crl: readFileSync(clients.revocations, 'utf8').match(oneList) ?? [] }),
    requestCert: true,
    rejectUnauthorized: clients.required,
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

function namesOf(bundle: Buffer): string[] {
  const names = new X509Certificate(bundle).subjectAltName?.split(', ') ?? [];
  return names.flatMap((name) => (name.startsWith('DNS:') ? [name.slice(4)] : []));
}

const headerMs = 5_000;

async function openEntrance(
  at: OpenEntrance['at'],
  counted: (socket: Socket) => void,
  take: (socket: Socket) => void,
): Promise<{ close(): void }> {
  if ('path' in at) await removeSocketFile(at.path);
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    counted(socket);
    socket.on('error', () => socket.destroy());
    take(socket);
  });
  await listen(server, { ...at, backlog });
  return server;
}

function entranceTaker(
  { listeners }: Generation,
  front: Front,
  streams: readonly Stream[],
): (to: EntranceTo, socket: Socket) => void {
  return (to, socket) => {
    switch (to.kind) {
      case 'requests':
        return readProxyHeader(socket, (header) =>
          front.take(socket, entranceFacts(listeners, header), 'http/1.1'),
        );
      case 'streams':
        return readProxyHeader(socket, (header) => takeByEntrance(streams, socket, header));
      case 'door':
        return takeByDoor(streams, socket, to.stream);
    }
  };
}

/** With several listeners, the one with that address and port, else with that port. Who speaks for itself gets the first. */
function entranceFacts(
  listeners: readonly RoutedListener[],
  { client, local }: ProxyHeader,
): ConnectionFacts {
  const choosing = local !== null && listeners.length > 1;
  const here = choosing ? listeners.filter((listener) => listener.port === local.port) : listeners;
  const exact = here.find((listener) => listener.host === local?.address);
  return {
    side: 'entrance',
    listener: exact ?? here[0] ?? null,
    client: client ?? { address: '127.0.0.1', port: 0 },
    local: local ?? { address: '127.0.0.1', port: 0 },
    clientSubject: null,
  };
}

/** Reads exactly the header; what came behind it goes back to be read as HTTP. */
function readProxyHeader(socket: Socket, use: (header: ProxyHeader) => void): void {
  readPreface(socket, { msMax: headerMs, parse: prefaceOf, use });
}

function prefaceOf(bytes: Buffer): Preface<ProxyHeader> {
  const parsed = parseProxy(bytes);
  return parsed.kind === 'header'
    ? { kind: 'whole', value: parsed.header, length: parsed.header.length }
    : { kind: parsed.kind };
}

function streamAcceptor(stream: Stream): (socket: Socket) => void {
  const { proxyFrom, port } = stream.said;
  const isTold = mayAsk({ deny: [], allow: proxyFrom });
  const take = (socket: Socket, header: ProxyHeader | null) =>
    stream.take(socket, {
      side: 'public',
      client: header?.client ?? {
        address: plainAddress(socket.remoteAddress),
        port: socket.remotePort ?? 0,
      },
      local: { address: header?.local?.address ?? plainAddress(socket.localAddress), port },
    });
  return (socket) => {
    socket.on('error', () => socket.destroy());
    if (proxyFrom.length === 0 || !isTold(plainAddress(socket.remoteAddress))) return take(socket, null);
    readProxyHeader(socket, (header) => take(socket, header));
  };
}

function takeByEntrance(streams: readonly Stream[], socket: Socket, { client, local }: ProxyHeader): void {
  const here = streams.filter(({ said }) => said.port === local?.port);
  const stream = here.find(({ said }) => said.host === local?.address) ?? here[0];
  if (!stream || !local) return void socket.destroy();
  stream.take(socket, { side: 'entrance', client: client ?? { address: '127.0.0.1', port: 0 }, local });
}

/** Nobody says who the client is. */
function takeByDoor(streams: readonly Stream[], socket: Socket, name: string): void {
  const stream = streams.find(({ said }) => said.name === name);
  assert(stream, `a door of no listener: ${name}`);
  const nobody = { address: '127.0.0.1', port: 0 };
  stream.take(socket, { side: 'entrance', client: nobody, local: { ...nobody, port: stream.said.port } });
}
