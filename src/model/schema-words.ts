import { isIP } from 'node:net';
import { z } from 'zod';
import { parseDurationMs } from './words.ts';

/** The small words of a site file's schema. Each error text is the phrase that stands after `expected` in a diagnostic. */

/** Names of things. They become names of files and of the engines' sections. */
export const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
export const name = text(
  'a name of letters, digits, "-", "_" and ".", at most 64, beginning with a letter or digit',
  namePattern,
).refine((word) => !(word in Object.prototype), `another name: this one is reserved`);

export function text(expected: string, pattern: RegExp) {
  return z.string(expected).regex(pattern, expected);
}

export function wholeNumber(from: number, to: number) {
  const expected = `a whole number from ${from} to ${to}`;
  return z.int(expected).min(from, expected).max(to, expected);
}

export function share(from: number) {
  const expected =
    from === 0 ? 'a share from 0 to 1, such as 0.25' : 'a share above 0 and up to 1, such as 0.25';
  return z.number(expected).min(from, expected).max(1, expected);
}

const dayMs = 24 * 60 * 60 * 1000;

export function duration(standard: string) {
  return durationWord().default(standard);
}

export function optionalDuration() {
  return durationWord().optional();
}

function durationWord() {
  const expected = 'a duration from 1ms to 24h, such as 500ms, 2s or 1m';
  return text(expected, /^\d{1,8}(?:ms|s|m|h)$/).refine((word) => {
    const ms = parseDurationMs(word);
    return ms >= 1 && ms <= dayMs;
  }, expected);
}

export function yesOrNo(standard: boolean) {
  return z.boolean('true or false').default(standard);
}

export function list<T extends z.ZodType>(of: T, expected: string, least: number, most: number) {
  const phrase = `${expected}, ${least === 0 ? `at most ${most}` : `${least} to ${most}`}`;
  return z.array(of, expected).min(least, phrase).max(most, phrase);
}

export const ipAddress = z
  .string('an IP address such as 10.0.0.1 or "::1"')
  .refine((word) => isIP(word) > 0 && !word.includes('%'), 'an IP address such as 10.0.0.1 or "::1"');

export const fileName = text(
  'the name of a file, at most 1024 characters, without control characters',
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it keeps out
  /^[^\x00-\x1f\x7f]{1,1024}$/,
);

export const hostname = text(
  'a host name such as "shop.example" or "*.shop.example", without port',
  /^(?=.{1,253}$)(?:\*\.)?(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*$/,
);

/** A host that a client is sent to, or that a server is told: no wildcard. */
export const plainHostname = text(
  'a host name such as "shop.example", without port and "*"',
  /^(?=.{1,253}$)(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*$/,
);
