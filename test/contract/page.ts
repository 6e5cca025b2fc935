import type { ContractCase } from './case.ts';
import { areas } from './cases/index.ts';
import { differences } from './differences.ts';

/** `docs/differences.md`: what one engine does otherwise than the contract says, each with its reason. */
export function differencesPage(): string {
  const engines = [...new Set(differences.map(({ engine }) => engine))];
  const sections = engines.map((engine) => {
    const rows = Object.values(areas)
      .flat()
      .flatMap((one: ContractCase) =>
        differences
          .filter((found) => found.case === one.id && found.engine === engine)
          .map(({ reason }) => `| ${one.id} | ${cell(one.holds)} | ${cell(reason)} |`),
      );
    return `## ${engine}\n\n| case | what is expected | why it is otherwise |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
  });
  return `# Differences between engines

Made from \`test/contract/\` by \`npm run docs\`; do not edit.

One list of cases says what an engine must do with what comes over the wire; every engine is tried with each of them, with
real processes behind one site file (\`test/contract.test.ts\`). What remains different stands here, and is tried as it
stands here: a difference that grew, or that is none any more, fails the test. [contract.md](contract.md) has all cases, by engine and version.

${sections.join('\n')}`;
}

export function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
