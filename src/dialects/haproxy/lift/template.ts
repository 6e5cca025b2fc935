import type { meaning } from '#routing';
import { bytes } from './source.ts';

/** `\1` is a group; anything else behind a backslash is itself (`exp_replace`). */
export function templateOf(text: string): readonly meaning.TemplatePart[] {
  const parts: meaning.TemplatePart[] = [];
  let literal = '';
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] !== '\\') {
      literal += text[at];
      continue;
    }
    at += 1;
    const next = text.charAt(at);
    if (/[0-9]/.test(next)) {
      if (literal !== '') parts.push(bytes(literal));
      literal = '';
      parts.push({ group: Number(next) });
    } else literal += next;
  }
  return literal === '' ? parts : [...parts, bytes(literal)];
}
