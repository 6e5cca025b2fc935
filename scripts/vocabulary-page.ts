import { type Dialect, dialects, featureNames, featureOf } from '#dialects';
import { engineNames } from '#model';

const cell = (text: string) => text.replaceAll('|', '\\|');

/** `docs/vocabulary.md`: every word of a site file, what it means, and which engine can do it. */
export function vocabularyPage(): string {
  const lacking = (name: (typeof featureNames)[number]) =>
    engineNames.map((engine) => (dialects[engine] as Dialect).cannot[name] ?? null);
  const rows = featureNames.map((name) => {
    const { written, meaning } = featureOf(name);
    const can = lacking(name).map((reason) => (reason === null ? 'yes' : `no: ${reason}`));
    return `| ${[`\`${written}\``, meaning, ...can].map(cell).join(' | ')} |`;
  });
  return `# Vocabulary

Made from \`src/dialects/features.ts\` and each dialect's \`cannot\` by \`npm run docs\`; do not edit.
[site.md](site.md) shows each word with an example.

What an engine cannot do is refused by \`holdfast check\` and by the gates of a change, at the line that asks for it
(HF021); nothing is left out silently. A balancer with \`engine: auto\` takes the engine that is installed: there it
is a warning as long as another engine can.

| word | meaning | ${engineNames.join(' | ')} |
| --- | --- | ${engineNames.map(() => '---').join(' | ')} |
${rows.join('\n')}
`;
}
