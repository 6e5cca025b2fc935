import type { OwnDialectName, TextDialect } from '#model';

/** Words that begin a section there and mean nothing in YAML. */
const nginxBlock =
  /^\s*(?:(?:https?|events|server|upstream|stream)\b[^:#]*|location\s+\S[^#]*)\{\s*(?:#.*)?$/;
const nginxLoneBlock = /^[ \t]*(?:https?|events|server|stream)[ \t]*\r?\n\s*\{/m;
const nginxLine = /^\s*(?:user|worker_processes|pid|error_log|include|daemon)\s+[^:]*;\s*(?:#.*)?$/;
const haproxyNamed = 'frontend|backend|listen|peers|resolvers|userlist';
const haproxySection = new RegExp(
  `^\\s*(?:global|defaults(?:\\s+[\\w.-]+)?|(?:${haproxyNamed})\\s+["']?[^\\s"'#]+["']?(?:\\s+\\S*:\\d\\S*)?)(?:\\s+from\\s+\\S+)?\\s*(?:#.*)?$`,
);
const linesLookedAt = 2_000;
/** A longer line begins no section. */
const lineCharsMax = 1_000;

/** What a text is written in, by what stands in it. */
export function dialectOf(text: string): TextDialect {
  return ownDialectOf(text) ?? 'site';
}

function ownDialectOf(text: string): OwnDialectName | null {
  const lines = text.split('\n', linesLookedAt).filter(({ length }) => length <= lineCharsMax);
  if (lines.some((line) => nginxBlock.test(line)) || nginxLoneBlock.test(lines.join('\n'))) return 'nginx';
  if (lines.some((line) => haproxySection.test(line))) return 'haproxy';
  const isNginx = lines.some((line) => nginxLine.test(line));
  return isNginx && !lines.some((line) => /^[\w-]+:(?:\s|$)/.test(line)) ? 'nginx' : null;
}
