import { isIP } from 'node:net';
import type { Diagnostic } from '#base';
import { addressOf } from './build-pools.ts';
import { pathText } from './mistakes.ts';
import { sectionOf } from './parts.ts';
import type { PoolPart } from './schema-pools.ts';
import { shaped } from './shaped.ts';
import { mistake, type Path, type SourceText } from './yaml.ts';

/** Words of a pool that do not go together. Looks at every pool of the right shape. */
export function poolMistakes(source: SourceText): Diagnostic[] {
  return sectionOf(source, 'pools').flatMap((item, index) => {
    const { data } = shaped.pools(item);
    if (!data) return [];
    const tell: Tell = (path, message, remedy) => {
      const at: Path = ['pools', index, ...path];
      return [mistake('HF022', source.placeOf(at), pathText(at), message, remedy)];
    };
    const looks = [
      hashMistakes,
      cookieMistakes,
      checkMistakes,
      identityMistakes,
      serverMistakes,
      tlsMistakes,
    ];
    return looks.flatMap((look) => look(data, tell));
  });
}

type Tell = (path: Path, message: string, remedy: string) => Diagnostic[];

function hashMistakes({ algorithm, hash }: PoolPart, tell: Tell): Diagnostic[] {
  if (algorithm === 'hash' && hash === undefined)
    return tell(['algorithm'], 'expected "hash" beside it: what the hash is of', 'Add hash: { on: path }');
  if (hash === undefined) return [];
  if (algorithm !== 'hash')
    return tell(['hash'], `means nothing with the algorithm "${algorithm}"`, 'Write algorithm: hash');
  if (hash.on === 'path' && hash.name !== undefined)
    return tell(['hash', 'name'], 'means nothing where the hash is of the path', 'Remove it');
  if (hash.on !== 'path' && hash.name === undefined)
    return tell(['hash', 'on'], `expected the name of the ${hash.on} beside it`, 'Add name');
  return [];
}

function cookieMistakes({ stickyCookie: cookie }: PoolPart, tell: Tell): Diagnostic[] {
  if (cookie?.sameSite !== 'None' || cookie.secure) return [];
  return tell(
    ['stickyCookie', 'sameSite'],
    'browsers refuse a cookie with SameSite=None that is not secure',
    'Add secure: true',
  );
}

function checkMistakes({ healthCheck: check }: PoolPart, tell: Tell): Diagnostic[] {
  if (check.method === 'HEAD' && check.expectBody !== undefined)
    return tell(['healthCheck', 'expectBody'], 'an answer to HEAD has no body', 'Remove it, or ask with GET');
  if (check.path !== undefined) return [];
  const words = (['method', 'host', 'expectBody'] as const).filter((word) => check[word] !== undefined);
  const meaningless = [...words, ...(check.headers.length > 0 ? ['headers'] : [])];
  return meaningless.flatMap((word) =>
    tell(['healthCheck', word], 'means nothing without a path: a TCP connection is enough', 'Add path'),
  );
}

function identityMistakes({ identity, healthCheck: check }: PoolPart, tell: Tell): Diagnostic[] {
  if (identity === undefined) return [];
  if (identity.header === undefined && identity.body === undefined)
    return tell(['identity'], 'says nothing', 'Add header: { name, value } or body');
  if (check.path === undefined)
    return tell(
      ['identity'],
      'is looked for in the answer to the health check, which asks nothing',
      'Add healthCheck: { path }',
    );
  if (check.method === 'HEAD' && identity.body !== undefined)
    return tell(['identity', 'body'], 'an answer to HEAD has no body', 'Remove it, or ask with GET');
  return [];
}

function tlsMistakes({ tls, servers }: PoolPart, tell: Tell): Diagnostic[] {
  if (tls === undefined) return [];
  const { certificate, key, verify, ca, name } = tls;
  const half = (certificate === undefined) !== (key === undefined);
  const alone = half ? tell(['tls'], 'expected certificate and key together, got one of them', '') : [];
  if (verify === 'none') {
    const unchecked = tell(
      ['tls', 'verify'],
      'whoever answers at the address is believed',
      'Name a ca instead',
    );
    const idle = ca === undefined ? [] : tell(['tls', 'ca'], 'means nothing with verify: none', 'Remove one');
    return [
      ...alone,
      ...idle,
      ...unchecked.map((d) => ({ ...d, code: 'HF023', severity: 'warning' as const })),
    ];
  }
  const nameless = servers.findIndex((server) => isIP(hostOf(server)) > 0);
  if (name !== undefined || nameless < 0) return alone;
  const message = 'expected tls.name: a certificate is for a name, and this server has an address only';
  return [...alone, ...tell(['servers', nameless], message, 'Add the name that its certificate is for')];
}

function hostOf(server: PoolPart['servers'][number]): string {
  return addressOf(typeof server === 'string' ? server : server.address).host;
}

function serverMistakes({ servers }: PoolPart, tell: Tell): Diagnostic[] {
  if (!servers.every((server) => typeof server !== 'string' && server.spare)) return [];
  return tell(['servers'], 'expected a server that is no spare', 'Remove spare: true from one');
}
