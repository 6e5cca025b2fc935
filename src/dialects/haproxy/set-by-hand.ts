import { type Line, type Section, sectionsOf, settingOf } from './own/sections.ts';

/** What was told of one server; absent: what its line says. */
interface Told {
  state?: 'ready' | 'drain' | 'maint';
  /** `7`, or a share of what the text says: `50%`. */
  weight?: string;
  connectionsMax?: string;
}

const shapes: readonly { readonly shape: RegExp; readonly set: (told: Told, value: string) => void }[] = [
  {
    shape: /^set server (\S+) state (ready|drain|maint)$/,
    set: (told, value) => {
      told.state = value === 'drain' || value === 'maint' ? value : 'ready';
    },
  },
  {
    shape: /^set (?:server (?=\S+ weight )|weight )(\S+)(?: weight)? (\d+%?)$/,
    set: (told, value) => {
      told.weight = value;
    },
  },
  {
    shape: /^set maxconn server (\S+) (\d+)$/,
    set: (told, value) => {
      told.connectionsMax = value;
    },
  },
];

/**
 * A text that says of its servers what running engines were told over the admin socket: state, weight, most connections. For a boot
 * without Holdfast. Drained is weight 0: clients whom a cookie leads to it still reach it, others do not. Of words that say
 * the same the last counts, so they are added at the end of the server's line. What is no server of the text is left out.
 */
export function withSettings(text: string, commands: readonly string[]): string {
  const told = toldBy(commands);
  if (told.size === 0) return text;
  const lines = text.split('\n');
  for (const section of sectionsOf(text))
    for (const line of section.lines) {
      const [keyword, name] = line.words.map(({ value }) => value);
      const one = keyword === 'server' ? told.get(`${section.name}/${name}`) : undefined;
      const end = line.words.at(-1)?.end;
      const source = lines[line.number - 1];
      if (!one || end === undefined || source === undefined) continue;
      const more = wordsFor(one, () => weightOf(section, line));
      lines[line.number - 1] = [source.slice(0, end), ...more].join(' ') + source.slice(end);
    }
  return lines.join('\n');
}

function toldBy(commands: readonly string[]): ReadonlyMap<string, Told> {
  const told = new Map<string, Told>();
  for (const command of commands) {
    const words = command
      .trim()
      .replace(/\s+/g, ' ')
      .replace(/^enable server (\S+)$/, 'set server $1 state ready');
    const line = words.replace(/^disable server (\S+)$/, 'set server $1 state maint');
    for (const { shape, set } of shapes) {
      const [, server, value] = shape.exec(line) ?? [];
      if (server === undefined || value === undefined) continue;
      const one = told.get(server) ?? {};
      set(one, value);
      told.set(server, one);
    }
  }
  return told;
}

function wordsFor({ state, weight, connectionsMax }: Told, initial: () => number): string[] {
  const heavy = weight?.endsWith('%')
    ? Math.min(256, Math.floor((Number(weight.slice(0, -1)) * initial()) / 100))
    : weight;
  const wanted = state === 'drain' ? 0 : heavy;
  return [
    ...(wanted === undefined ? [] : ['weight', String(wanted)]),
    ...(connectionsMax === undefined ? [] : ['maxconn', connectionsMax]),
    ...(state === undefined ? [] : [state === 'maint' ? 'disabled' : 'enabled']),
  ];
}

/** As the text has it: of the server, of what all servers of the section have, or one. */
function weightOf(section: Section, line: Line): number {
  const defaults = [section, section.defaults].map((one) => one && settingOf(one, 'default-server'));
  for (const said of [line, ...defaults]) {
    const words = said?.words.map(({ value }) => value) ?? [];
    const at = words.lastIndexOf('weight');
    if (at >= 0) return Number(words[at + 1]);
  }
  return 1;
}
