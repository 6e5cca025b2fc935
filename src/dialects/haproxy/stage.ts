import { join } from 'node:path';
import { OwnLines } from '../own-lines.ts';
import { type StagedListener, StagedServers, type StagedText, type StagePlan } from '../stage.ts';
import { boundOf } from './lift/binds.ts';
import { decideOf } from './lift/conditional.ts';
import { type LiftSource, Notes } from './lift/source.ts';
import { isDisabled, type Line, type Section, sectionsOf } from './own/sections.ts';
import { templateNames } from './own/servers.ts';
import type { Word } from './own/words.ts';
import { stageFiles } from './stage-files.ts';
import { word as quoted } from './vocabulary.ts';

interface Work {
  readonly source: LiftSource;
  readonly plan: StagePlan;
  readonly lines: OwnLines;
  readonly listeners: StagedListener[];
  readonly servers: StagedServers;
  /** By pool and name, as the meaning has them. */
  readonly addresses: ReadonlyMap<string, string>;
  readonly files: Record<string, string>;
  readonly names: Map<string, string>;
}

/** A `haproxy.cfg` on a stage. Whatever it says that cannot be staged stays, and the engine refuses it in its own words. */
export function stageHaproxy(source: LiftSource, plan: StagePlan): StagedText {
  const sections = sectionsOf(source.text, { environment: source.environment, decide: decideOf(source) });
  const lines = new OwnLines(source.file, source.text);
  const work: Work = {
    source,
    plan,
    lines,
    listeners: [],
    servers: new StagedServers(),
    addresses: new Map(
      plan.meaning.pools.flatMap((pool) =>
        pool.servers.map(({ name, address }) => [`${pool.name}\n${name}`, address] as const),
      ),
    ),
    files: {},
    names: new Map(),
  };
  lines.add(0, ownGlobal(plan), 'the stage');
  for (const section of sections) {
    stageSection(section, work);
    if (section.kind === 'frontend' || section.kind === 'listen') stageBinds(section, work);
    if (section.kind === 'backend' || section.kind === 'listen') stageServers(section, work);
  }
  const { text, rewritten, original } = lines.result();
  return {
    text: text.endsWith('\n') ? text : `${text}\n`,
    original,
    files: work.files,
    listeners: work.listeners,
    servers: work.servers.all,
    replaced: rewritten.flatMap(({ file, line, before, why }) =>
      before === '' ? [] : [`${file}:${line} ${before}: ${why}`],
    ),
    names: {},
    speakOfSource: [],
  };
}

const ownGlobal = ({ folder }: StagePlan) =>
  `global\n  nbthread 1\n  maxconn 400\n  localpeer stage\n  stats socket unix@${join(folder, 'control')} mode 600 level admin`;

const asUser = 'left out: the engine is a user without rights';
const away = 'left out: nobody outside hears of it';
const limited = 'left out: a stage is small';
/** By the kind of section (`*`: frontends, backends, listen and defaults). */
const leftOut: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  global: {
    ...Object.fromEntries('user group uid gid chroot'.split(' ').map((name) => [name, asUser])),
    ...Object.fromEntries(
      'daemon master-worker pidfile unix-bind stats log log-send-hostname nbproc nbthread cpu-map cpu-policy thread-groups thread-group maxconn maxsslconn maxconnrate maxsslrate maxsessrate ulimit-n fd-hard-limit localpeer'
        .split(' ')
        .map((name) => [name, limited]),
    ),
    ...Object.fromEntries(
      'server-state-file server-state-base ssl-dh-param-file ssl-engine ssl-mode-async busy-polling grace set-dumpable ca-base crt-base 51degrees-data-file deviceatlas-json-file wurfl-data-file'
        .split(' ')
        .map((name) => [name, away]),
    ),
  },
  '*': Object.fromEntries(
    'log email-alert load-server-state-from-file source use-fcgi-app bind-process external-check dispatch-log maxconn rate-limit fullconn'
      .split(' ')
      .map((name) => [name, away]),
  ),
  resolvers: { nameserver: away, 'parse-resolv-conf': away },
  mailers: { mailer: away },
  ring: { server: away, 'backing-file': away },
  peers: Object.fromEntries(
    'peer server bind default-bind default-server log'.split(' ').map((name) => [name, away]),
  ),
};
/** Sections without which no request is treated otherwise, and which start programs or listen. */
const wholeSections = new Set(['program', 'log-forward', 'log-profile', 'traces', 'acme']);

function stageSection(section: Section, work: Work): void {
  const { lines, plan } = work;
  const { kind, head } = section;
  if (wholeSections.has(kind)) for (const line of [head, ...section.lines]) lines.comment(line.number, away);
  const table = leftOut[isProxy(kind) || kind === 'defaults' ? '*' : kind] ?? {};
  for (const line of section.lines) {
    const [first, second] = line.words;
    const name = first?.value === 'no' ? (second?.value ?? '') : (first?.value ?? '');
    const why = Object.hasOwn(table, name) ? table[name] : undefined;
    if (why !== undefined) lines.comment(line.number, why);
    else if (isProxy(kind) || kind === 'defaults' || kind === 'http-errors') stageProxyLine(line, work);
  }
  if (kind === 'peers')
    lines.add(head.number, `  peer stage unix@${join(plan.folder, `peer${head.number}`)}`, 'only itself');
}

const isProxy = (kind: string) => kind === 'frontend' || kind === 'backend' || kind === 'listen';

function stageProxyLine(line: Line, work: Work): void {
  const { lines, plan } = work;
  const [first, second, third] = line.words.map(({ value }) => value);
  const said = [first, second, third].join(' ');
  if (said.startsWith('option external-check')) lines.comment(line.number, away);
  if (first === 'filter' && second === 'spoe') lines.comment(line.number, away);
  if (
    first === 'tcp-request' &&
    line.words.some(({ value }) => /^expect-(?:proxy|netscaler-cip)$/.test(value))
  )
    lines.comment(line.number, 'left out: the stage says where a connection comes from');
  const value = line.words[2];
  if (first === 'timeout' && value) {
    const instead = second === 'tarpit' ? '1ms' : '20s';
    lines.replace(line.number, value, instead, 'a slow machine is no fault of the text');
  }
  stageFiles(line, { ...work, folder: plan.folder });
}

function stageBinds(section: Section, work: Work): void {
  const { lines, source, plan, listeners } = work;
  if (isDisabled(section)) return;
  const bound = boundOf(section, new Notes(source));
  const fresh = (options: string) => {
    const socket = `l${listeners.length}`;
    return { socket, text: `unix@${join(plan.folder, socket)} mode 666 accept-proxy${options}` };
  };
  const at = Map.groupBy(bound, ({ line }) => line.number);
  const head = section.head.words[2];
  if (head && at.has(section.head.number)) lines.replace(section.head.number, head, '', 'a private socket');
  const binds = section.lines.filter(({ words }) => words[0]?.value === 'bind');
  for (const line of [section.head, ...binds]) {
    const texts = (at.get(line.number) ?? []).map(({ host, port, tls }) => {
      const { socket, text } = fresh(tls ? ` ssl crt ${plan.certificate}` : '');
      listeners.push({ host, port, socket });
      return text;
    });
    const [first, ...others] = texts;
    const [, from] = line.words;
    const to = line.words.at(-1);
    if (line !== section.head && from && to)
      lines.replace(
        line.number,
        { start: from.start, end: to.end },
        first ?? `unix@${join(plan.folder, `x${line.number}`)}`,
        'a private socket',
      );
    for (const other of line === section.head ? texts : others)
      lines.add(line.number, `  bind ${other}`, 'a private socket');
  }
}

/** Of a server's words: what says which one is taken. */
const keptOptions = new Set([
  'weight',
  'backup',
  'disabled',
  'enabled',
  'cookie',
  'id',
  'no-backup',
  'no-disabled',
]);
const keptWithValue = new Set(['weight', 'cookie', 'id']);

function keptWords(words: readonly Word[]): string {
  return words
    .flatMap(({ value }, index) => {
      if (!keptOptions.has(value)) return [];
      return keptWithValue.has(value) ? [value, quoted(words[index + 1]?.value ?? '')] : [value];
    })
    .map((one) => ` ${one}`)
    .join('');
}

const standsIn = 'somebody who says that he stands for it';

function stageServers(section: Section, work: Work): void {
  const { lines } = work;
  for (const line of section.lines) {
    const [first] = line.words;
    if (first?.value === 'default-server') stageDefaultServer(line, lines);
    if (first?.value === 'server') stageServer(section, line, 2, [line.words[1]?.value ?? ''], work);
    if (first?.value === 'server-template') stageServer(section, line, 3, templateNames(line), work);
    if (first?.value === 'dispatch') stageServer(section, line, 1, ['dispatch'], work);
  }
  // Those of sections named `defaults` are for everybody who starts from them.
  for (let from = section.defaults; from; from = from.defaults)
    for (const line of from.lines)
      if (line.words[0]?.value === 'default-server') stageDefaultServer(line, lines);
}

function stageDefaultServer(line: Line, lines: OwnLines): void {
  const kept = keptWords(line.words.slice(1));
  const [, from] = line.words;
  const to = line.words.at(-1);
  if (kept === '' || !from || !to) lines.comment(line.number, standsIn);
  else lines.replace(line.number, { start: from.start, end: to.end }, kept.trim(), standsIn);
}

const templateServersMax = 20;

function stageServer(
  { name: pool }: Section,
  line: Line,
  at: number,
  names: readonly string[],
  { lines, plan, servers, addresses }: Work,
): void {
  const [first] = line.words;
  const to = line.words.at(-1);
  if (!first || !to) return;
  const texts = names.slice(0, templateServersMax).map((name) => {
    const address = addresses.get(`${pool}\n${name}`) ?? '';
    const socket = servers.add({ pool, server: name, address, foreign: false });
    const kept = keptWords(line.words.slice(at + 1));
    return `server ${quoted(name)} unix@${join(plan.folder, socket)}${kept}`;
  });
  const [one = '# no server', ...others] = texts;
  lines.replace(line.number, { start: first.start, end: to.end }, one, standsIn);
  for (const other of others) lines.add(line.number, `  ${other}`, standsIn);
}
