import { resolve } from 'node:path';
import { assert } from '#base';
import type { PlaceOf } from './build.ts';
import { builtOnce } from './built.ts';
import type {
  CircuitBreaker,
  Compression,
  Ejection,
  HashOn,
  HealthCheck,
  Identity,
  Pool,
  PoolTls,
  Server,
  StatusRange,
  StickyCookie,
} from './pool.ts';
import type { ServerPart } from './schema.ts';
import type { PoolPart } from './schema-pools.ts';
import { durationOrNull, nameOfAddress, parseAddress, parseBytes, parseDurationMs } from './words.ts';
import type { Path } from './yaml.ts';

const pools = builtOnce<PoolPart, Pool>();

export function buildPool(part: PoolPart, index: number, folder: string, placeOf: PlaceOf): Pool {
  const build = () => poolOf(part, index, folder, placeOf);
  // Certificates lie somewhere else for each folder.
  return part.tls === undefined ? pools(part, index, placeOf, build) : build();
}

function poolOf(part: PoolPart, index: number, folder: string, placeOf: PlaceOf): Pool {
  const { timeouts } = part;
  return {
    name: part.name,
    algorithm: part.algorithm,
    hashOn: part.hash === undefined || part.algorithm !== 'hash' ? null : buildHash(part.hash),
    stickyCookie: part.stickyCookie === undefined ? null : buildCookie(part.stickyCookie),
    tls: part.tls === undefined ? null : buildTls(part.tls, ['pools', index, 'tls'], folder, placeOf),
    proxyProtocol: part.proxyProtocol ?? null,
    servers: serversOf(part, index, placeOf),
    healthCheck: buildHealthCheck(part),
    ejection: part.ejection === undefined ? null : buildEjection(part.ejection),
    slowStartMs: durationOrNull(part.slowStart),
    retries: part.retries,
    ...(part.circuitBreaker === undefined ? {} : { circuitBreaker: buildBreaker(part.circuitBreaker) }),
    ...(part.compression === undefined ? {} : { compression: buildCompression(part.compression) }),
    queuedMax: part.queuedMax ?? null,
    timeouts: {
      connectMs: parseDurationMs(timeouts.connect),
      serverMs: parseDurationMs(timeouts.server),
      queueMs: parseDurationMs(timeouts.queue),
      tunnelMs: parseDurationMs(timeouts.tunnel),
      ...(timeouts.firstByte === undefined ? {} : { firstByteMs: parseDurationMs(timeouts.firstByte) }),
    },
    place: placeOf(['pools', index]),
  };
}

const servers = builtOnce<PoolPart, readonly Server[]>();

function serversOf(part: PoolPart, index: number, placeOf: PlaceOf): readonly Server[] {
  return servers(part, index, placeOf, () =>
    part.servers.map((server, i) => buildServer(server, ['pools', index, 'servers', i], placeOf)),
  );
}

function buildEjection({ of, errorsInARow, serversShareMax }: NonNullable<PoolPart['ejection']>): Ejection {
  return { of, errorsInARow, ...(serversShareMax === undefined ? {} : { serversShareMax }) };
}

function buildBreaker({
  failures,
  requests,
  window,
  open,
}: NonNullable<PoolPart['circuitBreaker']>): CircuitBreaker {
  return {
    failuresShare: failures,
    requests,
    windowMs: parseDurationMs(window),
    openMs: parseDurationMs(open),
  };
}

function buildCompression({ types, minSize }: NonNullable<PoolPart['compression']>): Compression {
  return {
    types: types.map((type) => type.toLowerCase()),
    minBytes: minSize === undefined ? null : parseBytes(minSize),
  };
}

function buildHash({ on, name }: NonNullable<PoolPart['hash']>): HashOn {
  return on === 'path' || name === undefined ? { kind: 'path' } : { kind: on, name };
}

function buildCookie(part: NonNullable<PoolPart['stickyCookie']>): StickyCookie {
  const { name, httpOnly, secure, sameSite, maxAge, domain } = part;
  return {
    name,
    httpOnly,
    secure,
    sameSite: sameSite ?? null,
    maxAgeMs: durationOrNull(maxAge),
    domain: domain ?? null,
  };
}

function buildTls(
  { ca, name, verify, certificate, key }: NonNullable<PoolPart['tls']>,
  path: Path,
  folder: string,
  placeOf: PlaceOf,
): PoolTls {
  const shown = certificate !== undefined && key !== undefined;
  return {
    authorities: ca === undefined ? null : resolve(folder, ca),
    verify: verify === 'required',
    name: name?.toLowerCase() ?? null,
    certificate: shown
      ? {
          certificate: resolve(folder, certificate),
          key: resolve(folder, key),
          place: placeOf([...path, 'certificate']),
        }
      : null,
    place: placeOf(path),
  };
}

function buildHealthCheck({ healthCheck: part, identity }: PoolPart): HealthCheck {
  const statuses = Array.isArray(part.expectStatus) ? part.expectStatus : [part.expectStatus];
  return {
    http:
      part.path === undefined
        ? null
        : {
            method: part.method ?? 'GET',
            path: part.path,
            host: part.host ?? null,
            headers: part.headers,
            expectStatus: statuses.map(rangeOf),
            expectBody: part.expectBody ?? null,
            ...(identity === undefined ? {} : { identity: buildIdentity(identity) }),
          },
    port: part.port ?? null,
    intervalMs: parseDurationMs(part.interval),
    timeoutMs: parseDurationMs(part.timeout),
    rise: part.rise,
    fall: part.fall,
  };
}

function buildIdentity({ header, body }: NonNullable<PoolPart['identity']>): Identity {
  return { ...(header === undefined ? {} : { header }), ...(body === undefined ? {} : { body }) };
}

function rangeOf(status: number | string): StatusRange {
  const [from = 0, to = from] = String(status).split('-').map(Number);
  return { from, to };
}

function buildServer(part: ServerPart, path: Path, placeOf: PlaceOf): Server {
  const given: Exclude<ServerPart, string> =
    typeof part === 'string' ? { address: part, weight: 1, spare: false, maintenance: false } : part;
  const { host, port } = addressOf(given.address);
  return {
    name: given.name ?? nameOfAddress(host, port),
    host,
    port,
    weight: given.weight,
    connectionsMax: given.connectionsMax ?? null,
    spare: given.spare,
    maintenance: given.maintenance,
    place: placeOf(path),
  };
}

export function addressOf(word: string): { readonly host: string; readonly port: number } {
  const address = parseAddress(word);
  assert(address, 'the shape lets only addresses through');
  return address;
}
