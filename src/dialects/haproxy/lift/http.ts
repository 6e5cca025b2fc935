import { meaning } from '#routing';
import type { Line } from '../own/sections.ts';
import { conditionOf } from './acl.ts';
import type { Flow } from './flow.ts';
import { legacyRules } from './legacy.ts';
import { lastLine, linesOf, type ProxySection, type Work } from './proxy.ts';
import { redirectOf } from './redirect.ts';
import { ruleOf, told } from './rules.ts';
import { isIn, pcre } from './scene.ts';
import { bytes } from './source.ts';

/** What a proxy does to a request that it has read (`http_process_req_common`, 2.6): rules, statistics, redirects. */
export function httpRules(flow: Flow, proxy: ProxySection, work: Work): void {
  const { scene } = flow;
  flow.nextList();
  for (const line of linesOf(proxy, 'block')) {
    const when = conditionOf(line.words.slice(1), line, scene);
    flow.decide(when, scene.answers.of(403, scene), line);
  }
  for (const line of linesOf(proxy, 'http-request')) ruleOf(line, 1, flow, proxy, work);
  flow.nextList();
  statistics(flow, proxy, work);
  legacyRules(flow, proxy);
  for (const line of linesOf(proxy, 'redirect')) {
    const redirect = redirectOf(line.words, 1, line, scene, false);
    if (typeof redirect === 'string') {
      const unknown = scene.notes.unknown(line, 'not understood', scene.notes.textOf(line), redirect);
      flow.decide({ kind: 'unknown', ...unknown }, { kind: 'unknown', ...unknown }, line);
      continue;
    }
    const when = conditionOf(line.words.slice(redirect.condition), line, scene);
    flow.decide(redirect.only ? meaning.all([when, redirect.only]) : when, redirect.fate, line);
    if (line.words.some(({ value }) => /-cookie$/.test(value))) told(line, 1, proxy, work);
  }
}

/** Before all other rules: whoever watches the engine itself. */
export function monitored(flow: Flow, proxy: ProxySection): void {
  const line = lastLine(proxy, 'monitor-uri');
  const uri = line?.words[1];
  if (line === null || uri === undefined) return;
  const { scene } = flow;
  const asked = isIn(scene.request.url, { kind: 'is', text: bytes(uri.value), ignoreCase: false });
  for (const fail of linesOf(proxy, 'monitor', 'fail')) {
    const when = meaning.all([asked, conditionOf(fail.words.slice(2), fail, scene)]);
    flow.decide(when, scene.answers.of(503, scene), fail);
  }
  flow.decide(asked, scene.answers.of(200, scene), line);
}

/** The statistics page. A section's own `stats` lines take the place of all that its defaults have. */
function statistics(flow: Flow, proxy: ProxySection, work: Work): void {
  const lines = statisticsLines(proxy);
  if (lines === null) return;
  const { scene } = flow;
  const uri = lines.findLast(({ words }) => words[1]?.value === 'uri');
  const [first] = lines;
  if (first === undefined) return;
  const at = uri ?? first;
  const prefix = uri?.words[2]?.value ?? '/haproxy?stats';
  const methods = ['GET', 'HEAD', 'POST'].map((text) => ({ kind: 'is', text, ignoreCase: false }) as const);
  const asked = meaning.all([
    isIn(scene.request.url, { kind: 'begins', text: bytes(prefix), ignoreCase: false }),
    isIn(meaning.field('method'), { kind: 'union', of: methods }),
  ]);
  flow.nextList();
  for (const line of lines) {
    const [, kind, action, next] = line.words;
    if (kind?.value === 'http-request') {
      const rest = action?.value === 'auth' && next?.value === 'realm' ? 5 : 3;
      const when = meaning.all([asked, flow.when(line.words.slice(rest), line)]);
      if (action?.value === 'allow') flow.pass(when);
      else flow.decide(when, scene.answers.of(action?.value === 'auth' ? 401 : 403, scene), line);
    } else told(line, 2, proxy, work);
  }
  const auth = lines.find(({ words }) => words[1]?.value === 'auth');
  if (auth) {
    const secret = scene.notes.unknown(auth, 'secret', 'stats auth');
    const when = meaning.all([asked, flow.when([], auth), meaning.not({ kind: 'unknown', ...secret })]);
    flow.decide(when, scene.answers.of(401, scene), auth);
  }
  const isPost = isIn(meaning.field('method'), { kind: 'is', text: 'POST', ignoreCase: false });
  flow.decide(meaning.all([asked, isPost]), posted(flow, lines, at, prefix), at);
  flow.decide(asked, { kind: 'answer', status: 200, body: null }, at);
}

/** A form of the page: with `stats admin` it may be one, without it is sent back to the page. */
function posted(flow: Flow, lines: readonly Line[], at: Line, prefix: string): meaning.Fate {
  const admin = lines.find(({ words }) => words[1]?.value === 'admin');
  const { notes, request } = flow.scene;
  if (admin) return flow.unknownFate(admin, 'body', notes.textOf(admin));
  const extra = { text: notes.textOf(at), place: notes.place(at), why: 'complex' } as const;
  const hasMore = isIn(request.url, { kind: 'matches', regex: pcre(';|scope=') });
  const plain = meaning.text(bytes(`${prefix};st=DENY`));
  const location = meaning.chosen(hasMore, { kind: 'unknown', ...extra }, plain);
  return { kind: 'redirect', status: 303, location };
}

function statisticsLines({ section }: ProxySection): readonly Line[] | null {
  const isOwn = ({ words }: Line) => words[0]?.value === 'stats' && words[1]?.value !== 'socket';
  for (let at: ProxySection['section'] | null = section; at; at = at.defaults) {
    const lines = at.lines.filter(isOwn);
    if (lines.length > 0) return lines;
  }
  return null;
}
