import { nginxNames } from '#dialects';
import { type Try, triesOf } from './tries.ts';

/** What NGINX says of a connection that is passed on: when it begins, when the net takes it, when it has ended. */
export type StreamLine =
  | { readonly kind: 'began' }
  | { readonly kind: 'led' }
  /** `address`: of the server that broke off. */
  | { readonly kind: 'broke'; readonly address: string }
  | {
      readonly kind: 'ended';
      readonly side: 'public' | 'entrance';
      readonly listener: string;
      /** Its number. Null: no route took it, or its listener refused it. */
      readonly pool: number | null;
      readonly status: number;
      readonly tries: readonly Try[];
    };

/** Null: it is about something else. */
export function streamLineOf(line: string): StreamLine | null {
  if (line.startsWith(`${nginxNames.streamLine}\t`)) return endOf(line.split('\t'));
  if (!line.includes('#')) return null;
  if (/\[info\] \S+ \*\d+ client [^ ]+ connected to /.test(line))
    return / client unix: /.test(line) ? null : { kind: 'began' };
  if (/\[info\] \S+ \*\d+ proxy \S+ connected to \S+\/net\/(?:doors|entrance)/.test(line))
    return { kind: 'led' };
  const broke = /\[error\] .* while proxying and reading from upstream,.* upstream: "([^"]+)"/.exec(line);
  return broke ? { kind: 'broke', address: (broke[1] ?? '').replace(/^unix:/, 'unix@') } : null;
}

function endOf([
  ,
  side,
  listener = '',
  pool = '',
  status = '',
  addresses = '',
  connects = '',
]: readonly string[]): StreamLine {
  const number = /^p(\d+)\./.exec(pool);
  return {
    kind: 'ended',
    side: side === 'p' ? 'public' : 'entrance',
    listener,
    pool: number ? Number(number[1]) : null,
    status: Number(status),
    tries: triesOf({ addresses, statuses: '', connects, heads: '' }),
  };
}
