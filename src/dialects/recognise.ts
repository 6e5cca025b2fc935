import type { OwnDialectName, TextDialect } from '#model';

/** Words that begin a section there and mean nothing in YAML. */
const nginxBlock = /^\s*(?:https?|events|server|upstream|stream|location)\b[^:#]*\{\s*(?:#.*)?$/;
const nginxLine = /^\s*(?:user|worker_processes|pid|error_log|include|daemon)\s+[^:]*;\s*(?:#.*)?$/;
const haproxySection =
  /^\s*(?:global|defaults|(?:frontend|backend|listen|peers|resolvers|userlist)\s+[\w.:-]+)(?:\s+from\s+\S+)?\s*(?:#.*)?$/;
const linesLookedAt = 2_000;

/** What a text is written in, by what stands in it. */
export function dialectOf(text: string): TextDialect {
  return ownDialectOf(text) ?? 'site';
}

function ownDialectOf(text: string): OwnDialectName | null {
  const lines = text.split('\n', linesLookedAt);
  if (lines.some((line) => nginxBlock.test(line))) return 'nginx';
  if (lines.some((line) => haproxySection.test(line))) return 'haproxy';
  const isNginx = lines.some((line) => nginxLine.test(line));
  return isNginx && !lines.some((line) => /^[\w-]+:(?:\s|$)/.test(line)) ? 'nginx' : null;
}
