import { basename } from 'node:path';
import type { Diagnostic } from '#base';
import { ownDialects, type RewrittenLine } from '#dialects';
import type { OwnText, Site } from '#model';
import type { GenerationFolder } from './folders.ts';

/** `haproxy.cfg:12: bind *:80 -> bind fd@3 (the listening socket is lent)` */
export function rewrittenLine({ file, line, before, after, why }: RewrittenLine): string {
  const change = before === '' ? `added: ${after}` : `${before} -> ${after}`;
  return `${file}:${line}: ${change} (${why})`;
}

/** How a generation that serves has the text. What is a generation's own lies in a folder that is called GENERATION here. */
export function servingLines({ own, listeners }: Site, prepared: GenerationFolder): string[] {
  if (!own) return [];
  const here = 'GENERATION';
  const lent = listeners.map(({ name }, index) => [name, { kind: 'fd', fd: firstLentFd + index }] as const);
  const files = Object.entries(prepared.own?.files ?? {}).map(([path, instead]) => [
    path,
    instead.replace(prepared.folder, here),
  ]);
  const { rewritten } = ownDialects[own.dialect].transplant(own, {
    purpose: 'serve',
    placement: {
      listeners: Object.fromEntries(lent),
      control: `${here}/control.sock`,
      threads: prepared.placement.threads,
    },
    folder: here,
    files: Object.fromEntries(files),
  });
  return rewritten.map(rewrittenLine);
}

const firstLentFd = 3;

/** What an engine said of a generation's copy, in the names and line numbers of the team's own text. */
export function inOwnWords(output: string, prepared: GenerationFolder, own: OwnText): string {
  const original = prepared.own?.original ?? [];
  const lineOf = (number: string) => String(original[Number(number) - 1] ?? number);
  return output
    .replaceAll(new RegExp(`${literal(prepared.textFile)}:(\\d+)`, 'g'), (_, number: string) =>
      [own.file, lineOf(number)].join(':'),
    )
    .replaceAll(prepared.textFile, own.file)
    .replaceAll(/'([^'\s]+)'(?= section)/g, (whole, name: string) =>
      name === basename(prepared.textFile) ? own.file : whole,
    )
    .replaceAll(new RegExp(`${literal(prepared.folder)}/(etc/[^\\s:]+)`, 'g'), '/$1');
}

/** One finding a line that names a place: `[ALERT] ... [haproxy.cfg:33] : unknown keyword`, `nginx: [emerg] ... in nginx.conf:7`. */
export function engineFindings(output: string, own: OwnText): Diagnostic[] {
  const lines = output.split('\n').filter((line) => /\[(?:ALERT|emerg|crit|alert)\]/i.test(line));
  return lines.flatMap((line): Diagnostic[] => {
    const names = [own.file, ...own.includes.map(({ path }) => path)];
    const file = names.find((name) => line.includes(`${name}:`));
    const number = file && new RegExp(`${literal(file)}:(\\d+)`).exec(line)?.[1];
    if (file === undefined || number === undefined) return [];
    const message = line
      .replace(/^.*?\[(?:ALERT|emerg|crit|alert)\]\s*(?:\(\d+\)\s*:\s*)?(?:config\s*:\s*)?/i, '')
      .replace(/^parsing \[[^\]]*\]\s*:\s*/, '')
      .replace(new RegExp(`\\s*in ${literal(file)}:\\d+$`), '');
    const place = { file, line: Number(number), column: 1 };
    return [{ code: 'HF102', severity: 'error', place, path: '', message, remedy: '' }];
  });
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
