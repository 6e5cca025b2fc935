import { Failure } from '#base';
import type { Matcher } from '#events';

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `30m`, `2h`, `7d`. @throws Failure HF013 */
export function durationMs(option: string, text: string): number {
  const [, count, unit = ''] = /^(\d{1,5})([smhd])$/.exec(text) ?? [];
  const ms = Number(count) * (unitMs[unit] ?? Number.NaN);
  if (ms > 0) return ms;
  throw new Failure('HF013', `${option}: expected a duration such as 30m, 2h or 7d, got "${text}"`);
}

/** `alertname=BadAnswers`, `pool!=web`, `server=~web-.*`, `server!~"web-1"`, as amtool has it. @throws Failure HF013 */
export function matcherOf(text: string): Matcher {
  const [, name = '', operator = '', value = ''] =
    /^([A-Za-z_]\w*)\s*(=~|!~|!=|=)\s*(.*)$/s.exec(text.trim()) ?? [];
  if (name === '')
    throw new Failure(
      'HF013',
      `expected a label and its value, got "${text}"`,
      'Such as alertname=BadAnswers, pool!=web, server=~web-.*',
    );
  const bare = /^"(?:[^"\\]|\\.)*"$/.test(value) ? (JSON.parse(value) as string) : value;
  return { name, value: bare, isRegex: operator.endsWith('~'), isEqual: operator.startsWith('=') };
}
