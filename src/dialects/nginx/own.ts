import { createRequire } from 'node:module';
import type { OwnDialect } from '../own.ts';
import type * as AccessLogs from './own/access-logs.ts';
import type * as Files from './own/files.ts';
import type * as KeepAlive from './own/keep-alive.ts';
import type * as Survey from './own/survey.ts';
import type * as Texts from './own/texts.ts';
import type * as Transplant from './own/transplant.ts';

/** Each part is loaded when it is asked for: a plan of a text takes nothing over. */
const load = createRequire(import.meta.url);
const texts = () => load('./own/texts.ts') as typeof Texts;

export const nginxOwn: OwnDialect = {
  includes: (...given) => texts().includeNames(...given),
  adopt: (...given) => (load('./own/survey.ts') as typeof Survey).adopt(...given),
  files: (...given) => (load('./own/files.ts') as typeof Files).files(...given),
  accessLogs: (...given) => (load('./own/access-logs.ts') as typeof AccessLogs).accessLogs(...given),
  keepAlive: (...given) => (load('./own/keep-alive.ts') as typeof KeepAlive).keepAlive(...given),
  user({ file, folder, text, includes }) {
    const { named, readTexts } = texts();
    const { directives } = readTexts(file, folder, text, includes);
    return named(directives, 'user')[0]?.args[0]?.value ?? null;
  },
  transplant: (...given) => (load('./own/transplant.ts') as typeof Transplant).transplant(...given),
};
