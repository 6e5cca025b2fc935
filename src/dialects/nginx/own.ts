import type { OwnDialect } from '../own.ts';
import { files } from './own/files.ts';
import { keepAlive } from './own/keep-alive.ts';
import { adopt } from './own/survey.ts';
import { includeNames, named, readTexts } from './own/texts.ts';
import { transplant } from './own/transplant.ts';

export const nginxOwn: OwnDialect = {
  includes: includeNames,
  adopt,
  files,
  keepAlive,
  user({ file, folder, text, includes }) {
    const { directives } = readTexts(file, folder, text, includes);
    return named(directives, 'user')[0]?.args[0]?.value ?? null;
  },
  transplant,
};
