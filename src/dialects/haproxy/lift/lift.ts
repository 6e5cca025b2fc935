import type { meaning } from '#routing';
import { isDisabled, type Section, sectionsOf } from '../own/sections.ts';
import { type Bound, boundOf, tellBind } from './binds.ts';
import { decideOf } from './conditional.ts';
import { sampleOf } from './converters.ts';
import { expressionOf } from './expression.ts';
import { poolOf } from './pools.ts';
import { linesOf, type ProxySection, proxyOf, sceneOf, type Work } from './proxy.ts';
import { Request } from './request.ts';
import { missUnknown, tellOthers, tellSettings } from './settings.ts';
import { type LiftSource, Notes } from './source.ts';
import { frontRules, readUnreached } from './switching.ts';
import { nowhere, Settings, type Told } from './told.ts';

const proxies = new Set(['frontend', 'backend', 'listen']);

/** A larger text is not read: what it means is not known. */
export const textCharsMax = 16_000_000;

/** What a `haproxy.cfg` does to every request, by the rules of HAProxy 2.6. Whatever the text, it has an answer. */
export function lift(source: LiftSource): meaning.Meaning {
  if (source.text.length > textCharsMax)
    return nothing(source, `a text of more than ${textCharsMax / 1_000_000} million characters is not read`);
  try {
    return lifted(source);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return nothing(source, 'its conditions are nested too deep');
  }
}

function nothing({ file }: LiftSource, why: string): meaning.Meaning {
  const place = { file, line: 1, column: 1 };
  return { listeners: [], pools: [], settings: [], notUnderstood: [{ place, text: '', why }] };
}

function lifted(source: LiftSource): meaning.Meaning {
  const notes = new Notes(source);
  const reading = {
    environment: source.environment,
    decide: decideOf(source),
    laterServers: true as const,
    words: notes.shared.words,
    onStray: (line: Parameters<Notes['miss']>[0], why: string) => notes.miss(line, why),
  };
  const sections = sectionsOf(source.text, reading).filter(({ kind }) => kind !== 'defaults');
  const settings = new Settings(notes);
  const bound = new Map(sections.filter(isOpen).map((section) => [section, boundOf(section, notes)]));
  const all = sections
    .filter(({ kind }) => proxies.has(kind))
    .map((section) => proxyOf(section, toldOf(section, bound.get(section) ?? [])));
  const backends = new Map(all.filter(({ isBack }) => isBack).map((proxy) => [proxy.name, proxy]));
  const others = isProgrammed(sections);
  const work: Work = { notes, settings, proxies: all, sections, backends, others, constants: new Request() };
  setConstants(sections, work);
  const listeners = all.flatMap((proxy) => listenersOf(proxy, bound.get(proxy.section) ?? [], work));
  readTheRest(all, listeners, work);
  const pools = [...backends.values()].map((proxy) => poolOf(proxy, work));
  tellOthers(
    sections.filter(({ kind }) => !proxies.has(kind)),
    work,
  );
  // Those of a backend are told with its pool.
  for (const proxy of all)
    if (proxy.isFront || backends.get(proxy.name) !== proxy) tellSettings(proxy, settings);
  missUnknown(all, notes);
  tellBrokenOff(sections, notes);
  return { listeners, pools, settings: settings.all, notUnderstood: notes.notUnderstood };
}

function isOpen(section: Section): boolean {
  return section.kind !== 'backend' && proxies.has(section.kind) && !isDisabled(section);
}

function toldOf(section: Section, bound: readonly Bound[]): Told {
  const listeners = bound.map(({ name }) => ({ kind: 'listener', name }) as const);
  const pool = section.kind === 'frontend' ? null : ({ kind: 'pool', name: section.name } as const);
  return { ...nowhere, listeners, pool };
}

function listenersOf(proxy: ProxySection, bound: readonly Bound[], work: Work): meaning.ListenerMeaning[] {
  if (bound.length === 0) return [];
  const isMixed = new Set(bound.map(({ tls }) => tls)).size > 1;
  const rules = new Map<boolean | null, meaning.Rules>();
  return bound.map((one) => {
    const tls = proxy.isHttp && isMixed ? null : one.tls;
    const known = rules.get(tls) ?? frontRules(proxy, tls, work);
    rules.set(tls, known);
    const { name, host, port } = one;
    tellBind(one, { kind: 'listener', name }, work.settings);
    const mode = proxy.isHttp ? 'http' : 'tcp';
    return { name, host, port, mode, tls: one.tls, rules: known, place: work.notes.place(one.line) };
  });
}

/** Whether a program that runs inside or beside the engine may set variables. */
function isProgrammed(sections: readonly Section[]): boolean {
  return sections.some(({ lines }) =>
    lines.some(({ words: [first, second] }) => {
      if (first?.value.startsWith('lua-load')) return true;
      return first?.value === 'filter' && second?.value !== 'compression' && second?.value !== 'cache';
    }),
  );
}

/** `set-var proc.x EXPRESSION` of the global section. */
function setConstants(sections: readonly Section[], work: Work): void {
  for (const section of sections.filter(({ kind }) => kind === 'global'))
    for (const line of section.lines) {
      const [keyword, name, given] = line.words;
      const expression = expressionOf(given?.value ?? '');
      if (keyword?.value !== 'set-var' || name === undefined || expression === null) continue;
      const proxy = proxyOf(section, nowhere);
      const scene = sceneOf(
        work,
        proxy,
        work.constants,
        { protocol: 'http', tls: null, awaited: true, keepsLine: true },
        [],
      );
      work.constants.variables.set(name.value, sampleOf(expression, scene, line));
    }
}

/** What no request reaches is read, too, so that nothing is passed over in silence. */
function readTheRest(
  all: readonly ProxySection[],
  listeners: readonly meaning.ListenerMeaning[],
  work: Work,
): void {
  const reached = new Set(poolsOf(listeners.map(({ rules }) => rules)));
  for (const proxy of all) {
    if (proxy.isBack && !reached.has(proxy.name)) readUnreached(proxy, work);
    else if (!proxy.isBack && proxy.told.listeners.length === 0) frontRules(proxy, null, work);
    if (proxy.isBack && linesOf(proxy, 'bind').length > 0 && proxy.told.listeners.length === 0)
      frontRules(proxy, null, work);
  }
}

function poolsOf(rules: readonly meaning.Rules[]): readonly string[] {
  const found = new Set<string>();
  const seen = new Set<meaning.Fate | meaning.Rules>();
  const look = (one: meaning.Rules): void => {
    if (seen.has(one)) return;
    seen.add(one);
    for (const fate of [...one.steps.map(({ then }) => then), one.otherwise]) {
      if (fate.kind === 'pool') found.add(fate.pool);
      if (fate.kind === 'rules') look(fate.rules);
    }
  };
  for (const one of rules) look(one);
  return [...found];
}

/** A byte that is in no text, or one that was no UTF-8: the words around it may be anything. */
function tellBrokenOff(sections: readonly Section[], notes: Notes): void {
  if (!/[\0\ufffd\\]/.test(notes.source.text)) return;
  for (const { lines } of sections)
    for (const line of lines)
      if (line.words.some(({ value }) => value.includes('\ufffd') || value.includes('\0')))
        notes.miss(line, 'it has bytes that are no text');
}
