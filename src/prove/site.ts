import { join } from 'node:path';
import { Failure, messageOf } from '#base';
import {
  dialects,
  meaningOfSite,
  StagedServers,
  type StagedText,
  streamEntrance,
  unsupportedBy,
} from '#dialects';
import { chooseEngine, type Installed, identityOf } from '#engines';
import { type EngineName, hostPort, type Site } from '#model';
import type { meaning } from '#routing';
import {
  type Production,
  type ProofOptions,
  type StagePlace,
  type TextProof,
  unasked,
  withStage,
} from './prove.ts';

/** A site.yaml on every engine that its balancers name, one after the other. */
export async function proveSite(
  site: Site,
  witnesses: readonly meaning.Request[],
  options: ProofOptions = {},
): Promise<readonly TextProof[]> {
  const named = [...new Set(site.balancers.map(({ engine }) => engine))];
  const proofs: TextProof[] = [];
  for (const name of named.length === 0 ? (['auto'] as const) : named)
    proofs.push(await proveSiteOn(name, site, witnesses, options));
  return proofs;
}

async function proveSiteOn(
  name: EngineName | 'auto',
  site: Site,
  witnesses: readonly meaning.Request[],
  options: ProofOptions,
): Promise<TextProof> {
  let by: Installed;
  try {
    by = await chooseEngine(name);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return unasked(witnesses, { engine: null, refused: messageOf(error) });
  }
  const cannot = unsupportedBy(site, by.engine.name);
  const engine = `${by.engine.name} ${by.binary.version}`;
  if (cannot.length > 0)
    return unasked(witnesses, { engine, refused: cannot.map(({ message }) => message).join('; ') });
  const identity = identityOf(by.engine, site);
  return await withStage({ by, identity, lifted: meaningOfSite(site), witnesses, options }, (place) =>
    stageSite(site, by, place),
  );
}

function stageSite(
  site: Site,
  { engine, binary }: Installed,
  { folder, certificate, write }: StagePlace,
): Production {
  const servers = new StagedServers();
  const at = Object.fromEntries(
    site.pools.flatMap((pool) =>
      pool.servers.map(({ name, host, port }) => {
        const who = { pool: pool.name, server: name, address: hostPort(host, port), foreign: false };
        return [`${pool.name}/${name}`, `unix@${join(folder, servers.add(who))}`];
      }),
    ),
  );
  const shown: Site = {
    ...site,
    accessLog: null,
    pools: site.pools.map((pool) => ({ ...pool, healthCheck: { ...pool.healthCheck, http: null } })),
  };
  const entrance = join(folder, 'entrance.sock');
  const text = dialects[engine.name].lower(shown, {
    generation: 0,
    threads: 1,
    listeners: Object.fromEntries(
      site.listeners.map(({ name }, index) => [
        name,
        { kind: 'unix', path: join(folder, `l${index}`) } as const,
      ]),
    ),
    control: join(folder, 'control.sock'),
    entrance,
    neighbour: null,
    certificates: Object.fromEntries(
      site.listeners.map(({ name, tls }) => [name, (tls?.certificates ?? []).map(() => certificate)]),
    ),
    files: Object.fromEntries(filesOf(site).map((path) => [path, certificate])),
    ticketKeys: null,
    peers: null,
    servers: at,
  });
  for (const [name, content] of Object.entries(dialects[engine.name].files?.(shown) ?? {}))
    write(name, content);
  const staged: StagedText = {
    text,
    original: [],
    files: {},
    listeners: [],
    servers: servers.all,
    replaced: [
      'listening sockets by private ones',
      `the ${Object.keys(at).length} servers by who says that he stands for them`,
      'health checks by connections',
      ...(site.listeners.some(({ tls }) => tls !== null) ? ['certificates by one that stands in'] : []),
      ...(site.accessLog === null ? [] : ['the access log by none']),
    ],
    names: {},
    speakOfSource: [],
  };
  return {
    staged,
    entrance: { http: 'entrance.sock', stream: streamEntrance('entrance.sock') },
    command: (textFile) => engine.command(binary, { textFile, parked: false }),
  };
}

/** Authorities and certificates that the text names beside those of its listeners. */
function filesOf(site: Site): readonly string[] {
  const ofListeners = site.listeners.flatMap(({ tls }) => tls?.clients?.authorities ?? []);
  const ofPools = site.pools.flatMap(({ tls }) => [
    ...(tls?.authorities ? [tls.authorities] : []),
    ...(tls?.certificate ? [tls.certificate.certificate] : []),
  ]);
  return [...ofListeners, ...ofPools];
}
