import { once } from '#base';
import type { meaning } from '#routing';
import { addressOf } from '../own/address.ts';
import { isDisabled, type Line, type Section } from '../own/sections.ts';
import { templateNames, withValue } from '../own/servers.ts';
import { inAddress, type Word } from '../own/words.ts';
import { chainOf, linesOf, type ProxySection, type Work } from './proxy.ts';
import { tellSettings } from './settings.ts';
import { bytes } from './source.ts';
import { Settings } from './told.ts';
import { oneForm } from './values.ts';

/** A backend's servers, and what its lines say beside where they are. Where nothing can be amiss in them, they are read later. */
export function poolOf(proxy: ProxySection, work: Work): meaning.PoolMeaning {
  const { section } = proxy;
  const isAlone = section.kind === 'backend';
  const source = isAlone ? sourceOf(section) : null;
  const servers = once(() => sharedServers(proxy, source, work));
  const settings = once(() => {
    const told = new Settings(work.notes);
    if (isAlone) tellSettings(proxy, told);
    tellServers(proxy, told);
    return told.all;
  });
  if (section.plainServers === null) servers();
  return {
    name: proxy.name,
    mode: proxy.isHttp ? 'http' : 'tcp',
    get servers() {
      return servers();
    },
    get settings() {
      return settings();
    },
    place: work.notes.place(section.head),
    source,
  };
}

type Servers = readonly meaning.ServerMeaning[];

/** Of a section that another text has word for word, only the places are others. */
function sharedServers(proxy: ProxySection, source: readonly string[] | null, work: Work): Servers {
  const { section } = proxy;
  const known = source && work.notes.shared.servers.get(source.at(-1) ?? '');
  if (known && isSameText(known.source, source)) {
    const { file } = work.notes.source;
    const lines = section.head.number - known.line;
    return known.servers.map((server) => {
      const { line, column } = server.place;
      return { ...server, place: { file, line: line + lines, column } };
    });
  }
  const read = serversOf(proxy, work);
  const servers = isDisabled(section) ? read.map((server) => ({ ...server, disabled: true })) : read;
  if (source && section.plainServers)
    work.notes.shared.servers.set(source.at(-1) ?? '', { source, line: section.head.number, servers });
  return servers;
}

function isSameText(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, index) => text === other[index]);
}

/** What a section is read from: the defaults that it starts from, and itself. */
function sourceOf(section: Section): readonly string[] | null {
  if (section.text === null) return null;
  if (section.defaults === null) return [section.text];
  const inherited = sourceOf(section.defaults);
  return inherited && [...inherited, section.text];
}

function serversOf(proxy: ProxySection, work: Work): Servers {
  const { lines, plainServers } = proxy.section;
  return (plainServers?.lines() ?? lines).flatMap((line) => {
    const keyword = line.words[0]?.value ?? '';
    const at = addressAt.get(keyword);
    if (at === undefined) return [];
    if (keyword === 'server-template') return serverOf(line, at, templateNames(line), proxy, work);
    return serverOf(line, at, [keyword === 'server' ? (line.words[1]?.value ?? '') : keyword], proxy, work);
  });
}

/** Which word of a line is the address. */
const addressAt: ReadonlyMap<string, number> = new Map([
  ['server', 2],
  ['server-template', 3],
  ['dispatch', 1],
]);

/** What its servers' lines say beside where they are. */
function tellServers(proxy: ProxySection, settings: Settings): void {
  const { lines, plainServers } = proxy.section;
  for (const line of plainServers?.lines() ?? lines) {
    const at = addressAt.get(line.words[0]?.value ?? '');
    const given = at === undefined ? undefined : line.words[at];
    if (at === undefined || given === undefined || line.conditional) continue;
    const options = optionsOf(proxy.section, line.words.slice(at + 1));
    tellOptions(options, addressText(given, line), line, proxy, settings);
  }
}

function serverOf(
  line: Line,
  at: number,
  names: readonly string[],
  proxy: ProxySection,
  work: Work,
): meaning.ServerMeaning[] {
  const given = line.words[at];
  if (given === undefined || line.conditional) {
    work.notes.miss(
      line,
      given === undefined ? 'a server without an address' : 'whether the .if holds is not known',
    );
    return [];
  }
  const options = optionsOf(proxy.section, line.words.slice(at + 1));
  const address = addressText(given, line);
  const weight = Number(options.get('weight')?.value ?? 1);
  return names.map((name) => ({
    name,
    address,
    weight: Number.isFinite(weight) ? weight : 1,
    spare: options.has('backup'),
    disabled: options.has('disabled'),
    place: work.notes.place(line),
  }));
}

/** A variable that nobody knows stays as it is written: the same in two texts is the same address. */
function addressText(word: Word, line: Line): string {
  const { value, unknown } = inAddress(word, line.environment);
  if (unknown.length > 0) return unknown.reduce((text, name) => `${text}\${${name}}`, value);
  const address = addressOf(value);
  switch (address.kind) {
    case 'unix':
      return address.path.startsWith('abns') ? address.path : `unix:${address.path}`;
    case 'inet': {
      const host = address.host.includes(':') ? `[${address.host}]` : address.host;
      return address.port === null ? host : `${host}:${address.port}`;
    }
    case 'other':
      return bytes(value);
  }
}

interface Option {
  readonly value: string;
  readonly from: Line | null;
}

/** Own words, over those of `default-server` in the section and its defaults. */
function optionsOf(section: Section, own: readonly Word[]): ReadonlyMap<string, Option> {
  const common = commonOptions.get(section) ?? commonOptionsOf(section);
  commonOptions.set(section, common);
  const options = new Map(common);
  readOptions(own, null, options);
  return options;
}

/** A section may have a hundred thousand servers. */
const commonOptions = new WeakMap<Section, ReadonlyMap<string, Option>>();

function commonOptionsOf(section: Section): ReadonlyMap<string, Option> {
  const options = new Map<string, Option>();
  for (const { lines } of chainOf(section))
    for (const line of lines)
      if (line.words[0]?.value === 'default-server') readOptions(line.words.slice(1), line, options);
  return options;
}

function readOptions(words: readonly Word[], from: Line | null, options: Map<string, Option>): void {
  for (let index = 0; index < words.length; index += 1) {
    const option = words[index]?.value ?? '';
    const undone = option.startsWith('no-') && option.length > 3 ? option.slice(3) : undefined;
    if (undone !== undefined) options.delete(undone);
    if (option === 'enabled') options.delete('disabled');
    const takes = withValue.has(option);
    const value = takes ? (words[index + 1]?.value ?? '') : 'on';
    if (undone === undefined && option !== 'enabled') options.set(option, { value, from });
    if (takes) index += 1;
    if (option === 'source' && words[index + 1]?.value === 'usesrc') index += 2;
  }
}

/** These are the server itself. */
const ownWords = new Set(['weight', 'backup', 'disabled']);

function tellOptions(
  options: ReadonlyMap<string, Option>,
  address: string,
  line: Line,
  proxy: ProxySection,
  settings: Settings,
): void {
  const scope = { kind: 'server', pool: proxy.name, address } as const;
  for (const [name, { value, from }] of options)
    if (!ownWords.has(name)) settings.add([scope], name, oneForm(name, value), from ?? line);
}

export function hasServers(proxy: ProxySection): boolean {
  return ['server', 'server-template', 'dispatch'].some((word) => linesOf(proxy, word).length > 0);
}
