/** `npm run docs` rewrites the pages that are made from code; `test/tidy.test.ts` says when that was forgotten. */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { catalogue } from '#base';
import { differencesPage } from '../test/contract/page.ts';
import { cliPage } from './cli-page.ts';
import { knownFaultsPage } from './known-faults-page.ts';
import { vocabularyPage } from './vocabulary-page.ts';

const groups = {
  HF0: 'The site file',
  HF1: 'A change',
  HF2: 'The journal',
  HF3: 'Engines and balancers',
  HF4: 'The command line',
  HF5: 'Texts of your own, and taking over what runs',
  HF6: 'Alerts and pages',
  HF9: 'Holdfast itself',
} as const;

function errorsPage(): string {
  const entries = Object.entries(catalogue);
  const sections = Object.entries(groups).map(([prefix, heading]) => {
    const own = entries.filter(([code]) => code.startsWith(prefix));
    return `## ${heading}\n\n${own.map(([code, { title, solve }]) => `### ${code}\n\n${title}.\n\nHow to solve it: ${solve}\n`).join('\n')}`;
  });
  const grouped = entries.filter(([code]) => Object.keys(groups).some((prefix) => code.startsWith(prefix)));
  if (grouped.length !== entries.length) throw new Error('a code belongs to no group: add its group above');
  return `# Errors\n\nMade from \`src/base/catalogue.ts\` by \`npm run docs\`; do not edit.\n\n${sections.join('\n')}`;
}

/** Every generated page by its path from the root. */
export function generated(): Readonly<Record<string, string>> {
  return {
    'docs/errors.md': errorsPage(),
    'docs/cli.md': cliPage(),
    'docs/vocabulary.md': vocabularyPage(),
    'docs/known-faults.md': knownFaultsPage(),
    'docs/differences.md': differencesPage(),
  };
}

if (import.meta.main) {
  for (const [path, text] of Object.entries(generated())) {
    writeFileSync(join(resolve(import.meta.dirname, '..'), path), text);
  }
}
