import type { OwnText } from '#model';
import type { KeepAlive } from '../../keep-alive.ts';
import type { Directive } from './directives.ts';
import { readTexts, walk } from './texts.ts';

/** NGINX's own. */
const standard = { idleMs: 75_000, time: 'keepalive_time 1h', requests: 1_000 } as const;
const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

export function keepAlive({
  file,
  folder,
  text,
  includes,
}: Pick<OwnText, 'file' | 'folder' | 'text' | 'includes'>): KeepAlive {
  const found: Record<'keepalive_timeout' | 'keepalive_time' | 'keepalive_requests', Directive[]> = {
    keepalive_timeout: [],
    keepalive_time: [],
    keepalive_requests: [],
  };
  walkClients(readTexts(file, folder, text, includes).directives, (directive) => {
    if (directive.name in found) found[directive.name as keyof typeof found].push(directive);
  });
  const idle = longest(found.keepalive_timeout);
  const time = longest(found.keepalive_time)?.words ?? standard.time;
  const requests = found.keepalive_requests.map(({ args }) => Number(args[0]?.value ?? 0));
  return {
    idleMs: idle?.ms ?? standard.idleMs,
    said: idle && { words: idle.words, place: idle.place },
    busy: `${time}, or ${requests.length === 0 ? standard.requests : Math.max(...requests)} requests`,
    endsGently: false,
  };
}

/** Not those of an upstream, which are about servers. */
function walkClients(directives: readonly Directive[], visit: (directive: Directive) => void): void {
  const inUpstream = new Set<Directive>();
  walk(directives, ({ name, block }) => {
    if (name === 'upstream') for (const one of block ?? []) inUpstream.add(one);
  });
  walk(directives, (directive) => {
    if (!inUpstream.has(directive)) visit(directive);
  });
}

function longest(all: readonly Directive[]) {
  const timed = all.map(({ name, args, file, at }) => ({
    ms: timeOf(args[0]?.value ?? ''),
    words: `${name} ${args.map(({ value }) => value).join(' ')}`,
    place: { file, line: at.line, column: at.start + 1 },
  }));
  return timed.toSorted((a, b) => b.ms - a.ms)[0] ?? null;
}

/** `75`, `75s`, `1m 30s` written as one word. */
function timeOf(text: string): number {
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  return [...text.matchAll(/(\d+)(ms|s|m|h|d|w)/g)].reduce(
    (sum, [, number, unit = 's']) => sum + Number(number) * (unitMs[unit] ?? 0),
    0,
  );
}
