import { sizes, times } from './vocabulary.ts';

const milliseconds: Readonly<Record<string, number>> = {
  ms: 1,
  '': 1000,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  M: 2_592_000_000,
  y: 31_536_000_000,
};

/** `1m30s`, `60`: milliseconds; null: no time. */
export function timeOf(word: string): number | null {
  if (!/^(?:\d+(?:ms|[smhdwMy]) ?)*(?:\d+)?$/.test(word) || word === '') return null;
  const parts = [...word.matchAll(/(\d+)(ms|[smhdwMy]|)/g)];
  return parts.reduce((sum, [, digits, unit = '']) => sum + Number(digits) * (milliseconds[unit] ?? 0), 0);
}

export function sizeOf(word: string): number | null {
  const [, digits, unit = ''] = /^(\d+)([kKmMgG]?)$/.exec(word) ?? [];
  if (digits === undefined) return null;
  return Number(digits) * 1024 ** ' kmg'.indexOf(unit.toLowerCase() || ' ');
}

/** So that `30s` and `30` are the same, and `8k` and `8192`. */
export function inOneForm(name: string, words: readonly string[]): string {
  if (times.has(name)) return words.map((word) => shown(timeOf(word), 'ms', word)).join(' ');
  if (sizes.has(name)) {
    const [first, ...rest] = words;
    if (rest.length > 0) return [first, ...rest.map((word) => shown(sizeOf(word), 'bytes', word))].join(' ');
    return words.map((word) => shown(sizeOf(word), 'bytes', word)).join(' ');
  }
  const isFlag = words.length === 1 && /^(?:on|off)$/i.test(words[0] ?? '');
  return isFlag ? (words[0] ?? '').toLowerCase() : words.join(' ');
}

const shown = (value: number | null, unit: string, word: string) =>
  value === null ? word : `${value} ${unit}`;
