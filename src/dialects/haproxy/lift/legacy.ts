import { meaning } from '#routing';
import type { Line } from '../own/sections.ts';
import { conditionOf } from './acl.ts';
import type { Flow } from './flow.ts';
import { linesOf, type ProxySection } from './proxy.ts';
import { type Request, withQuery } from './request.ts';
import { isIn, pcre } from './scene.ts';
import { bytes } from './source.ts';
import { templateOf } from './template.ts';

type Value = meaning.Value;
const { field, joined, text } = meaning;

/** `reqrep` and its family, which went with HAProxy 2.1: regexes over the request's lines as they are. */
export function legacyRules(flow: Flow, proxy: ProxySection): void {
  flow.nextList();
  const lines = proxy.lines.filter(({ words }) => /^req(?!uest)i?[a-z]+$/.test(words[0]?.value ?? ''));
  const filters = lines.filter(({ words }) => words[0]?.value !== 'reqadd');
  for (const line of filters) filter(line, flow);
  for (const line of linesOf(proxy, 'reqadd')) {
    const [, name = '', value = ''] = /^([^:]+):[ \t]*(.*)$/s.exec(line.words[1]?.value ?? '') ?? [];
    const when = conditionOf(line.words.slice(2), line, flow.scene);
    if (name === '') flow.scene.notes.miss(line, 'it adds no header that has a name');
    flow.scene.request.addHeader(name, text(bytes(value)), when);
    flow.change(when, line);
  }
}

function filter(line: Line, flow: Flow): void {
  const { scene } = flow;
  const [, ignoring, action = ''] =
    /^req(i?)(allow|del|deny|pass|rep|tarpit)$/.exec(line.words[0]?.value ?? '') ?? [];
  const source = line.words[1]?.value ?? '';
  const target = targetOf(source);
  const isReplaced = action === 'rep';
  if (action === '' || target === null) {
    scene.notes.miss(
      line,
      action === '' ? 'this keyword is not known' : 'which line of a request its regex is for is not plain',
    );
    return;
  }
  const regex = pcre(source, ignoring === 'i');
  const value = target === 'line' ? requestLine(scene.request) : headerLine(scene.request, target);
  const rule = conditionOf(line.words.slice(isReplaced ? 3 : 2), line, scene);
  const when = meaning.all([
    rule,
    meaning.not(passedOf(flow, line)),
    isIn(value, { kind: 'matches', regex }),
  ]);
  if (action === 'deny' || action === 'tarpit') {
    flow.decide(when, scene.answers.of(action === 'deny' ? 403 : 500, scene), line);
    return;
  }
  if (action === 'allow') {
    flow.pass(when);
    return;
  }
  if (action === 'pass') return;
  if (action === 'del' && target !== 'line') scene.request.setHeader(target, meaning.absent, when);
  if (isReplaced) replaced(target, line, value, regex, when, scene.request);
  flow.change(when, line);
}

/** An `allow` before it keeps the rest of the list from being asked. */
function passedOf(flow: Flow, line: Line): meaning.Condition {
  return meaning.not(flow.when([], line));
}

function replaced(
  target: string,
  line: Line,
  value: Value,
  regex: meaning.Regex,
  when: meaning.Condition,
  request: Request,
): void {
  const parts = templateOf(line.words[2]?.value ?? '').map(
    (part): Value =>
      typeof part === 'string' ? text(part) : { kind: 'captured', of: value, regex, group: part.group },
  );
  const now = joined(parts);
  const part = (source: string): Value => ({ kind: 'captured', of: now, regex: pcre(source), group: 1 });
  if (target !== 'line') {
    request.setHeader(target, part('^[^:]*:[ \\t]*(.*)$'), when);
    return;
  }
  request.change('method', part('^([^ ]+)'), when);
  request.change('path', part('^[^ ]+ +([^ ?]*)'), when);
  request.change('query', part('^[^ ]+ +[^ ?]*\\?([^ ]*)'), when);
}

function requestLine(request: Request): Value {
  return joined([
    request.method,
    text(' '),
    withQuery(request.path, request.query),
    text(' HTTP/'),
    field('version'),
  ]);
}

function headerLine(request: Request, name: string): Value {
  const value = request.header(name);
  const none = isIn(value, { kind: 'absent' });
  return meaning.chosen(none, meaning.absent, joined([text(`${name}: `), value]));
}

/** The request line, or the header that a regex begins with. Null: it may be any. */
function targetOf(source: string): string | null {
  const header = /^\^?([A-Za-z][A-Za-z0-9-]*):/.exec(source)?.[1];
  if (header !== undefined) return header.toLowerCase();
  const isLine =
    /^\^?(?:\(?\[\^(?:\\?[ :]|\\s)+\][*+]\)?|\(?(?:GET|POST|PUT|HEAD|DELETE|\.\*|\\S\+|\\w\+|\[A-Z\]\+)\)?)(?: |\\ |\\s)/.test(
      source,
    );
  return isLine ? 'line' : null;
}
