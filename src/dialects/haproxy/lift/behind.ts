import { meaning } from '#routing';
import type { Line, Section } from '../own/sections.ts';
import { networkOf } from './match.ts';
import { lastLine, linesOf, type ProxySection } from './proxy.ts';
import type { Request } from './request.ts';
import { isIn } from './scene.ts';
import { bytes, type Notes } from './source.ts';

/** What is put into a request behind all rules, as far as it changes what they have made of it. */
export function addBehind(request: Request, front: ProxySection, back: ProxySection, notes: Notes): void {
  if (!front.isHttp || !back.isHttp) return;
  identify(request, front, notes);
  forward(request, front, back, notes);
  nameServer(request, back, notes);
}

/** `option forwardfor`: a line of its own. A header that no rule speaks of is told as a setting alone. */
function forward(request: Request, front: ProxySection, back: ProxySection, notes: Notes): void {
  const own = lastLine(back, 'option', 'forwardfor');
  const lines = [own, forwardOf(front)].flatMap((line) => (line ? [line] : []));
  const [line] = lines;
  if (line === undefined) return;
  const name = argumentOf(line, 'header') ?? 'x-forwarded-for';
  if (!request.touches(name)) return;
  const isAlways = lines.some(({ words }) => !words.some(({ value }) => value === 'if-none'));
  const none = isIn(request.header(name), { kind: 'absent' });
  const excepted = lines.flatMap((one) => networkOf(argumentOf(one, 'except') ?? '') ?? []);
  const from: meaning.Condition =
    excepted.length === 0 ? meaning.never : { kind: 'from', networks: excepted };
  const source: meaning.Value =
    request.source === 'changed'
      ? { kind: 'unknown', text: 'src', place: notes.place(line), why: 'complex' }
      : meaning.field('sourceAddress');
  request.addHeader(name, source, meaning.all([isAlways ? meaning.always : none, meaning.not(from)]));
}

/** `unique-id-header`: a line of its own. */
function identify(request: Request, front: ProxySection, notes: Notes): void {
  const line = lastLine(front, 'unique-id-header');
  const name = line?.words[1]?.value;
  if (!line || name === undefined || !request.touches(name)) return;
  if (lastLine(front, 'unique-id-format') === null) return;
  const unknown = { text: notes.textOf(line), place: notes.place(line), why: 'chance' } as const;
  request.addHeader(name, { kind: 'unknown', ...unknown }, meaning.always);
}

/** A frontend of ten thousand rules leads to ten thousand backends: it is looked through once. */
const forwardLines = new WeakMap<Section, Line | null>();

function forwardOf(front: ProxySection): Line | null {
  const known = forwardLines.get(front.section);
  const line = known === undefined ? lastLine(front, 'option', 'forwardfor') : known;
  forwardLines.set(front.section, line);
  return line;
}

function argumentOf({ words }: Line, keyword: string): string | null {
  const at = words.findIndex(({ value }) => value === keyword);
  return at === -1 ? null : (words[at + 1]?.value ?? null);
}

/** `http-send-name-header`: which of several servers it will be, nobody can say. */
function nameServer(request: Request, back: ProxySection, notes: Notes): void {
  const line = lastLine(back, 'http-send-name-header');
  const header = line?.words[1]?.value;
  if (!line || header === undefined) return;
  const [first, second] = [...linesOf(back, 'server'), ...linesOf(back, 'server-template')];
  const name =
    first?.words[0]?.value === 'server' && second === undefined ? first.words[1]?.value : undefined;
  const unknown = { text: notes.textOf(line), place: notes.place(line), why: 'state' } as const;
  const value: meaning.Value =
    name === undefined ? { kind: 'unknown', ...unknown } : meaning.text(bytes(name));
  request.setHeader(header, value, meaning.always);
}
