import type { Dialect } from '../dialect.ts';
import { lower } from './lower.ts';

export const builtinDialect: Dialect = { name: 'builtin', fileName: 'builtin.json', cannot: {}, lower };
