import { z } from 'zod';
import * as words from './schema-words.ts';

const listMax = 500;

/** The small words of the files beside a site: oncall.yaml, monitor.yaml. Each error text is the phrase that stands after `expected` in a diagnostic. */
export function settingsWords() {
  const { text, list } = words;
  const some = <T extends z.ZodType>(of: T, what: string, least = 0) => list(of, what, least, listMax);
  const line = (what: string) => text(what, /^[^\p{Cc}]{1,1024}$/u);
  const url = text(
    'an address that begins with https:// or http://',
    /^https?:\/\/[^\s\p{Cc}]{1,2000}$/u,
  ).refine((word) => URL.canParse(word), 'an address such as https://hooks.example/page');

  const secret = z.strictObject(
    {
      env: text('the name of a variable', /^[A-Za-z_]\w{0,127}$/).optional(),
      file: line('the path of a file').optional(),
      credential: text('the name of a systemd credential', /^[\w.-]{1,128}$/).optional(),
    },
    'where the secret lies: env, file or credential (never the secret itself)',
  );
  const secretUrl = z.union([url, secret], 'an address, or where it lies: env, file or credential');

  const label = text('the name of a label', /^[A-Za-z_]\w{0,127}$/);
  return { ...words, some, line, url, secret, secretUrl, label };
}

export type SettingsWords = ReturnType<typeof settingsWords>;
