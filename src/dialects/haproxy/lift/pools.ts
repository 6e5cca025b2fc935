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
  const read = once(() => {
    const settings = new Settings(work.notes);
    if (isAlone) tellSettings(proxy, settings);
    const servers = serversOf(proxy, { ...work, settings });
    return {
      servers: isDisabled(section) ? servers.map((server) => ({ ...server, disabled: true })) : servers,
      settings: settings.all,
    };
  });
  if (section.plainServers === null) read();
  return {
    name: proxy.name,
    mode: proxy.isHttp ? 'http' : 'tcp',
    get servers() {
      return read().servers;
    },
    get settings() {
      return read().settings;
    },
    place: work.notes.place(section.head),
    source: isAlone ? sourceOf(section) : null,
  };
}

/** What a section is read from: the defaults that it starts from, and itself. */
function sourceOf(section: Section): readonly string[] | null {
  if (section.text === null) return null;
  if (section.defaults === null) return [section.text];
  const inherited = sourceOf(section.defaults);
  return inherited && [...inherited, section.text];
}

function serversOf(proxy: ProxySection, work: Work): readonly meaning.ServerMeaning[] {
  const { lines, plainServers } = proxy.section;
  return (plainServers?.lines() ?? lines).flatMap((line) => {
    const keyword = line.words[0]?.value;
    if (keyword === 'server') return serverOf(line, 2, [line.words[1]?.value ?? ''], proxy, work);
    if (keyword === 'server-template') return serverOf(line, 3, templateNames(line), proxy, work);
    if (keyword === 'dispatch') return serverOf(line, 1, ['dispatch'], proxy, work);
    return [];
  });
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
  tellOptions(options, address, line, proxy, work);
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
  { settings }: Work,
): void {
  const scope = { kind: 'server', pool: proxy.name, address } as const;
  for (const [name, { value, from }] of options)
    if (!ownWords.has(name)) settings.add([scope], name, oneForm(name, value), from ?? line);
}

export function hasServers(proxy: ProxySection): boolean {
  return ['server', 'server-template', 'dispatch'].some((word) => linesOf(proxy, word).length > 0);
}
