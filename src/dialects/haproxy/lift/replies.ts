import { meaning } from '#routing';
import type { Line } from '../own/sections.ts';
import type { Word } from '../own/words.ts';
import { formatOf } from './format.ts';
import type { Scene } from './scene.ts';
import { bytes } from './source.ts';

export interface Reply {
  readonly fate: meaning.Fate;
  readonly condition: number;
  /** Headers and files of the answer, in one form. */
  readonly rest: string;
}

const one = new Set([
  'status',
  'deny_status',
  'content-type',
  'errorfile',
  'errorfiles',
  'file',
  'string',
  'lf-file',
  'lf-string',
]);

/** `return`, `deny`, `tarpit`: an answer of the engine's own. A text says what is wrong with it. */
export function replyOf(words: readonly Word[], status: number, line: Line, scene: Scene): Reply | string {
  let now = status;
  let body: meaning.Value | null = null;
  let held: ((now: number) => meaning.Fate) | null = null;
  const rest: string[] = [];
  let at = 1;
  for (; at < words.length; at += 1) {
    const keyword = words[at]?.value ?? '';
    const given = words[at + 1];
    if (keyword === 'if' || keyword === 'unless') break;
    if (keyword === 'default-errorfiles') {
      held = (code) => scene.answers.of(code, scene);
      continue;
    }
    if (keyword === 'hdr') {
      rest.push(`hdr ${given?.value ?? ''} ${words[at + 2]?.value ?? ''}`);
      at += 2;
      continue;
    }
    if (!one.has(keyword) || given === undefined) return `"${keyword}" is not known of an answer`;
    if (keyword === 'status' || keyword === 'deny_status') now = Number(given.value);
    else if (keyword === 'string') body = meaning.text(bytes(given.value));
    else if (keyword === 'lf-string') body = formatOf(given, line, scene);
    else rest.push(`${keyword} ${given.value}`);
    if (keyword === 'errorfile') held = (code) => scene.answers.ofFile(given.value, code);
    if (keyword === 'errorfiles') held = (code) => scene.answers.ofSection(given.value, code, scene);
    at += 1;
  }
  // `deny` alone, or with no more than its old word for a status, answers as errors do.
  const isPlain = at === 1 || (at === 3 && words[1]?.value === 'deny_status');
  if (isPlain && words[0]?.value !== 'return') held ??= (code) => scene.answers.of(code, scene);
  if (!Number.isInteger(now) || now < 200 || now > 599) return `${now} is no status of an answer`;
  const fate = held?.(now) ?? { kind: 'answer', status: now, body };
  return { fate, condition: at, rest: rest.join(' ') };
}
