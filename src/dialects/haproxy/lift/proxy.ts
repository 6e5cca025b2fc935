import type { meaning } from '#routing';
import { goesOn, isHttp, type Line, type Section, settingOf } from '../own/sections.ts';
import { Acls } from './acl.ts';
import { ownAnswersOf } from './own-answers.ts';
import type { Request } from './request.ts';
import type { Scene } from './scene.ts';
import { type Notes, ownAndInherited } from './source.ts';
import type { Settings, Told } from './told.ts';

/** A frontend, backend or listen section, and what is known of it. */
export interface ProxySection {
  readonly section: Section;
  readonly name: string;
  readonly isFront: boolean;
  readonly isBack: boolean;
  readonly isHttp: boolean;
  /** With those of its defaults before them; without those of `Section.plainServers`. */
  readonly lines: readonly Line[];
  readonly told: Told;
}

/** What the lifting of one text shares. */
export interface Work {
  readonly notes: Notes;
  readonly settings: Settings;
  readonly proxies: readonly ProxySection[];
  /** All of the text but defaults. */
  readonly sections: readonly Section[];
  /** Those that requests can be given to, by name. */
  readonly backends: ReadonlyMap<string, ProxySection>;
  /** Lua or another program may set variables. */
  readonly others: boolean;
  /** Variables of the process that the text itself sets. */
  readonly constants: Request;
}

export function sceneOf(
  work: Work,
  proxy: ProxySection,
  request: Request,
  at: Pick<Scene, 'protocol' | 'tls' | 'awaited' | 'keepsLine'>,
  captures: meaning.Value[],
  front = proxy.name,
): Scene {
  const acls = new Acls(chainOf(proxy.section));
  const named: Scene['named'] = (name, _, scene) => acls.named(name, scene);
  const names = { front, back: proxy.name };
  const from = work.proxies.filter(({ name, isFront }) => isFront && name === front && name !== proxy.name);
  const answers = ownAnswersOf([proxy, ...from], work.sections, work.notes);
  return { notes: work.notes, request, ...at, others: work.others, names, captures, answers, named };
}

/** The defaults that it starts from, farthest first, and itself. */
export function chainOf(section: Section): readonly Section[] {
  return section.defaults ? [...chainOf(section.defaults), section] : [section];
}

export function proxyOf(section: Section, told: Told): ProxySection {
  return {
    section,
    name: section.name,
    isFront: section.kind !== 'backend',
    isBack: section.kind !== 'frontend',
    isHttp: isHttp(section),
    lines: ownAndInherited(section),
    told,
  };
}

export function linesOf(proxy: ProxySection, first: string, ...more: readonly string[]): readonly Line[] {
  const { section } = proxy;
  // They are the only ones: with others among them none is kept apart.
  if (section.plainServers && first === 'server') return section.plainServers.lines();
  const lines = linesIn(section, first);
  return more.length === 0 ? lines : lines.filter((line) => goesOn(line, more));
}

function linesIn(section: Section, first: string): readonly Line[] {
  const own = section.of(first);
  if (section.defaults === null) return own;
  const inherited = linesIn(section.defaults, first);
  return inherited.length === 0 ? own : [...inherited, ...own];
}

export function lastLine(proxy: ProxySection, first: string, ...more: readonly string[]): Line | null {
  return settingOf(proxy.section, first, ...more);
}
