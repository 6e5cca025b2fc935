import { join } from 'node:path';
import type { OwnText } from '#model';
import type { ListenAt } from '../../dialect.ts';
import type { OwnPlaces, Transplanted } from '../../own.ts';
import { OwnLines } from '../../own-lines.ts';
import { word as quoted } from '../vocabulary.ts';
import { bindLines } from './binds.ts';
import { fileWords, listedFiles } from './files.ts';
import { isDisabled, isHttp, type Line, type Section, sectionsOf } from './sections.ts';
import { serverLines } from './servers.ts';
import { globalLines, names, rootOf, unixLinks } from './unix.ts';

interface Work {
  readonly own: OwnText;
  readonly places: OwnPlaces;
  readonly sections: readonly Section[];
  readonly lines: OwnLines;
}

/** The same text for one generation. What the next boot starts is the text as it is. */
export function transplant(own: OwnText, places: OwnPlaces): Transplanted {
  const { text, includes } = own;
  if (places.purpose === 'boot')
    return { text, includes: [], rewritten: [], original: text.split('\n').map((_, index) => index + 1) };
  const work = { own, places, sections: sectionsOf(text), lines: new OwnLines(own.file, text) };
  const lists = certificateLists(work);
  rewriteFiles(work, lists.moved);
  rewriteBinds(work);
  rewriteUnixServers(work);
  rewriteGlobal(work);
  rewriteLogs(work);
  rewritePeer(work);
  if (places.purpose === 'rehearse') silence(work);
  if (places.placement.replays) tellNobody(work);
  closeGently(work);
  const { rewritten, ...rest } = work.lines.result();
  return { ...rest, rewritten: [...rewritten, ...lists.rewritten], includes: lists.includes };

  function certificateLists({ sections }: Work) {
    const written = includes.map(({ path, text: list }, index) => {
      const lines = new OwnLines(path, list);
      for (const { number, word, path: listed } of listedFiles(sections, list)) {
        const instead = places.files[listed];
        if (instead !== undefined) lines.replace(number, word, quoted(instead), whyMoved);
      }
      return { path, name: `list-${index}`, ...lines.result() };
    });
    const changed = written.filter((list) => list.rewritten.length > 0);
    return {
      includes: changed.map((list) => ({ path: list.name, text: list.text })),
      moved: new Map(changed.map((list) => [list.path, join(places.folder, list.name)])),
      rewritten: changed.flatMap((list) => list.rewritten),
    };
  }
}

const whyMoved = "a copy that the engine's user can read";

function rewriteFiles({ places, sections, lines }: Work, lists: ReadonlyMap<string, string>): void {
  for (const { line, word, path } of fileWords(sections)) {
    const instead = lists.get(path) ?? places.files[path];
    if (instead !== undefined) lines.replace(line.number, word, quoted(instead), whyMoved);
  }
}

function rewriteBinds({ places, sections, lines }: Work): void {
  const links = unixLinks(sections);
  for (const { line, addresses } of bindLines(sections)) {
    const [, word] = line.words;
    if (word === undefined) continue;
    const moved = addresses.map((address) => {
      if (address.kind === 'listener') return listenWord(places.placement.listeners[address.name]);
      return address.kind === 'unix' ? linkWord(places, links.get(address.path)) : null;
    });
    if (moved.some((one) => one === null)) continue;
    const isListener = addresses.some(({ kind }) => kind === 'listener');
    const why = isListener
      ? places.purpose === 'serve'
        ? 'the listening socket is lent'
        : 'a private socket'
      : 'each generation has this socket for itself';
    // Requests of the past are sent with the address of their client.
    const more = isListener && places.placement.replays ? ' accept-proxy' : '';
    lines.replace(line.number, word, `${quoted(moved.join(','))}${more}`, why);
    dropOwnership(line, lines);
  }
}

function listenWord(at: ListenAt | undefined): string | null {
  if (at === undefined) return null;
  if (at.kind === 'fd') return `fd@${at.fd}`;
  return at.kind === 'unix' ? `unix@${at.path}` : null;
}

function linkWord({ folder }: OwnPlaces, link: number | undefined): string | null {
  return link === undefined ? null : `unix@${join(folder, `link${link}.sock`)}`;
}

const ownership = new Set(['user', 'uid', 'group', 'gid']);

/** Only root may give a socket to somebody else, and these have one user. */
function dropOwnership(line: Line, lines: OwnLines): void {
  line.words.forEach((word, index) => {
    const next = line.words[index + 1];
    if (index > 1 && ownership.has(word.value) && next)
      lines.replace(
        line.number,
        { start: word.start, end: next.end },
        '',
        'its owner is the user of the engine',
      );
  });
}

function rewriteUnixServers({ places, sections, lines }: Work): void {
  const links = new Map(
    [...unixLinks(sections)].flatMap(([path, link]) => names(sections, path).map((name) => [name, link])),
  );
  const root = rootOf(sections);
  for (const { line, address, unix } of serverLines(sections)) {
    if (unix === null) continue;
    const link = linkWord(places, links.get(unix));
    if (link !== null)
      lines.replace(line.number, address, quoted(link), 'each generation has this socket for itself');
    else if (root !== '' && unix.startsWith('/'))
      lines.replace(line.number, address, quoted(`unix@${root}${unix}`), 'seen from outside the chroot');
  }
}

const asUser = 'the engine is started as a user without rights';
const leftOut: Readonly<Record<string, string>> = {
  user: asUser,
  group: asUser,
  uid: asUser,
  gid: asUser,
  chroot: asUser,
  daemon: 'the engine stays in the foreground',
  'master-worker': 'each generation is one process',
  pidfile: 'the holder knows its processes',
  'unix-bind': 'only root may give sockets to somebody else',
};

function rewriteGlobal({ places, sections, lines }: Work): void {
  const control = `${quoted(`unix@${places.placement.control}`)} mode 600 level admin`;
  let hasControl = false;
  for (const [keyword, why] of Object.entries(leftOut))
    for (const line of globalLines(sections, keyword)) lines.comment(line.number, why);
  for (const line of globalLines(sections, 'stats')) {
    if (line.words[1]?.value !== 'socket') continue;
    const [, , from] = line.words;
    const to = line.words.at(-1);
    if (hasControl || line.conditional || !from || !to)
      lines.comment(line.number, 'commands come by the admin socket of the site');
    else {
      hasControl = true;
      const at = { start: from.start, end: to.end };
      lines.replace(line.number, at, control, 'the control socket of this generation');
    }
  }
  if (hasControl) return;
  const why = 'the control socket of this generation: the text has none';
  for (const line of ['global', `    stats socket ${control}`]) lines.add(lines.count, line, why);
}

/** Where the engine runs, nobody reads its output: what goes there goes to the log of the system instead. */
function rewriteLogs({ sections, lines }: Work): void {
  for (const line of sections.flatMap((section) => section.lines)) {
    const [keyword, target] = line.words;
    if (keyword?.value !== 'log' || !target || !/^(?:stdout|stderr|fd@[12])$/.test(target.value)) continue;
    lines.replace(line.number, target, '/dev/log', 'the engine has no terminal: to the log of the system');
    const at = line.words.findIndex(({ value }) => value === 'format');
    const format = line.words[at + 1];
    if (at > 1 && format && /^(?:raw|short|timed|iso)$/.test(format.value))
      lines.replace(line.number, format, 'local', 'as the log of the system expects it');
  }
}

/** The survey lets only sections of one peer through: this machine itself. */
function rewritePeer({ places, sections, lines }: Work): void {
  const peers = sections
    .filter(({ kind }) => kind === 'peers')
    .flatMap((section) => section.lines.filter(({ words }) => words[0]?.value === 'peer'));
  peers.forEach((line, index) => {
    const address = line.words[2];
    const socket = quoted(`unix@${join(places.folder, `peer${index}.sock`)}`);
    if (address) lines.replace(line.number, address, socket, 'each generation has this socket for itself');
  });
}

const outside: Readonly<Record<string, string>> = {
  log: 'a rehearsal writes to no log',
  'email-alert': 'a rehearsal alerts nobody',
  'load-server-state-from-file': 'a rehearsal starts from nothing',
};

function silence({ sections, lines }: Work): void {
  for (const { kind, lines: all } of sections)
    for (const line of all) {
      const why = outside[line.words[0]?.value ?? ''];
      if (why !== undefined && (kind === 'global' || kind === 'defaults' || isProxy(kind)))
        lines.comment(line.number, why);
    }
}

/** Agents hear of no request that was answered long ago, and are not asked how servers are. */
function tellNobody({ sections, lines }: Work): void {
  const why = 'an agent hears of no request of the past';
  for (const line of sections.flatMap((section) => section.lines)) {
    const [first, second] = line.words.map(({ value }) => value);
    const asksAgent = line.words.some(({ value }) => value === 'send-spoe-group');
    if ((first === 'filter' && second === 'spoe') || asksAgent) lines.comment(line.number, why);
    if (first !== 'server' && first !== 'default-server' && first !== 'server-template') continue;
    for (const word of line.words.slice(1))
      if (word.value === 'agent-check') lines.replace(line.number, word, 'no-agent-check', why);
  }
}

function isProxy(kind: string): boolean {
  return kind === 'frontend' || kind === 'backend' || kind === 'listen';
}

/** Without it the end of a generation breaks connections that wait for their next request. */
function closeGently({ sections, lines }: Work): void {
  const option = 'idle-close-on-response';
  for (const section of sections) {
    const isOpen = section.kind === 'frontend' || section.kind === 'listen';
    if (!isOpen || !isHttp(section) || isDisabled(section)) continue;
    const said = section.lines.some(({ words }) => words.some(({ value }) => value === option));
    if (said || !section.lines.some(({ words }) => words[0]?.value === 'bind')) continue;
    const why = 'kept-alive connections end with an answer, not with a reset';
    lines.add(section.head.number, `    option ${option}`, why);
  }
}
