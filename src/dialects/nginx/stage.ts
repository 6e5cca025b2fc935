import { join, posix } from 'node:path';
import {
  type StagedListener,
  type StagedServer,
  StagedServers,
  type StagedText,
  type StagePlan,
} from '../stage.ts';
import { inHttp, type NginxText, wholes } from './lift/lift.ts';
import { inetOf } from './lift/listeners.ts';
import { addressOf } from './lift/pools.ts';
import type { TextFiles } from './lift/tree.ts';
import { type Directive, parse } from './own/directives.ts';
import { leftOut } from './stage-words.ts';

/** A directive that is printed again. */
interface Said {
  readonly name: string;
  readonly args: readonly string[];
  readonly block: readonly Said[] | null;
}

interface Work {
  readonly plan: StagePlan;
  readonly files: TextFiles;
  readonly folder: string;
  readonly listeners: Map<string, StagedListener>;
  readonly servers: StagedServers;
  /** Names of `upstream` blocks. */
  readonly pools: ReadonlySet<string>;
  /** By authority: the pool that was made for it. */
  readonly made: Map<string, Said>;
  readonly names: Record<string, string>;
  readonly written: Record<string, string>;
  readonly replaced: Set<string>;
}

const includeDepthMax = 16;

/** An `nginx.conf` on a stage, its includes in their places. What cannot be staged stays, and the engine refuses it in its own words. */
export function stageNginx({ file, folder, text }: NginxText, files: TextFiles, plan: StagePlan): StagedText {
  const whole = wholeOf(spread(parse(file, text).directives, { folder, files }, 0));
  const upstreams = whole.flatMap(({ name, block }) =>
    name === 'http' || name === 'stream' ? (block ?? []).filter((one) => one.name === 'upstream') : [],
  );
  const work: Work = {
    plan,
    files,
    folder,
    listeners: new Map(),
    servers: new StagedServers(),
    pools: new Set(upstreams.map(({ args }) => (args[0]?.value ?? '').toLowerCase())),
    made: new Map(),
    names: {},
    written: {},
    replaced: new Set(),
  };
  const blocks = whole.flatMap((one) => mainOf(one, work));
  const { folder: at } = plan;
  const main = [
    said('pid', join(at, 'pid')),
    said('error_log', 'stderr', 'warn'),
    ...blocks.filter(({ block }) => block === null),
    { name: 'events', args: [], block: [said('worker_connections', '1024')] },
    ...blocks.filter(({ block }) => block !== null),
  ];
  return {
    text: main.map((one) => printed(one, '')).join(''),
    original: [],
    files: work.written,
    listeners: [...work.listeners.values()],
    servers: work.servers.all,
    replaced: [...work.replaced],
    names: work.names,
    speakOfSource: realIpHeaders(whole),
  };
}

const said = (name: string, ...args: readonly string[]): Said => ({ name, args, block: null });

/** `include` is followed, as NGINX does before it reads on. */
function spread(
  directives: readonly Directive[],
  from: Pick<Work, 'folder' | 'files'>,
  depth: number,
): readonly Directive[] {
  return directives.flatMap((directive) => {
    if (directive.block) return [{ ...directive, block: spread(directive.block, from, depth) }];
    const [pattern] = directive.args;
    if (directive.name !== 'include' || !pattern) return [directive];
    if (depth > includeDepthMax) return [];
    return from.files.find(posix.resolve(from.folder, pattern.value)).flatMap((path) => {
      const text = from.files.read(path);
      return text === null ? [] : spread(parse(path, text).directives, from, depth + 1);
    });
  });
}

/** A part of a text is put where its words belong, as the lift does. */
function wholeOf(directives: readonly Directive[]): readonly Directive[] {
  if (directives.some(({ name, block }) => block && wholes.has(name))) return directives;
  const [first] = directives;
  if (!first) return [];
  const around = (name: string, block: readonly Directive[]): Directive => ({
    ...first,
    name,
    args: [],
    block,
  });
  const isHttp = directives.some(({ name }) => inHttp.has(name));
  return [around('http', isHttp ? directives : [around('server', directives)])];
}

function mainOf(directive: Directive, work: Work): readonly Said[] {
  const { name, args, block } = directive;
  if (name === 'load_module' || name === 'env') return [said(name, ...args.map(({ value }) => value))];
  if (name !== 'http' && name !== 'stream') {
    work.replaced.add(`${where(directive)}: left out`);
    return [];
  }
  const inside = (block ?? []).flatMap((one) => insideOf(one, name, work));
  const made = [...work.made.values()];
  work.made.clear();
  const { folder, certificate } = work.plan;
  const tls = [said('ssl_certificate', certificate), said('ssl_certificate_key', certificate)];
  const source = [said('set_real_ip_from', 'unix:')];
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) =>
    said(`${kind}_temp_path`, join(folder, `t-${kind}`)),
  );
  const http = [
    said('access_log', 'off'),
    said('real_ip_header', 'proxy_protocol'),
    said('server_names_hash_bucket_size', '512'),
    said('variables_hash_max_size', '4096'),
    said('map_hash_bucket_size', '512'),
    ...temporary,
  ];
  return [
    { name, args: [], block: [...(name === 'http' ? http : []), ...tls, ...source, ...made, ...inside] },
  ];
}

function where({ file, at, name, args }: Directive): string {
  return `${file}:${at.line} ${[name, ...args.map(({ value }) => value)].join(' ').slice(0, 120)}`;
}

type Context = 'http' | 'stream' | 'upstream';

function insideOf(directive: Directive, context: Context, work: Work): readonly Said[] {
  const { name, block } = directive;
  const args = directive.args.map(({ value }) => staged(value));
  if (name === 'listen') return stageListen(directive, work);
  if (/^(?:proxy|grpc|fastcgi|uwsgi|scgi|memcached)_pass$/.test(name))
    return stagePass(directive, context, work);
  const why = leftOut(name, args, context);
  if (why !== null) {
    work.replaced.add(`${where(directive)}: ${why}`);
    return [];
  }
  if (name === 'upstream' && block) return [stageUpstream(directive, work)];
  if (name === 'auth_basic_user_file' || name === 'auth_jwt_key_file')
    return [said(name, standInFile(directive, work))];
  if (!block) return [{ name, args, block: null }];
  const inside = block.flatMap((one) => insideOf(one, context, work));
  if (name !== 'server') return [{ name, args, block: isTable(name) ? tableOf(directive) : inside }];
  const listens = inside.filter((one) => one.name === 'listen');
  if (listens.length > 0) return [{ name, args, block: inside }];
  // One without an address of its own has a standard one; where all of them were left out it is nobody's.
  const hadSome = block.some((one) => one.name === 'listen');
  if (hadSome || context === 'stream') return [];
  return [{ name, args, block: [said('listen', ...listenWords('*', 80, [], work)), ...inside] }];
}

/** The lines of a `map` are no directives: they stay as they are. */
const isTable = (name: string) => /^(?:map|geo|split_clients|types)$/.test(name);

function tableOf({ block }: Directive): readonly Said[] {
  return (block ?? []).map(({ name, args }) => said(name, ...args.map(({ value }) => staged(value))));
}

/** The port and address that a client sees are told by the PROXY header. */
function staged(word: string): string {
  return word.replaceAll(/\$(\{?)server_(port|addr)\b/g, '$$$1proxy_protocol_server_$2');
}

function stageListen(directive: Directive, work: Work): readonly Said[] {
  const [address = '', ...options] = directive.args.map(({ value }) => value);
  if (options.includes('quic') || options.includes('udp')) return [];
  work.replaced.add(`${where(directive)}: a private socket`);
  if (address.startsWith('unix:'))
    return [said('listen', ...listenWords(address.slice('unix:'.length), null, options, work))];
  const inet = inetOf(address);
  if (!inet) return [said('listen', address, ...options)];
  return inet.ports.map((port) => said('listen', ...listenWords(inet.host, port, options, work)));
}

function listenWords(
  host: string,
  port: number | null,
  options: readonly string[],
  work: Work,
): readonly string[] {
  const key = port === null ? host : `${host}:${port}`;
  const listener = work.listeners.get(key) ?? { host, port, socket: `l${work.listeners.size}` };
  work.listeners.set(key, listener);
  const kept = options.filter((option) => ['ssl', 'default_server', 'default'].includes(option));
  return [`unix:${join(work.plan.folder, listener.socket)}`, 'proxy_protocol', ...kept];
}

const balancing = new Set(['least_conn', 'ip_hash', 'hash', 'random']);

function stageUpstream({ args, block, file, at }: Directive, work: Work): Said {
  const pool = args[0]?.value ?? '';
  work.replaced.add(`${file}:${at.line} upstream ${pool}: its servers by who says that he stands for them`);
  const seen = new Map<string, number>();
  const inside = (block ?? []).flatMap(({ name, args: words }): Said[] => {
    const [said_ = '', ...options] = words.map(({ value }) => value);
    if (balancing.has(name)) return [said(name, ...words.map(({ value }) => staged(value)))];
    if (name !== 'server') return [];
    const service = options.find((option) => option.startsWith('service='));
    const address = addressOf(said_, 80) + (service ? ` ${service}` : '');
    const times = (seen.get(address) ?? 0) + 1;
    seen.set(address, times);
    const socket = serverSocket(
      { pool, server: times === 1 ? address : `${address} ${times}`, address, foreign: false },
      work,
    );
    const kept = options.filter((option) => /^(?:weight=\d+|backup|down)$/.test(option));
    return [said('server', socket, ...kept, 'max_fails=0')];
  });
  return { name: 'upstream', args: [pool], block: inside };
}

function serverSocket(server: Omit<StagedServer, 'socket'>, { servers, plan }: Work): string {
  return `unix:${join(plan.folder, servers.add(server))}`;
}

const ports: Readonly<Record<string, number>> = {
  https: 443,
  grpcs: 443,
  fastcgi: 9000,
  uwsgi: 0,
  scgi: 0,
  memcached: 11_211,
};

/** Every protocol to servers becomes HTTP: who is asked is the question. An address of its own becomes a pool of its own. */
function stagePass(directive: Directive, context: Context, work: Work): readonly Said[] {
  const { name, args } = directive;
  const kind = name.slice(0, -'_pass'.length);
  const target = args[0]?.value ?? '';
  const [, scheme = '', rest = target] = /^([a-z]+):\/\/(.*)$/s.exec(target) ?? [];
  const [, authority = '', uri = ''] =
    /^(unix:[^:]*|[^/]*?(?=\/|$|\$(?:request_)?uri|\$is_args))(.*)$/s.exec(rest) ?? [];
  const isHttp = context === 'http';
  const prefix = isHttp ? 'http://' : '';
  const tail = staged(uri.replace(/^:(?=\/|$)/, ''));
  if (authority.includes('$') || authority === '') {
    // A variable that stands for all of it says its protocol itself.
    const isWhole = kind === 'proxy' && scheme === '';
    return [said('proxy_pass', `${isWhole ? '' : prefix}${staged(rest)}`)];
  }
  if (work.pools.has(authority.toLowerCase())) {
    if (kind !== 'proxy') work.servers.markForeign(authority);
    return [said('proxy_pass', `${prefix}${authority}${tail}`)];
  }
  const port = kind === 'proxy' || kind === 'grpc' ? (ports[scheme] ?? 80) : (ports[kind] ?? 80);
  const pool = madePool(authority, port, kind !== 'proxy', work);
  return [said('proxy_pass', `${prefix}${pool}${isHttp ? tail : ''}`)];
}

function madePool(authority: string, port: number, foreign: boolean, work: Work): string {
  const address = addressOf(authority, port);
  const key = `${address} ${authority} ${foreign}`;
  const known = work.made.get(key);
  if (known) return known.args[0] ?? '';
  const name = `stage${Object.keys(work.names).length}`;
  // NGINX leaves out the port of its protocol.
  const named = authority.replace(new RegExp(`:${port}$`), '');
  work.names[name] = authority.startsWith('unix:') ? 'localhost' : named;
  const socket = serverSocket({ pool: address, server: address, address, foreign }, work);
  work.made.set(key, { name: 'upstream', args: [name], block: [said('server', socket, 'max_fails=0')] });
  return name;
}

function standInFile(directive: Directive, work: Work): string {
  const path = posix.resolve(work.folder, directive.args[0]?.value ?? '');
  const name = `f${Object.keys(work.written).length}`;
  work.written[name] = work.files.read(path) ?? '';
  return join(work.plan.folder, name);
}

/** A request that has one of these tells another address than its connection. */
function realIpHeaders(directives: readonly Directive[]): readonly string[] {
  const found = new Set<string>();
  let isUsed = false;
  const look = (all: readonly Directive[]): void => {
    for (const { name, args, block } of all) {
      if (name === 'real_ip_header') found.add((args[0]?.value ?? '').toLowerCase());
      if (name === 'set_real_ip_from') isUsed = true;
      if (block) look(block);
    }
  };
  look(directives);
  return isUsed ? [...(found.size === 0 ? ['x-real-ip'] : found)] : [];
}

function printed({ name, args, block }: Said, indent: string): string {
  const head = `${indent}${[/^[\w.-]+$/.test(name) ? name : quoted(name), ...args.map(quoted)].join(' ')}`;
  if (!block) return `${head};\n`;
  return `${head} {\n${block.map((one) => printed(one, `${indent}  `)).join('')}${indent}}\n`;
}

/** One word, which NGINX reads back as it is: it undoes a backslash before few characters only. */
function quoted(word: string): string {
  if (/^[\w.:/,=@+*?~^|$%&!<>-]+$/.test(word) && !/^[$]\{/.test(word)) return word;
  return `"${word.replaceAll(/\\(?=[trn"'\\]|$)/g, '\\\\').replaceAll('"', '\\"')}"`;
}
