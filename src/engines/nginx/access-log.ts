import type { LogFormat } from '#dialects';

/** What a line of somebody's access log says of one request. Null and empty: its format does not say. */
export interface Logged {
  readonly status: number;
  /** Of each try, in their order: an address, or the upstream's name where no server was left. */
  readonly upstreams: readonly string[];
  /** Until its server had answered in full. */
  readonly timeMs: number | null;
}

export type ReadLine = (line: string) => Logged | null;

/** Values that may hold what comes after them in a format: they are recognised by their own shape. */
const list = (one: string) => `(?:${one})(?:(?:, | : )(?:${one}))*`;
const shapes: Readonly<Record<string, RegExp>> = {
  status: /\d{3}/y,
  upstream_addr: new RegExp(`(?:${list('[^\\s,"]+')})?`, 'y'),
  upstream_status: new RegExp(list('-|\\d{3}'), 'y'),
  upstream_response_time: new RegExp(list('-|[\\d.]+'), 'y'),
  upstream_header_time: new RegExp(list('-|[\\d.]+'), 'y'),
  upstream_connect_time: new RegExp(list('-|[\\d.]+'), 'y'),
};

/** One that answers null for a line that is not of this format. Its time grows with the length of a line, and no more. */
export function lineReader({ text }: LogFormat): ReadLine {
  // A literal, a variable, a literal, and so on.
  const parts = text.split(/\$\{?([a-z_][a-z_0-9]*)\}?/i);
  return (line) => {
    const values = valuesOf(line, parts);
    const status = Number(values?.get('status'));
    if (!values || !Number.isInteger(status)) return null;
    const times = triesIn(values.get('upstream_response_time')).map(Number).filter(Number.isFinite);
    return {
      status,
      upstreams: triesIn(values.get('upstream_addr')),
      timeMs: times.length === 0 ? null : 1_000 * times.reduce((sum, one) => sum + one, 0),
    };
  };
}

/** Whether its lines name servers. */
export function namesServers({ text }: LogFormat): boolean {
  return /\$\{?upstream_addr\b/.test(text);
}

function triesIn(value = ''): string[] {
  return value.split(/, | : /).filter((one) => one !== '' && one !== '-');
}

function valuesOf(line: string, parts: readonly string[]): ReadonlyMap<string, string> | null {
  const values = new Map<string, string>();
  let at = parts[0]?.length ?? 0;
  if (!line.startsWith(parts[0] ?? '')) return null;
  for (let part = 1; part < parts.length; part += 2) {
    const [name = '', literal = ''] = [parts[part], parts[part + 1]];
    const end = endOf(line, at, { name, literal, isLast: part + 2 >= parts.length });
    if (end < 0 || !line.startsWith(literal, end)) return null;
    values.set(name, line.slice(at, end));
    at = end + literal.length;
  }
  return at === line.length ? values : null;
}

function endOf(
  line: string,
  at: number,
  { name, literal, isLast }: { readonly name: string; readonly literal: string; readonly isLast: boolean },
): number {
  const shape = shapes[name];
  if (shape) {
    shape.lastIndex = at;
    return shape.test(line) ? shape.lastIndex : -1;
  }
  if (literal !== '')
    return isLast && line.endsWith(literal) ? line.length - literal.length : line.indexOf(literal, at);
  return isLast ? line.length : at;
}
