import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createStreamServer, type Server } from 'node:net';
import { type Diagnostic, messageOf } from '#base';
import type { CheckResult, KnownFaultView, RehearsalResult, SiteText, WitnessView } from '#contract';
import { streamEntrance, unsupportedBy } from '#dialects';
import { faultsOf } from '#engines';
import {
  checkCertificates,
  type Pool,
  readCertificateFile,
  routeOf,
  type Site,
  streamPools,
  streamsOf,
} from '#model';
import { askEntrance, describeRequest, whoAnswers } from '#probe';
import {
  describeStream,
  type Outcome,
  outcomeOf,
  type Request,
  type RoutedListener,
  type Rule,
  refusalOf,
  streamWitnesses,
  witnesses,
} from '#routing';
import { addressMistakes } from './addresses.ts';
import type { Fleet } from './fleet.ts';
import { parseSiteOrNull } from './good.ts';
import { untilWarm } from './launch.ts';
import { askEngine } from './own-check.ts';
import { rewrittenLine } from './own-words.ts';
import { askPlanned, poolHeader, proveOwnText, saidBy } from './planned.ts';
import { inSandbox, sandboxed } from './sandbox-process.ts';

const witnessMsMax = 5_000;

/** The exact engine reads the exact text, unprivileged, in a folder of its own that every path of the text lies in. */
export async function checkText(fleet: Fleet, text: SiteText): Promise<CheckResult> {
  const { balancer, run, clock } = fleet.options;
  const began = clock.monotonicMs();
  const { site, diagnostics } = parseSiteOrNull(text);
  await fleet.options.lookAround();
  const by = site ? fleet.engineFor(site) : null;
  const refusedFor = (found: readonly Diagnostic[]): CheckResult => ({
    engine: by?.engine.name ?? '',
    version: by?.binary.version ?? '',
    accepted: false,
    output: '',
    diagnostics: found,
    tookMs: clock.monotonicMs() - began,
  });
  if (!site || !by) return refusedFor(diagnostics);
  const certificates = await checkCertificates(site, readCertificateFile);
  const against = [
    ...unsupportedBy(site, by.engine.name),
    ...certificates.filter((d) => d.severity === 'error'),
    ...addressMistakes(site, balancer, run),
  ];
  if (against.length > 0) return refusedFor(against);
  const folder = fleet.scratch();
  try {
    const prepared = sandboxed(fleet, by, site, { folder, servers: null });
    const said = await askEngine(by, site, prepared);
    return { ...said, diagnostics: [...certificates, ...said.diagnostics] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What is known against the engine of this site's balancer with the exact text that it would run. */
export function knownFaults(fleet: Fleet, site: Site): readonly KnownFaultView[] {
  const by = fleet.engineFor(site);
  const { engine, binary } = by;
  if (engine.knownFaults.length === 0) return [];
  const folder = fleet.scratch();
  try {
    const text = readFileSync(sandboxed(fleet, by, site, { folder, servers: null }).textFile, 'utf8');
    return faultsOf(engine.knownFaults, binary.version, text).map(
      ({ id, what, effect, sources, remedy }) => ({
        id,
        engine: `${engine.name} ${binary.version}`,
        what,
        effect,
        sources,
        remedy,
      }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Cold start of the exact engine with the exact text on private sockets, its servers replaced by ones that say who they
 * are. A team's own text keeps its servers there: it is asked the plan's witnesses on a stage of its own.
 */
export async function rehearse(
  fleet: Fleet,
  site: Site,
  text: SiteText,
  planned: readonly WitnessView[],
): Promise<RehearsalResult> {
  const { clock } = fleet.options;
  const by = fleet.engineFor(site);
  const folder = fleet.scratch();
  const pools = site.own ? [] : site.pools;
  const standIns = new Map(pools.map((pool, index) => [pool.name, `${folder}-pool${index}.sock`]));
  const servers = Object.fromEntries(
    pools.flatMap((pool) =>
      pool.servers.map((s) => [`${pool.name}/${s.name}`, `unix@${standIns.get(pool.name)}`]),
    ),
  );
  const streams = streamPools(site);
  const running: Server[] = [];
  try {
    for (const pool of pools) {
      const server = streams.has(pool.name) ? streamStandIn(pool) : standIn(pool);
      running.push(await listening(server, standIns.get(pool.name) ?? ''));
    }
    return await inSandbox(fleet, by, site, { folder, servers }, async (sandbox, startMs) => {
      const { control, prepared, entrance } = sandbox;
      await untilWarm(control, clock);
      const asked = site.own
        ? []
        : [...(await askWitnesses(site, entrance)), ...(await askStreams(site, streamEntrance(entrance)))];
      const proof = site.own ? await proveOwnText(text, planned) : await askPlanned(site, planned, entrance);
      asked.push(...proof.asked);
      return {
        ok: asked.every((w) => w.ok),
        startMs: Math.round(startMs),
        memoryBytes: sandbox.memoryBytes(),
        witnesses: asked,
        unproven: proof.unproven,
        replaced: prepared.own?.rewritten.map(rewrittenLine) ?? replacedIn(site, Object.keys(servers).length),
      };
    });
  } finally {
    for (const server of running) server.close();
    for (const path of standIns.values()) rmSync(path, { force: true });
  }
}

function replacedIn(site: Site, servers: number): readonly string[] {
  const streams = streamPools(site);
  return [
    'listening sockets by private Unix sockets',
    `the ${servers} servers by ones that say who they are`,
    ...(site.accessLog === null ? [] : ['the access log by none']),
    ...(site.pools.some(({ tls, proxyProtocol }) => tls !== null || proxyProtocol !== null)
      ? ['TLS and PROXY protocol to servers by plain connections']
      : []),
    ...(site.pools.some(({ name, healthCheck }) => healthCheck.http && streams.has(name))
      ? ['health checks over HTTP of TCP pools by connections']
      : []),
  ];
}

function standIn(pool: Pool): Server {
  const check = pool.healthCheck.http;
  return createServer((asked, answer) => {
    answer.setHeader(poolHeader, pool.name);
    if (check && asked.url === check.path) answer.statusCode = check.expectStatus[0]?.from ?? 200;
    const { header, body } = check?.identity ?? {};
    if (header) answer.setHeader(header.name, header.value);
    answer.end([check?.expectBody ?? '', body ?? ''].join('\n'));
  });
}

/** Says who it is to whoever connects, and reads whatever comes. */
function streamStandIn({ name }: Pool): Server {
  return createStreamServer((socket) => {
    socket.on('error', () => socket.destroy()).resume();
    socket.write(`pool ${name}\n`);
  });
}

function listening(server: Server, path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(path, () => {
      chmodSync(path, 0o666);
      resolve(server);
    });
  });
}

async function askWitnesses(site: Site, entrance: string): Promise<RehearsalResult['witnesses']> {
  const asked: RehearsalResult['witnesses'][number][] = [];
  for (const { listener, rule, request } of witnesses(routeOf(site))) {
    const expected = expectedOf(listener, rule, request);
    const got = await askEntrance(entrance, request, witnessMsMax).then(
      (answer) => (answer.headers[poolHeader] ? `pool ${answer.headers[poolHeader]}` : saidBy(answer)),
      (error) => messageOf(error),
    );
    const [first = ''] = expected;
    const wanted = expected.length > 1 ? `one of ${expected.join(', ')}` : first;
    asked.push({ request: describeRequest(request), expected: wanted, got, ok: expected.includes(got) });
  }
  return asked;
}

async function askStreams(site: Site, entrance: string): Promise<RehearsalResult['witnesses']> {
  const asked: RehearsalResult['witnesses'][number][] = [];
  for (const witness of streamWitnesses(streamsOf(site))) {
    const expected = witness.rule.shares.map(({ pool }) => `pool ${pool}`);
    const got = await whoAnswers(entrance, witness, witnessMsMax).catch(messageOf);
    const wanted = expected.length > 1 ? `one of ${expected.join(', ')}` : (expected[0] ?? '');
    asked.push({ request: describeStream(witness), expected: wanted, got, ok: expected.includes(got) });
  }
  return asked;
}

/** What the rehearsal may see of it: any one of these. */
function expectedOf(listener: RoutedListener, rule: Rule, request: Request): readonly string[] {
  const limits = [listener.access, rule.filters?.access ?? null];
  // Witnesses may be more than one client may ask at once.
  const tooOften = limits.some((access) => access?.rate) ? ['status 429'] : [];
  const refused = limits.map((access) => refusalOf(access, request)).find((answer) => answer !== null);
  return [...said(refused ?? outcomeOf(rule.action, request)), ...tooOften];
}

function said(outcome: Outcome): readonly string[] {
  switch (outcome.kind) {
    case 'pools':
      return outcome.pools.map((pool) => `pool ${pool}`);
    case 'redirect':
      return [`status ${outcome.status} to ${outcome.location}`];
    case 'answer':
      return [`status ${outcome.status}`];
    case 'reject':
      return ['socket hang up'];
  }
}
