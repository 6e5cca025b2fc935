import type { OwnDialect } from '../own.ts';
import { files, includes } from './own/files.ts';
import { adopt } from './own/survey.ts';
import { transplant } from './own/transplant.ts';

export const haproxyOwn: OwnDialect = { includes, adopt, files, transplant };
