import { type Clock, messageOf } from '#base';
import { type EngineControl, inMaintenance } from '#engines';
import { type Pool, routeOf, type Server, type Site } from '#model';
import { askEntrance, askServer, describeRequest, probeServer } from '#probe';
import { changedPath, outcomeOf, type Request, refusalOf, type Witness, witnesses } from '#routing';

/**
 * The proof that rungs 2 to 4 ask for: servers that are good when asked directly, bad through this engine, by the same
 * request. A database that dies after a good change makes the servers bad when asked directly, and proves nothing.
 */

/** A server that answered directly within the first has had its answer passed on within the second. */
const directMsMax = 1_000;
const throughMsMax = 2_000;
const witnessesMax = 4;
const serversMax = 32;
/** Between one look and the next: what was bad once may have been a moment's. */
const againMs = 300;
const safeMethods: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];
/** What an engine answers by a limit, and a server by who asks: no reason to call either wrong. */
const excused: readonly number[] = [401, 403, 407, 408, 411, 413, 429];

export interface Suspect {
  /** The Unix socket of its private entrance. */
  readonly entrance: string;
  readonly site: Site;
  readonly clock: Clock;
  /** For a server's own answer, and for one through the engine; absent: a second, and two. */
  readonly directMs?: number;
  readonly throughMs?: number;
}

export type Seen =
  | { readonly kind: 'serves' }
  /**
   * `pools`: whose servers are good, and through it answer 500 and above; empty where no server comes into it. `silent`:
   * nothing came that could be read.
   */
  | {
      readonly kind: 'at fault';
      readonly proof: string;
      readonly pools: readonly Pool[];
      readonly silent: boolean;
    }
  /** The servers are bad too, or nothing can be asked: there is no proof of anything. */
  | { readonly kind: 'not known' };

const notKnown: Seen = { kind: 'not known' };

/** Asks it once: one request for each of the first pools. One answer that is right shows that it serves. */
export async function look(suspect: Suspect): Promise<Seen> {
  const asked = chosen(suspect.site).map(async (witness) => {
    const seen = await judge(suspect, witness);
    if (seen.kind === 'serves') return seen;
    throw seen;
  });
  try {
    return await Promise.any(asked);
  } catch (error) {
    const all = error instanceof AggregateError ? (error.errors as Seen[]) : [];
    return all.find(({ kind }) => kind === 'at fault') ?? notKnown;
  }
}

/**
 * What proves that an engine is at fault, in a sentence; null: nothing does. An engine may have its reasons for a 503 that the
 * servers do not give any more: its checks have not risen yet, its circuit breaker is open. Of one that `serves` it is waited
 * until that time is over. One that is `new`, for whom somebody waits, then passes; and its silence is proof at once.
 */
export async function faultOf(
  suspect: Suspect,
  control: Pick<EngineControl, 'evidence' | 'servers'>,
  which: 'serves' | 'new',
): Promise<string | null> {
  const { clock } = suspect;
  const beganMs = clock.monotonicMs();
  for (let looks = 1; ; looks += 1) {
    const seen = await look(suspect);
    if (seen.kind !== 'at fault') return null;
    const patienceMs = await explainedForMs(seen.pools, control);
    if (patienceMs > 0 && (which === 'new' || patienceMs === Number.POSITIVE_INFINITY)) return null;
    const isEnough = looks > 1 || (which === 'new' && seen.silent);
    if (isEnough && clock.monotonicMs() - beganMs >= patienceMs) return seen.proof;
    await clock.sleep(againMs);
  }
}

const chosenOf = new WeakMap<Site, readonly Witness[]>();

/** What a team's own text does with a request is not known well enough. */
function chosen(site: Site): readonly Witness[] {
  if (site.own) return [];
  const known = chosenOf.get(site);
  if (known) return known;
  // By the private entrance nobody shows a certificate.
  const safe = witnesses(routeOf(site)).filter(
    ({ listener, request }) => safeMethods.includes(request.method) && listener.clientCertificate !== 'told',
  );
  const target = ({ rule, request }: Witness) => JSON.stringify(outcomeOf(rule.action, request));
  const first = [...Map.groupBy(safe, target).values()].flatMap(([one]) => one ?? []).slice(0, witnessesMax);
  chosenOf.set(site, first);
  return first;
}

interface Came {
  /** 0: none. */
  readonly status: number;
  readonly said: string;
}

async function judge(suspect: Suspect, witness: Witness): Promise<Seen> {
  const { entrance, site, throughMs = throughMsMax } = suspect;
  const { rule, request } = witness;
  const through = await askEntrance(entrance, request, throughMs).then(
    ({ status }): Came => ({ status, said: `${status}` }),
    (error): Came => ({ status: 0, said: messageOf(error) }),
  );
  const fault = (instead: string, pools: readonly Pool[] = []): Seen => ({
    kind: 'at fault',
    proof: `${describeRequest(request)}: ${through.said} through it, ${instead}`,
    pools,
    silent: through.status === 0,
  });
  const meant = meantBy(witness);
  if (meant !== null) {
    if (through.status === meant || excused.includes(through.status)) return { kind: 'serves' };
    return fault(`and ${meant} is the site's own answer`);
  }
  if (through.status > 0 && through.status < 400) return { kind: 'serves' };
  const outcome = outcomeOf(rule.action, request);
  const names = outcome.kind === 'pools' ? outcome.pools : [];
  const pools = site.pools.filter(({ name }) => names.includes(name));
  const direct = await Promise.all(pools.map((pool) => askDirectly(pool, asServersSeeIt(witness), suspect)));
  if (pools.length === 0) return notKnown;
  const verdicts = direct.map((answers) => compare(through, answers));
  if (verdicts.includes('serves')) return { kind: 'serves' };
  if (!verdicts.every((verdict) => verdict === 'at fault')) return notKnown;
  const [one] = direct.flat().filter(isUsable(direct.flat()));
  return fault(`and ${one?.status} from ${one?.name} asked directly`, through.status >= 500 ? pools : []);
}

/** What the site answers without a server; null: a server has to. */
function meantBy({ listener, rule, request }: Witness): number | null {
  const refused = refusalOf(listener.access, request) ?? refusalOf(rule.filters?.access ?? null, request);
  if (refused) return refused.status;
  const outcome = outcomeOf(rule.action, request);
  return outcome.kind === 'redirect' || outcome.kind === 'answer' ? outcome.status : null;
}

function asServersSeeIt({ rule, request }: Witness): Request {
  const { rewrite = null, requestHeaders = null } = rule.filters ?? {};
  const kept = Object.entries(request.headers).filter(
    ([name]) => !requestHeaders?.remove.some((gone) => gone.toLowerCase() === name.toLowerCase()),
  );
  const more = [...(requestHeaders?.set ?? []), ...(requestHeaders?.add ?? [])];
  return {
    ...request,
    host: rewrite?.hostname ?? request.host,
    path: changedPath(rewrite?.path ?? null, request.path),
    headers: Object.fromEntries([...kept, ...more.map(({ name, value }) => [name, value] as const)]),
  };
}

interface Direct {
  /** `web/one` */
  readonly name: string;
  /** As its health check has it: an engine would send it requests. */
  readonly healthy: boolean;
  /** Of the very request; 0: none. */
  readonly status: number;
}

function askDirectly(pool: Pool, request: Request, suspect: Suspect): Promise<readonly Direct[]> {
  const asked = pool.servers.filter(({ maintenance }) => !maintenance).slice(0, serversMax);
  return Promise.all(asked.map((server) => askOne(pool, server, request, suspect)));
}

async function askOne(
  pool: Pool,
  server: Server,
  request: Request,
  { clock, directMs = directMsMax }: Suspect,
): Promise<Direct> {
  const late = new AbortController();
  const [healthy, status] = await Promise.all([
    Promise.race([
      probeServer(server, pool, clock).then(({ ok }) => ok),
      clock.sleep(directMs, late.signal).then(
        () => false,
        () => false,
      ),
    ]),
    askServer(server, pool, request, directMs).catch(() => 0),
  ]);
  late.abort();
  return { name: `${pool.name}/${server.name}`, healthy, status };
}

/** An engine sends nothing to servers that are not well; where all of them are not, it may try each. */
function isUsable(all: readonly Direct[]): (one: Direct) => boolean {
  return all.some(({ healthy }) => healthy) ? ({ healthy }) => healthy : () => true;
}

/** One server that answers as badly as the engine did may be the one that it asked. */
function compare({ status }: Came, all: readonly Direct[]): 'serves' | 'at fault' | 'not known' {
  const asked = all.filter(isUsable(all));
  const every = (good: (direct: number) => boolean) =>
    asked.length > 0 && asked.every((one) => one.status > 0 && good(one.status));
  if (status === 0) return every(() => true) ? 'at fault' : 'not known';
  const healthy = asked.some((one) => one.healthy);
  if (status >= 500) return healthy && every((direct) => direct < 500) ? 'at fault' : 'not known';
  if (excused.includes(status) || asked.some((one) => one.status === status)) return 'serves';
  return healthy && every((direct) => direct < 400) ? 'at fault' : 'not known';
}

/**
 * For how long good servers may still be answered for with 503 by an engine that does as it is told, in milliseconds; infinite
 * where people or a queue are the reason.
 */
async function explainedForMs(
  pools: readonly Pool[],
  control: Pick<EngineControl, 'evidence' | 'servers'>,
): Promise<number> {
  if (pools.length === 0) return 0;
  const evidence = await control.evidence(directMsMax).catch(() => null);
  const waits = pools.map(async (pool) => {
    const breakerMs = pool.circuitBreaker ? pool.circuitBreaker.openMs + pool.circuitBreaker.windowMs : 0;
    const told = evidence?.pools.find((one) => one.pool === pool.name);
    if (!told) return breakerMs;
    if (told.queued > 0) return Number.POSITIVE_INFINITY;
    if (told.serversLive > 0) return breakerMs;
    const isDown = await areDownByChecks(pool, control);
    return isDown ? Math.max(breakerMs, risesInMs(pool)) : Number.POSITIVE_INFINITY;
  });
  return Math.max(...(await Promise.all(waits)));
}

/** And not because somebody took them out, or gave them no weight. */
async function areDownByChecks(pool: Pool, control: Pick<EngineControl, 'servers'>): Promise<boolean> {
  const servers = await control.servers(directMsMax).catch(() => []);
  const out = pool.servers.filter(({ maintenance }) => maintenance).map(({ name }) => name);
  const told = servers.filter((one) => one.pool === pool.name && !out.includes(one.server));
  return told.length > 0 && told.every((one) => one.state === 'down' && one.lastCheck !== inMaintenance);
}

/** Twice what its checks need to see that a server is back. */
function risesInMs({ healthCheck: { rise, intervalMs, timeoutMs } }: Pool): number {
  return 2 * ((rise + 1) * intervalMs + timeoutMs);
}
