import { meaning } from '#routing';
import type { Line } from '../own/sections.ts';
import type { Word } from '../own/words.ts';
import { Acls } from './acl.ts';
import { changes, normalised, removal, setVariable } from './changes.ts';
import { sampleOf } from './converters.ts';
import { expressionOf } from './expression.ts';
import type { Flow } from './flow.ts';
import { chainOf, type ProxySection, type Work } from './proxy.ts';
import { redirectOf } from './redirect.ts';
import { replyOf } from './replies.ts';
import { asValue, no } from './scene.ts';
import { textOf } from './source.ts';

type Condition = meaning.Condition;

/** Rules that treat a request without deciding about it: they are told as settings. */
const treated =
  /^(?:track-sc\d|sc-\S+|capture|set-(?:log-level|nice|mark|tos|fc-\S+|bc-\S+|dst|dst-port|src-port|timeout|priority-\S+|bandwidth-limit|map|retries)\S*|add-acl|del-acl|del-map|cache-use|early-hint|do-resolve|disable-l7-retry|wait-for-body|wait-for-handshake|strict-mode|do-log|pause)(?:\(|$)/;
/** Other programs, which may answer, or change what they like. */
const elsewhere = /^(?:lua\.|send-spoe-group|use-service)/;

/** One `http-request` or `tcp-request` rule; `start` is where its action stands. */
export function ruleOf(line: Line, start: number, flow: Flow, proxy: ProxySection, work: Work): void {
  const words = line.words.slice(start);
  const action = words[0]?.value ?? '';
  if (deciding(action, words, line, flow, proxy, work)) return;
  const change = Object.hasOwn(changes, action) ? changes[action] : undefined;
  if (change !== undefined) {
    const when = flow.when(words.slice(1 + change.words), line);
    change.apply({ flow, line, words, when });
    if (action === 'set-src') told(line, start + 1, proxy, work);
    flow.change(when, line);
    return;
  }
  if (changing(action, words, line, flow)) return;
  if (treated.test(action)) {
    if (action === 'capture') captured(words, line, flow);
    told(line, start + 1, proxy, work);
    return;
  }
  if (elsewhere.test(action)) {
    program(action, words, line, flow);
    return;
  }
  missed(line, flow, `the rule "${action}" is not known`);
}

function missed(line: Line, flow: Flow, why: string): void {
  const text = flow.scene.notes.textOf(line);
  const unknown = flow.scene.notes.unknown(line, 'not understood', text, why);
  flow.decide({ kind: 'unknown', ...unknown }, { kind: 'unknown', ...unknown }, line);
}

/** A rule that is told as a setting, of the listeners for what stands in a frontend. */
export function told(line: Line, words: number, proxy: ProxySection, { settings }: Work): void {
  const { listeners, pool } = proxy.told;
  const scopes = [...listeners, ...(pool ? [pool] : [])];
  const acls = new Acls(chainOf(proxy.section));
  settings.addLine(scopes, line, words, (name) => acls.textOf(name));
}

function deciding(
  action: string,
  words: readonly Word[],
  line: Line,
  flow: Flow,
  proxy: ProxySection,
  work: Work,
): boolean {
  const { scene } = flow;
  switch (action) {
    case 'allow':
    case 'accept':
      flow.pass(flow.when(words.slice(1), line));
      return true;
    case 'reject':
    case 'silent-drop': {
      const start = words[1]?.value === 'rst-ttl' ? 3 : 1;
      const how = action === 'reject' ? 'close' : 'silent';
      flow.decide(flow.when(words.slice(start), line), { kind: 'reject', how }, line);
      return true;
    }
    case 'return':
    case 'deny':
    case 'tarpit': {
      const reply = replyOf(words, { return: 200, deny: 403, tarpit: 500 }[action], line, scene);
      if (typeof reply === 'string') missed(line, flow, reply);
      else {
        flow.decide(flow.when(words.slice(reply.condition), line), reply.fate, line);
        if (reply.rest !== '') told(line, 2, proxy, work);
      }
      return true;
    }
    case 'redirect': {
      const redirect = redirectOf(words, 1, line, scene, true);
      if (typeof redirect === 'string') missed(line, flow, redirect);
      else {
        const when = flow.when(words.slice(redirect.condition), line);
        flow.decide(redirect.only ? meaning.all([when, redirect.only]) : when, redirect.fate, line);
        if (words.some(({ value }) => /-cookie$/.test(value))) told(line, 2, proxy, work);
      }
      return true;
    }
    case 'auth': {
      const start = words[1]?.value === 'realm' ? 3 : 1;
      flow.decide(flow.when(words.slice(start), line), scene.answers.of(401, scene), line);
      return true;
    }
    case 'use-service': {
      const when = flow.when(words.slice(2), line);
      flow.decide(when, service(words[1]?.value ?? '', line, flow), line);
      return true;
    }
    default:
      return false;
  }
}

function service(name: string, line: Line, flow: Flow): meaning.Fate {
  if (name === 'prometheus-exporter') return { kind: 'answer', status: 200, body: null };
  return flow.unknownFate(line, 'elsewhere', `use-service ${name}`);
}

function changing(action: string, words: readonly Word[], line: Line, flow: Flow): boolean {
  const { request } = flow.scene;
  if (action === 'del-header') {
    const { names, instead, exact, condition } = removal(words, line, flow);
    const when = flow.when(words.slice(condition), line);
    if (exact === null) request.removeHeaders(names, when, instead);
    else request.setHeader(exact, meaning.absent, when);
    flow.change(when, line);
    return true;
  }
  if (action === 'normalize-uri') {
    const { notes } = flow.scene;
    const said = { text: notes.textOf(line), place: notes.place(line), why: 'complex' } as const;
    const { words: own, part, value } = normalised(words, request, said);
    const when = flow.when(words.slice(1 + own), line);
    if (part !== null) {
      const unknown = () =>
        notes.unknown(line, 'complex', notes.textOf(line), `${words[1]?.value} is not followed`);
      request.change(part, value ?? { kind: 'unknown', ...unknown() }, when);
    }
    flow.change(when, line);
    return true;
  }
  const own = action.startsWith('unset-var') ? 1 : 2;
  if (!/^(?:un)?set-var/.test(action)) return false;
  const when = flow.when(words.slice(own), line);
  if (!setVariable(action, { flow, line, words, when })) return false;
  flow.change(when, line);
  return true;
}

/** `capture EXPRESSION len N|id N`: kept for `capture.req.hdr`. */
function captured(words: readonly Word[], line: Line, { scene }: Flow): void {
  const expression = expressionOf(words[1]?.value ?? '');
  const length = Number(words[3]?.value);
  if (expression === null || words[2]?.value !== 'len') return;
  const of = asValue(sampleOf(expression, scene, line));
  scene.captures.push({ kind: 'slice', of, from: 0, length });
}

/** Lua, SPOE: they may answer, and what they set nobody here knows. */
function program(action: string, words: readonly Word[], line: Line, flow: Flow): void {
  const at = words.findIndex(({ value }) => value === 'if' || value === 'unless');
  const when = at === -1 ? flow.when([], line) : flow.when(words.slice(at), line);
  const text = textOf(at === -1 ? words : words.slice(0, at));
  const unknown = flow.scene.notes.unknown(line, 'elsewhere', text);
  const answers: Condition = { kind: 'unknown', ...unknown };
  if (action.startsWith('send-spoe-group')) {
    flow.change(when, line);
    return;
  }
  flow.decide(
    when.kind === 'never' ? no : meaning.all([when, answers]),
    { kind: 'unknown', ...unknown },
    line,
  );
}
