import { join } from 'node:path';
import type { OwnText } from '#model';
import type { OwnPlaces, Transplanted } from '../../own.ts';
import { OwnLines } from '../../own-lines.ts';
import { ours } from '../vocabulary.ts';
import type { Directive, Token } from './directives.ts';
import { fileWords, impliedFiles, impliedPaths } from './files.ts';
import { listensOf } from './listens.ts';
import { adopt } from './survey.ts';
import { named, type OwnTexts, readTexts, walk } from './texts.ts';
import { unixServers } from './upstreams.ts';
import { factLines, ownLogs, watchLines } from './watched.ts';

/** Below the generation's folder, included files lie as they lie on the machine. */
const root = 'root';
const systemLog = 'syslog:server=unix:/dev/log,nohostname,tag=nginx';

interface Work {
  readonly own: OwnText;
  readonly places: OwnPlaces;
  readonly texts: OwnTexts;
  /** One rewriting for every file, by its name. */
  readonly lines: ReadonlyMap<string, OwnLines>;
}

/** The same text and includes for one generation. For the next boot only the includes are its own. */
export function transplant(own: OwnText, places: OwnPlaces): Transplanted {
  const all = [{ path: own.file, text: own.text }, ...own.includes];
  const work = {
    own,
    places,
    texts: readTexts(own.file, own.folder, own.text, own.includes),
    lines: new Map(all.map(({ path, text }) => [path, new OwnLines(path, text)])),
  };
  rewriteIncludes(work);
  rewriteFiles(work);
  if (places.purpose !== 'boot') {
    rewriteUnix(work);
    shareSockets(work);
    if (places.purpose === 'rehearse') rewriteListens(work);
    else addMissingListens(work);
    if (places.placement.replays) tellNobody(work);
    rewriteMain(work);
    addLogs(work);
    addToHttp(work);
  }
  const results = [...work.lines].map(([path, lines]) => ({ path, ...lines.result() }));
  const [main, ...included] = results;
  return {
    text: main?.text ?? own.text,
    original: main?.original ?? [],
    includes: included.map(({ path, text }) => ({ path: join(root, path), text })),
    rewritten: results.flatMap(({ rewritten }) => rewritten),
  };
}

function replace({ lines }: Work, { file }: Directive, token: Token, text: string, why: string): void {
  if (token.end === null) return;
  lines.get(file)?.replace(token.line, { start: token.start, end: token.end }, text, why);
}

function addAfter({ lines }: Work, { file, after }: Directive, text: string, why: string): void {
  const at = { start: after.column, end: after.column };
  lines.get(file)?.replace(after.line, at, ` ${text}`, why);
}

function rewriteIncludes(work: Work): void {
  const { places, texts } = work;
  // What an included file includes is found once for each time that it is included itself.
  const seen = new Set<string>();
  for (const { directive, pattern } of texts.includes) {
    const [token] = directive.args;
    const key = `${directive.file}:${directive.at.line}:${directive.at.start}`;
    if (!token || seen.has(key)) continue;
    seen.add(key);
    replace(work, directive, token, word(join(places.folder, root, pattern)), 'included as it was read');
  }
}

function rewriteFiles(work: Work): void {
  const { own, places, texts } = work;
  const seen = new Set<string>();
  for (const { directive, token, path, use } of fileWords(own, texts.directives)) {
    const key = `${directive.file}:${token.line}:${token.start}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const instead = places.files[path];
    if (use === 'read') {
      if (instead !== undefined)
        replace(work, directive, token, word(instead), "a copy that the engine's user can read");
      else if (!token.value.startsWith('/'))
        replace(work, directive, token, word(path), 'the same file, named in full');
    } else if (places.purpose !== 'boot') moveWritten(work, { directive, token, path, use });
  }
}

function moveWritten(
  work: Work,
  { directive, token, path, use }: ReturnType<typeof fileWords>[number],
): void {
  const { purpose, files } = work.places;
  const instead = files[path];
  const isTerminal = /^\/dev\/(?:stdout|stderr|fd\/)|^\/proc\/self\//.test(path);
  if (use === 'folder') {
    if (instead !== undefined)
      replace(work, directive, token, word(instead), "the engine's user cannot write to the other");
    return;
  }
  if (purpose === 'rehearse') {
    const nowhere = directive.name === 'access_log' ? '/dev/null' : 'stderr';
    replace(work, directive, token, nowhere, 'a rehearsal writes to no log');
    dropArguments(work, directive, isBuffer);
  } else if (instead !== undefined || isTerminal) {
    const why = isTerminal
      ? 'the engine has no terminal: to the log of the system'
      : "the engine's user cannot open it: to the log of the system";
    replace(work, directive, token, systemLog, why);
    dropArguments(work, directive, isBuffer);
  }
}

const isBuffer = (value: string) => /^(?:buffer|flush|gzip)(?:=|$)/.test(value);

function dropArguments(work: Work, directive: Directive, which: (value: string) => boolean): void {
  for (const token of directive.args.slice(1))
    if (which(token.value)) replace(work, directive, token, '', 'this kind of log has no such option');
}

/** Sockets by which the text speaks to itself: each generation has its own. */
function rewriteUnix(work: Work): void {
  const { texts, places } = work;
  const listens = listensOf(texts.directives);
  const bound = [...new Set(listens.flatMap(({ where }) => (where.kind === 'unix' ? [where.path] : [])))];
  const why = 'each generation has this socket for itself';
  const instead = (path: string) => join(places.folder, `link${bound.indexOf(path)}.sock`);
  for (const { directive, where } of listens) {
    const [token] = directive?.args ?? [];
    if (directive && token && where.kind === 'unix')
      replace(work, directive, token, word(`unix:${instead(where.path)}`), why);
  }
  for (const { directive, token, path } of unixServers(texts.directives))
    if (bound.includes(path))
      replace(work, directive, token, word(token.value.replace(path, instead(path))), why);
}

/** A generation is lent one socket for each address, and parked by what its workers do with that one. */
function shareSockets(work: Work): void {
  for (const { directive, options, where } of listensOf(work.texts.directives))
    for (const option of options)
      if (directive && where.kind === 'inet' && option.value === 'reuseport')
        replace(work, directive, option, '', 'one socket, which all workers and generations share');
}

/** What a Unix socket cannot have. */
const inetOnly = /^(?:ipv6only|so_keepalive|fastopen|setfib)=|^deferred$/;

function rewriteListens(work: Work): void {
  const { texts, places } = work;
  const implied = new Map<string, string>();
  for (const { directive, server, options, where, socket } of listensOf(texts.directives)) {
    if (where.kind !== 'inet') continue;
    const key = `${where.host}:${where.port}`;
    const at = socket && places.placement.listeners[socket.name];
    if (!implied.has(key)) implied.set(key, join(places.folder, `implied${implied.size}.sock`));
    const path = `unix:${at?.kind === 'unix' ? at.path : implied.get(key)}`;
    const [token] = directive?.args ?? [];
    if (!directive || !token) {
      addAfter(work, server, `listen ${word(path)};`, 'a private socket, where none is named');
      continue;
    }
    replace(work, directive, token, word(path), 'a private socket');
    for (const option of options)
      if (inetOnly.test(option.value)) replace(work, directive, option, '', 'a private socket');
  }
}

/** Only root gets port 80 where no `listen` is; everybody else would get another one. */
function addMissingListens(work: Work): void {
  for (const { directive, server } of listensOf(work.texts.directives))
    if (!directive) addAfter(work, server, 'listen 80;', 'what NGINX means here when root starts it');
}

function rewriteMain(work: Work): void {
  const { texts, places, lines, own } = work;
  const pid = word(join(places.folder, ours.files.pid));
  const [said] = named(texts.directives, 'pid');
  const [token] = said?.args ?? [];
  const why = 'each generation has its own';
  if (said && token) replace(work, said, token, pid, why);
  else lines.get(own.file)?.replace(1, { start: 0, end: 0 }, `pid ${pid}; `, why);
  // The engine is told on its command line, and twice is once too often.
  for (const directive of named(texts.directives, 'daemon'))
    if (directive.after.line === directive.at.line)
      lines
        .get(directive.file)
        ?.replace(
          directive.at.line,
          { start: directive.at.start, end: directive.after.column },
          '',
          'the engine stays in the foreground',
        );
  for (const directive of named(texts.directives, 'events').flatMap(({ block }) =>
    named(block, 'accept_mutex'),
  ))
    if (directive.args[0]) replace(work, directive, directive.args[0], 'off', 'or it could not be parked');
}

/** Copies of requests that were answered long ago. */
function tellNobody(work: Work): void {
  walk(work.texts.directives, ({ block }) => {
    for (const directive of named(block, 'mirror')) {
      const [target] = directive.args;
      if (target && target.value !== 'off')
        replace(work, directive, target, 'off', 'a request of the past is not copied');
    }
  });
}

/** A log of the text takes the place of ours that stands further out: so ours stands beside each of them. */
function addLogs(work: Work): void {
  const { texts, places } = work;
  const logs = ownLogs(places);
  walk(texts.directives, ({ name, block }) => {
    const said = named(block, 'access_log');
    for (const directive of said)
      if (directive.args[0]?.value === 'off')
        replace(work, directive, directive.args[0], '/dev/null', 'its requests are counted all the same');
    const last = said.at(-1);
    if (last && name !== 'http') addAfter(work, last, logs, 'its requests are counted');
  });
}

function addToHttp(work: Work): void {
  const { own, texts, places, lines } = work;
  const [http] = named(texts.directives, 'http');
  if (!http) return;
  const { site } = adopt(own);
  const implied = impliedFiles(texts.directives).flatMap((name) => {
    const path = impliedPaths[name];
    const instead = places.files[path];
    if (name === 'error_log') return [];
    if (name !== 'access_log') return instead === undefined ? [] : [`${name} ${word(instead)};`];
    const log = places.purpose === 'rehearse' ? '/dev/null' : instead === undefined ? path : systemLog;
    return [`access_log ${log};`];
  });
  const why = 'the control socket of this generation and what counts its requests';
  addAfter(work, http, [...implied, watchLines(places, site)].join(' '), why);
  const facts = factLines(site, places, texts.directives).join('\n');
  const main = lines.get(own.file);
  main?.add(main.count, facts, 'comments that say what stands in the text');
}

/** One word, whatever it holds. */
function word(text: string): string {
  return /^[\w.:/,=@+*?[\]-]+$/.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
}
