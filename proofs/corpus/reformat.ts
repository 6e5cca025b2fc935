/** The same configuration written otherwise, in ways that the engine does not tell apart. */
import type { OwnDialectName } from '#model';
import { haproxyForms } from './reformat-haproxy.ts';
import { nginxForms } from './reformat-nginx.ts';

/** What it gives must do the same, whatever the text. The text itself: this way has nothing to change in it. */
export type Form = (text: string) => string;

export const forms: Readonly<Record<OwnDialectName, Readonly<Record<string, Form>>>> = {
  haproxy: haproxyForms,
  nginx: nginxForms,
};

/** All of them, one after the other. */
export function reformatted(text: string, dialect: OwnDialectName): string {
  return Object.values(forms[dialect]).reduce((before, form) => form(before), text);
}
