import { type OwnDialectName, type ParsedSite, parseSite, type SharedItems, type WrittenText } from '#model';
import { haproxyOwn } from './haproxy/own.ts';
import { nginxOwn } from './nginx/own.ts';
import type { OwnDialect } from './own.ts';

export const ownDialects = {
  haproxy: haproxyOwn,
  nginx: nginxOwn,
} as const satisfies Record<OwnDialectName, OwnDialect>;

/** Of texts that are remembered, together: a site of 10,000 servers has 600,000. */
const rememberedCharactersMax = 2_000_000;
/** The newest last. */
const remembered = new Map<string, ParsedSite>();

/**
 * What a text says, whatever it is written in: the one way from a text to a site. Never throws. The same text is read
 * several times in the life of a change, by controller and agent: the last few are remembered. @param items of site files
 * that it is compared with.
 */
export function readSite(text: WrittenText, items: SharedItems | null = null): ParsedSite {
  const { dialect = 'site' } = text;
  return dialect === 'site' ? readOnce(text, items) : ownDialects[dialect].adopt(text);
}

function readOnce({ text, file, folder, includes }: WrittenText, items: SharedItems | null): ParsedSite {
  if (text.length > rememberedCharactersMax) return parseSite(text, file, folder, includes, items);
  const key = JSON.stringify([file, folder, includes, text]);
  const found = remembered.get(key) ?? parseSite(text, file, folder, includes, items);
  remembered.delete(key);
  remembered.set(key, found);
  let characters = [...remembered.keys()].reduce((sum, { length }) => sum + length, 0);
  for (const oldest of remembered.keys()) {
    if (characters <= rememberedCharactersMax) break;
    remembered.delete(oldest);
    characters -= oldest.length;
  }
  return found;
}
