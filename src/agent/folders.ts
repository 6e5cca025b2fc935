import { X509Certificate } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '#base';
import { type ListenAt, type Placement, streamDoor, streamEntrance } from '#dialects';
import type { Engine, Identity } from '#engines';
import { type Balancer, boundHost, type CertificateFiles, isStream, type OwnText, type Site } from '#model';
import type { Pems } from './certificates.ts';
import type { ListenerAddress } from './holder/protocol.ts';
import { type WrittenOwn, writeOwn } from './own-folder.ts';
import { keyFile } from './ticket-keys.ts';

/** Linux's limit for the path of a Unix socket, less the closing zero. */
const socketPathBytesMax = 107;

/** Everything one generation reads and writes lies in one folder of its own, which its engine's user owns. */
export interface GenerationFolder {
  readonly folder: string;
  readonly textFile: string;
  readonly placement: Placement;
  readonly listeners: readonly ListenerAddress[];
  /** What became of a team's own text; null for a site.yaml. */
  readonly own: WrittenOwn | null;
}

export interface FolderPlan {
  readonly site: Site;
  readonly balancer: Balancer;
  readonly engine: Engine;
  readonly identity: Identity;
  readonly folder: string;
  /** What its texts call the folder. Absent: so, as it is written. */
  readonly named?: string;
  readonly generation: number;
  readonly threads: number;
  /** Shared by all generations of a site, so TLS sessions go on over a switch. Null: none. */
  readonly ticketKeys: readonly string[] | null;
  /** Generations that live beside it. Absent: none that anything is shared with. */
  readonly peers?: Placement['peers'];
  readonly purpose: 'serve' | 'rehearse' | 'boot';
  /** See `Placement.replays`. Absent: not so. */
  readonly replays?: true;
  /** What the engine's binary loads; for `boot`, which nobody starts with words of ours. */
  readonly modules?: readonly string[];
  /** What running engines were told by hand, for a text that is started without anybody to tell it. */
  readonly settings?: readonly string[];
  /** Servers that are known to be down, `pool/server`. Absent: none. */
  readonly knownDown?: readonly string[];
  /** What the certificates and keys held when the text was proposed; absent: as the files are now. */
  readonly pems?: Pems;
  /** `pool/server` -> address; null: the site's own. */
  readonly servers: Readonly<Record<string, string>> | null;
}

/** Writes the folder anew: text, certificates with their keys (readable by the engine's user only), ticket keys. */
export function prepareFolder(plan: FolderPlan): GenerationFolder {
  const { site, balancer, folder, identity, named = folder } = plan;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const give = (path: string) => {
    if (identity) chownSync(path, identity.uid, identity.gid);
  };
  const write = (name: string, content: string | Buffer) => {
    const path = join(folder, name);
    rmSync(path, { force: true });
    writeFileSync(path, content, { mode: 0o400 });
    give(path);
    return join(named, name);
  };
  const pem: ReadPem = (path) => plan.pems?.[path] ?? readFileSync(path, 'utf8');
  const placement: Placement = {
    generation: plan.generation,
    threads: plan.threads,
    listeners: listenersAt(plan),
    control: join(named, 'control.sock'),
    entrance: join(named, 'entrance.sock'),
    neighbour: plan.purpose === 'serve' ? join(folder, 'neighbour.sock') : null,
    certificates: certificateBundles(site, pem, write),
    certificateNames: certificateNames(site, pem),
    files: otherFiles(site, pem, write),
    ticketKeys: plan.ticketKeys && writeTicketKeys(plan.ticketKeys, write),
    peers: plan.peers ?? null,
    ...(plan.knownDown ? { knownDown: plan.knownDown } : {}),
    servers: plan.servers,
    ...(plan.purpose === 'boot' ? { alone: true } : {}),
    ...(plan.replays ? { replays: plan.replays } : {}),
    ...(plan.modules ? { modules: plan.modules } : {}),
  };
  if (longestSocketPath(site, folder) > socketPathBytesMax)
    throw new Failure(
      'HF302',
      `${folder} is too long for a Unix socket in it`,
      'Set HOLDFAST_RUN to a shorter folder.',
    );
  for (const [name, content] of Object.entries(plan.engine.dialect.files?.(site) ?? {})) write(name, content);
  const own = site.own && writeOwn({ ...plan, own: ownFor(plan.engine, site.own), placement, write, give });
  const { dialect } = plan.engine;
  const text = own ? own.text : dialect.lower(site, placement);
  const textFile = write(dialect.fileName, dialect.withSettings?.(text, plan.settings ?? []) ?? text);
  give(folder);
  chmodSync(folder, 0o700);
  return { folder, textFile, placement, listeners: addressesOf(site, balancer), own };
}

/** HAProxy makes a socket under a longer name first. */
const draftBytes = '.4194304.tmp'.length;

function longestSocketPath({ listeners }: Site, folder: string): number {
  const entrance = streamEntrance(join(folder, 'neighbour.sock'));
  const doors = listeners.filter(isStream).map((l) => streamDoor(join(folder, 'entrance.sock'), l));
  return Math.max(Buffer.byteLength(entrance), ...doors.map((path) => Buffer.byteLength(path) + draftBytes));
}

/** A text in an engine's own language is for that engine. @throws Failure HF301 */
function ownFor({ name }: Engine, own: OwnText): OwnText {
  if (name === own.dialect) return own;
  throw new Failure('HF301', `${own.file} is a text for ${own.dialect}, which ${name} cannot run`);
}

/** The sockets that a site needs on a balancer, in the order in which an engine inherits them. */
export function addressesOf(site: Site, balancer: Balancer): ListenerAddress[] {
  return site.listeners.map((l) => {
    const address = { host: boundHost(l, balancer), port: l.port };
    return l.dualStack ? { ...address, dualStack: true } : address;
  });
}

const firstInheritedFd = 3;

function listenersAt({ site, balancer, purpose, folder }: FolderPlan): Record<string, ListenAt> {
  const at = (index: number, host: string, port: number, name: string): ListenAt => {
    if (purpose === 'serve') return { kind: 'fd', fd: firstInheritedFd + index, host };
    if (purpose === 'boot') return { kind: 'address', host, port };
    return { kind: 'unix', path: join(folder, `${name}.sock`) };
  };
  return Object.fromEntries(
    site.listeners.map((l, index) => [l.name, at(index, boundHost(l, balancer), l.port, `listen${index}`)]),
  );
}

/** A certificate's or key's content, by the path that the site names. */
type ReadPem = (path: string) => string;

function otherFiles(
  site: Site,
  pem: ReadPem,
  write: (name: string, content: string) => string,
): Record<string, string> {
  const files: Record<string, string> = {};
  for (const [index, { tls }] of site.listeners.entries()) {
    const authorities = tls?.clients?.authorities;
    if (authorities !== undefined) files[authorities] = write(`listen${index}-ca.pem`, pem(authorities));
    const revocations = tls?.clients?.revocations;
    if (revocations !== undefined) files[revocations] = write(`listen${index}-crl.pem`, pem(revocations));
  }
  for (const [index, { tls }] of site.pools.entries()) {
    if (tls === null) continue;
    const { authorities, certificate } = tls;
    if (authorities !== null) files[authorities] = write(`pool${index}-ca.pem`, pem(authorities));
    if (certificate !== null)
      files[certificate.certificate] = write(`pool${index}.pem`, bundleOf(certificate, pem));
  }
  return files;
}

function bundleOf(pair: CertificateFiles, pem: ReadPem): string {
  const [certificate, key] = [pair.certificate, pair.key].map((path) => pem(path).trimEnd());
  return `${certificate}\n${key}\n`;
}

function certificateBundles(
  site: Site,
  pem: ReadPem,
  write: (name: string, content: string) => string,
): Record<string, string[]> {
  return Object.fromEntries(
    site.listeners.map((l, index) => [
      l.name,
      (l.tls?.certificates ?? []).map((pair, number) =>
        write(`listen${index}-${number}.pem`, bundleOf(pair, pem)),
      ),
    ]),
  );
}

/** Whom each certificate is for, as the engine itself would read it. */
function certificateNames(site: Site, pem: ReadPem): Record<string, string[][]> {
  return Object.fromEntries(
    site.listeners.map((l) => [
      l.name,
      (l.tls?.certificates ?? []).map(({ certificate }) => namesIn(pem(certificate))),
    ]),
  );
}

function namesIn(pem: string): string[] {
  const { subjectAltName, subject } = new X509Certificate(pem);
  const names = [...(subjectAltName ?? '').matchAll(/DNS:([^,\s"]+)/g)].map(([, name]) => name ?? '');
  const common = /^CN=(.+)$/m.exec(subject ?? '')?.[1];
  return names.length > 0 || common === undefined ? names : [common];
}

function writeTicketKeys(
  keys: readonly string[],
  write: (name: string, content: string | Buffer) => string,
): string {
  for (const [index, key] of keys.entries()) write(`ticket.keys.${index + 1}`, Buffer.from(key, 'base64'));
  return write('ticket.keys', keyFile(keys));
}
