import type { OwnDialect } from '../own.ts';

export const nginxOwn: OwnDialect = {
  includes: () => [],
  adopt: ({ file }) => ({
    site: null,
    diagnostics: [
      {
        code: 'HF005',
        severity: 'error',
        place: { file, line: 1, column: 1 },
        path: '',
        message: 'an own text cannot be read yet',
        remedy: '',
      },
    ],
  }),
  files: () => [],
  user: () => null,
  transplant: (own) => ({ text: own.text, includes: own.includes, rewritten: [], original: [] }),
};
