import type { AccessLog } from '#model';
import { hostPort } from '#model';
import { word } from './vocabulary.ts';

/**
 * A proxy of HAProxy 2.6 has one format for all its targets, so with an access log the error log's lines are the same
 * objects; `errorLineOf` makes them what they are without one.
 */
export function accessLogLines(log: AccessLog | null): string[] {
  if (log === null) return [];
  return [
    'log global',
    `log ${target(log)} local0 info`,
    'no option dontlog-normal',
    'http-request set-var(txn.path) path,json(utf8s)',
    `log-format ${word(format)}`,
  ];
}

function target(log: AccessLog): string {
  switch (log.kind) {
    case 'stdout':
      return 'stdout format raw';
    case 'syslog':
      return word(hostPort(log.host, log.port));
    case 'syslogSocket':
    case 'file':
      return word(log.path);
  }
}

const fields: Readonly<Record<string, string>> = {
  time: '%Ts.%ms',
  listener: '"%f"',
  client: '"%ci"',
  method: '"%HM"',
  host: '"%[var(txn.host),json(utf8s)]"',
  path: '"%[var(txn.path)]"',
  status: '%ST',
  bytes: '%B',
  durationMs: '%Ta',
  pool: '"%b"',
  server: '"%s"',
  retries: '"%rc"',
  ended: '"%ts"',
};

const format = `{${Object.entries(fields)
  .map(([name, value]) => `"${name}":${value}`)
  .join(',')}}`;

/** A line of the error log in its usual form: status, how it ended, pool, server, retries, method, path, host. */
export function errorLineOf(line: string): string {
  const at = line.indexOf('{"time":');
  if (at < 0) return line;
  try {
    const said = JSON.parse(line.slice(at)) as Readonly<Record<string, unknown>>;
    const { status, ended, pool, server, retries, method, path, host } = said;
    return line.slice(0, at) + [status, ended, pool, server, retries, method, path, host].join(' ');
  } catch {
    return line;
  }
}
