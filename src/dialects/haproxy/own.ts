import { createRequire } from 'node:module';
import type { OwnDialect } from '../own.ts';
import type * as Files from './own/files.ts';
import type * as KeepAlive from './own/keep-alive.ts';
import type * as Survey from './own/survey.ts';
import type * as Transplant from './own/transplant.ts';
import type * as Unix from './own/unix.ts';

/** Each part is loaded when it is asked for: a plan of a text takes nothing over. */
const load = createRequire(import.meta.url);
const files = () => load('./own/files.ts') as typeof Files;

export const haproxyOwn: OwnDialect = {
  includes: (...given) => files().includes(...given),
  adopt: (...given) => (load('./own/survey.ts') as typeof Survey).adopt(...given),
  files: (...given) => files().files(...given),
  keepAlive: (...given) => (load('./own/keep-alive.ts') as typeof KeepAlive).keepAlive(...given),
  user: ({ text }) => (load('./own/unix.ts') as typeof Unix).userOf(text),
  transplant: (...given) => (load('./own/transplant.ts') as typeof Transplant).transplant(...given),
};
