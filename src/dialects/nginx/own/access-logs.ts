import { posix } from 'node:path';
import type { Place } from '#base';
import type { OwnText } from '#model';
import type { AccessLogs, LogFormat } from '../../own.ts';
import type { Directive } from './directives.ts';
import { prefix as built, impliedPaths } from './files.ts';
import { named, readTexts } from './texts.ts';

/** NGINX has it without being told. */
const combined: LogFormat = {
  name: 'combined',
  text: '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"',
};
const otherPlace = /^(?:syslog:|memory:|stderr$)/;

/** A request is logged by the innermost level that names a log: of each level one is followed, so none counts twice. */
export function accessLogs(
  own: Pick<OwnText, 'file' | 'folder' | 'text' | 'includes'>,
  prefix: string | null,
): AccessLogs {
  const { directives } = readTexts(own.file, own.folder, own.text, own.includes);
  const http = named(directives, 'http').flatMap(({ block }) => block ?? []);
  const formats = new Map<string, LogFormat>([
    [combined.name, combined],
    ...named(http, 'log_format').map((one) => [formatOf(one).name, formatOf(one)] as const),
  ]);
  const found = new Map<string, Set<LogFormat>>();
  const unseen: { place: Place; why: string }[] = [];
  const follow = (path: string, format: LogFormat) =>
    found.set(path, (found.get(path) ?? new Set<LogFormat>()).add(format));
  const servers = named(http, 'server').map(({ block }) => block ?? []);
  const isUsed = servers.some((block) => named(block, 'access_log').length === 0);
  const levels = [
    ...(isUsed ? [named(http, 'access_log')] : []),
    ...http.flatMap(({ block }) => levelsOf(block)),
  ];
  for (const level of levels) {
    const said = level.map((one) => ({ one, ...readable(one, formats, prefix ?? built) }));
    const best = said.find(({ format }) => format !== null);
    const [first] = said;
    if (best?.format) follow(best.path, best.format);
    else if (first) unseen.push({ place: placeOf(first.one), why: first.why });
  }
  if (isUsed && named(http, 'access_log').length === 0) follow(impliedPaths.access_log, combined);
  return { logs: [...found].map(([path, some]) => ({ path, formats: [...some] })), unseen };
}

function readable(
  { args }: Directive,
  formats: ReadonlyMap<string, LogFormat>,
  prefix: string,
): { readonly path: string; readonly format: LogFormat | null; readonly why: string } {
  const [path = '', ...more] = args.map(({ value }) => value);
  const not = (why: string) => ({ path, format: null, why });
  if (path === 'off') return not('says that nothing is logged');
  if (otherPlace.test(path)) return not(`logs to ${path}, which cannot be read here`);
  if (path.includes('$')) return not(`logs to ${path}, a name that only a request knows`);
  if (more.some((word) => word.startsWith('gzip'))) return not('logs compressed');
  if (more.some((word) => word.startsWith('if='))) return not('logs some requests only');
  const name = more[0] !== undefined && !/^(?:buffer|flush)=/.test(more[0]) ? more[0] : combined.name;
  const format = formats.get(name) ?? null;
  if (!format) return not(`names the format ${name}, which the text does not have`);
  if (!/\$(?:status\b|\{status\})/.test(format.text)) return not(`logs without $status (${name})`);
  return { path: posix.resolve(prefix, path), format, why: '' };
}

/** `log_format NAME [escape=json] 'one' 'two';` */
function formatOf({ args }: Directive): LogFormat {
  const [name = '', ...words] = args.map(({ value }) => value);
  return { name, text: words.filter((word, index) => index > 0 || !word.startsWith('escape=')).join('') };
}

/** The logs that a block names itself, then those of the blocks in it. */
function levelsOf(block: readonly Directive[] | null): readonly (readonly Directive[])[] {
  return block === null ? [] : [named(block, 'access_log'), ...block.flatMap((one) => levelsOf(one.block))];
}

function placeOf({ file, at }: Directive): Place {
  return { file, line: at.line, column: at.start + 1 };
}
