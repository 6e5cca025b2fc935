import type { Place } from '#base';

/** `16:20:31.123` */
export function timeOfDay(at: number): string {
  return new Date(at).toISOString().slice(11, 23);
}

/** `2026-11-22 16:20:31.123 UTC` */
export function dateAndTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 10)} ${timeOfDay(at)} UTC`;
}

/** `177 ms`, `12.4 s`, `3 min 20 s`, `4 h 05 min` */
export function duration(ms: number): string {
  if (ms < 1) return 'less than 1 ms';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const tenths = Math.round(ms / 100) / 10;
  if (tenths < 60) return `${tenths.toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(ms / 60_000);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** `61 requests`, `1 request`, `12,500 requests` */
export function counted(count: number, what: string): string {
  return `${number(count)} ${what}${count === 1 ? '' : 's'}`;
}

export function number(count: number): string {
  return count.toLocaleString('en-GB');
}

/** `11.5 %`; small shares keep two figures that say something. */
export function share(part: number, whole: number): string {
  if (whole === 0) return '0 %';
  const percent = (100 * part) / whole;
  if (percent === 0) return '0 %';
  if (percent < 0.01) return 'less than 0.01 %';
  return `${Number(percent >= 1 ? percent.toFixed(1) : percent.toPrecision(2))} %`;
}

/** `lb-1`, `lb-1 and lb-2`, `a, b and c` */
export function listed(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}

/** Somebody else's words inside of ours: on one line, and not taken for Markdown. */
export function plain(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[\\`*_[\]<>#|]/g, '\\$&');
}

/** Somebody else's words as they are, on one line. */
export function verbatim(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  const fence = line.includes('`') ? '``' : '`';
  return line === '' ? '' : `${fence}${fence === '``' ? ` ${line} ` : line}${fence}`;
}

export function placed(place: Place): string {
  return verbatim(`${place.file}:${place.line}:${place.column}`);
}

/** `person:root` is root, `agent:lb-1` is the agent of lb-1. */
export function who(by: string): string {
  const [kind = '', name = ''] = by.split(/:(.*)/s);
  if (kind === 'person' && name) return plain(name);
  if (kind === 'agent' && name) return `the agent of ${plain(name)}`;
  return by === 'controller' ? 'the controller' : plain(by);
}

export function sentence(text: string): string {
  const trimmed = text.trim();
  const begun = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
