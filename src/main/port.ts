import { Failure } from '#base';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `--port`. @throws Failure HF013 */
export function portOf(text: string): number {
  return numberOf('--port', text);
}

/** `--reports`: `4791` on this machine alone, `0.0.0.0:4791`, `[::]:4791`. @throws Failure HF013 */
export function hostPortOf(option: string, text: string): HostPort {
  const [, host, port = ''] = /^(?:(.*):)?([^:]*)$/s.exec(text) ?? [];
  return { host: (host ?? '127.0.0.1').replace(/^\[(.*)\]$/, '$1'), port: numberOf(option, port) };
}

export const reportsHelp =
  'where customers may report trouble: PORT, or HOST:PORT for others than this machine';

/** Mondays at nine. */
export const reviewStandard = '0 9 * * 1';
export const reviewHelp = 'when the site is reviewed: a cron expression, UTC';
export const onCallHelp =
  'who is paged, and how; else oncall.yaml beside the site file, or /etc/holdfast/oncall.yaml';

export const monitorHelp =
  'what is watched; else monitor.yaml beside the site file, or /etc/holdfast/monitor.yaml';

function numberOf(option: string, text: string): number {
  const port = Number(text);
  if (text !== '' && Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Failure('HF013', `${option}: expected a whole number from 0 to 65535, got "${text}"`);
}
