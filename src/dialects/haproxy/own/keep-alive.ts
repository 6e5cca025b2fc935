import type { OwnText } from '#model';
import type { KeepAlive } from '../../keep-alive.ts';
import { isDisabled, isHttp, type Section, sectionsOf, settingOf } from './sections.ts';

/** Which of them counts, in this order; HAProxy waits for ever without any. */
const timeouts = ['http-keep-alive', 'http-request', 'client'] as const;
const forEverMs = Number.POSITIVE_INFINITY;
const unitMs: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

export function keepAlive({ text, file }: Pick<OwnText, 'text' | 'file'>): KeepAlive {
  const fronts = sectionsOf(text).filter(
    (section) =>
      (section.kind === 'frontend' || section.kind === 'listen') && isHttp(section) && !isDisabled(section),
  );
  const kept = fronts.filter((section) => !isOn(section, 'httpclose'));
  const all = kept.map((section) => {
    const line = timeouts.map((name) => settingOf(section, 'timeout', name)).find((one) => one !== null);
    const words = line?.words.map(({ value }) => value).join(' ') ?? '';
    const said = line ? { words, place: { file, line: line.number, column: 1 } } : null;
    return { idleMs: line ? timeOf(line.words[2]?.value ?? '') : forEverMs, said };
  });
  const longest = all.toSorted((a, b) => b.idleMs - a.idleMs)[0] ?? { idleMs: 0, said: null };
  return { ...longest, busy: null, endsGently: kept.every((one) => isOn(one, 'idle-close-on-response')) };
}

function isOn(section: Section, option: string): boolean {
  const on = section.lines.findLast(({ words }) => words.some(({ value }) => value === option));
  if (on) return on.words[0]?.value === 'option';
  return section.defaults ? isOn(section.defaults, option) : false;
}

function timeOf(text: string): number {
  const [, number = '', unit = 'ms'] = /^(\d+)(us|ms|s|m|h|d)?$/.exec(text) ?? [];
  return number === '' ? forEverMs : Number(number) * (unitMs[unit] ?? 1);
}
