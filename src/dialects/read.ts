import { type OwnDialectName, type ParsedSite, parseSite, type WrittenText } from '#model';
import { haproxyOwn } from './haproxy/own.ts';
import { nginxOwn } from './nginx/own.ts';
import type { OwnDialect } from './own.ts';

export const ownDialects = {
  haproxy: haproxyOwn,
  nginx: nginxOwn,
} as const satisfies Record<OwnDialectName, OwnDialect>;

/** What a text says, whatever it is written in: the one way from a text to a site. Never throws. */
export function readSite(text: WrittenText): ParsedSite {
  const { dialect = 'site' } = text;
  return dialect === 'site'
    ? parseSite(text.text, text.file, text.folder, text.includes)
    : ownDialects[dialect].adopt(text);
}
