import { engines, type KnownFault } from '#engines';
import { engineNames } from '#model';

const hits: Readonly<Record<KnownFault['hits'], string>> = {
  reload: 'its own reload',
  start: 'its start',
  requests: 'requests',
  end: 'its end',
};

/** `docs/known-faults.md`: what is known against versions of the engines. */
export function knownFaultsPage(): string {
  const sections = engineNames
    .filter((name) => engines[name].knownFaults.length > 0)
    .map((name) => `## ${name}\n\n${engines[name].knownFaults.map(entry).join('\n\n')}\n`);
  return `# Known faults of engine versions

Made from \`known-faults.ts\` in \`src/engines/haproxy\` and \`src/engines/nginx\` by \`npm run docs\`; do not edit.

The gate "way back" holds the version of each balancer's engine, and the words of the text that it would run, against this
list. A fault that *blocks* refuses the change (HF115) until the engine is another version, the text does without what is
named, or the site accepts it by name:

\`\`\`yaml
guard:
  knownFaults: { accept: [haproxy-3337] }
\`\`\`

One that *warns* stands in the gate's evidence. Holdfast starts a new process for each change and never uses an engine's own
reload, so faults of the reload only warn: they are yours again once the engine is given back (\`holdfast release\`).
A distribution may have mended a fault without a new version number: its change log says so. Nothing is said of
vulnerabilities here.

${sections.join('\n')}`;
}

function entry({ id, what, hits: part, effect, versions, uses, sources, remedy }: KnownFault): string {
  const between = versions
    .map(({ from, through }) => (from === through ? from : `${from} to ${through}`))
    .join(', ');
  const words = uses.map((word) => `\`${word.source}\``).join(' and ');
  return [
    `### ${id}`,
    '',
    `${what[0]?.toUpperCase()}${what.slice(1)}.`,
    '',
    `- versions: ${between}`,
    `- hits: ${hits[part]}; ${effect}`,
    ...(words ? [`- only with lines like: ${words}`] : []),
    `- remedy: ${remedy}`,
    `- source: ${sources.join(', ')}`,
  ].join('\n');
}
