import type { OwnDialect } from '../own.ts';
import { files, includes } from './own/files.ts';
import { keepAlive } from './own/keep-alive.ts';
import { sectionsOf } from './own/sections.ts';
import { adopt } from './own/survey.ts';
import { transplant } from './own/transplant.ts';
import { globalWord } from './own/unix.ts';

export const haproxyOwn: OwnDialect = {
  includes,
  adopt,
  files,
  keepAlive,
  user: ({ text }) => globalWord(sectionsOf(text), 'user', 1) || null,
  transplant,
};
