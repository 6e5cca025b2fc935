/** Requests that a text's own words suggest. */
import { meaning } from '#routing';
import type { Random } from '../../test/world/random.ts';

const methods = ['GET', 'GET', 'GET', 'GET', 'GET', 'POST', 'HEAD', 'PUT', 'OPTIONS'] as const;

export function requestsFor(
  text: string,
  lifted: meaning.Meaning,
  random: Random,
  count: number,
): readonly meaning.Request[] {
  const pick = <T>(from: readonly T[], otherwise: T): T =>
    from[random.integer(Math.max(1, from.length))] ?? otherwise;
  const words = (pattern: RegExp) =>
    [...new Set([...text.matchAll(pattern)].map(([word]) => word))].slice(0, 500);
  const paths = words(/(?<![\w.:/])\/[\w./~-]{0,60}/g);
  const hosts = words(/\b(?:[a-z\d-]+\.)+[a-z]{2,}\b/gi);
  const names = words(/\b(?:X|x)-[\w-]+\b/g);
  const values = words(/\b[a-z][a-z\d_-]{2,20}\b/g);
  const listeners = lifted.listeners.filter(({ port, mode }) => port !== null && mode === 'http');
  return Array.from({ length: listeners.length === 0 ? 0 : count }, () => {
    const listener = pick(listeners, undefined);
    const path = changed(pick(paths, '/'), random);
    const host = pick([...hosts, 'www.example.com'], 'www.example.com');
    return meaning.requestOf({
      method: pick(methods, 'GET'),
      scheme: listener?.tls ? 'https' : 'http',
      ...(listener?.port ? { port: listener.port } : {}),
      ...(listener && /^[\d.]+$/.test(listener.host) ? { address: listener.host } : {}),
      host: random.integer(8) === 0 ? host.toUpperCase() : host,
      ...(listener?.tls ? { sni: host.toLowerCase() } : {}),
      path,
      query: random.integer(4) === 0 ? `${pick(values, 'a')}=${pick(values, 'b')}` : null,
      headers: random.integer(3) === 0 ? { [pick(names, 'x-a').toLowerCase()]: pick(values, '1') } : {},
      sourceAddress: pick(['127.0.0.1', '10.1.2.3', '192.168.1.9', '203.0.113.7'], '127.0.0.1'),
      sourcePort: 40_000,
      version: '1.1',
    });
  });
}

function changed(path: string, random: Random): string {
  switch (random.integer(8)) {
    case 0:
      return `${path}x`;
    case 1:
      return `${path.replace(/\/$/, '')}/a/b.php`;
    case 2:
      return path.slice(0, -1) || '/';
    case 3:
      return path.toUpperCase();
    default:
      return path;
  }
}
