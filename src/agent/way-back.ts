import { isIP } from 'node:net';
import { type Clock, messageOf } from '#base';
import type { WayBackResult } from '#contract';
import type { EngineControl, Evidence } from '#engines';
import { boundHost, isStream, type Listener, routeOf, type Site, streamsOf } from '#model';
import { askServer, askStream, describeRequest } from '#probe';
import {
  describeStream,
  mayAsk,
  type Request,
  type StreamWitness,
  streamWitnesses,
  witnesses,
} from '#routing';
import type { Fleet } from './fleet.ts';
import type { HeldGeneration } from './holder/protocol.ts';

const answerMsMax = 3_000;
const safe: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];
/** Waited only until it has counted: NGINX on a busy machine takes its time. */
const countedMsMax = 3_000;

/** What trying the way back needs of a fleet. */
export type WayBackFleet = Pick<Fleet, 'control'> & {
  readonly options: Pick<Fleet['options'], 'balancer' | 'clock'>;
};

/**
 * Whether the generation that a rollback would return to can carry the site now: it is read back as accepting, has live
 * servers in every pool, leads requests back when told, and answers a request on the public socket.
 */
export async function tryWayBack(
  fleet: WayBackFleet,
  site: Site,
  incumbent: HeldGeneration,
): Promise<WayBackResult> {
  const control = fleet.control(incumbent);
  const name = `generation ${incumbent.generation}`;
  const { tried, attempt } = attempts();
  await attempt(`${name} (last good, pid ${incumbent.pid}) says where it stands`, () => control.state(1_000));
  await attempt('its pools have live servers', () => liveServers(control));
  const first = site.own ? plainRequest(site, site.own.httpListener) : openRequests(site)[0];
  const stream = first ? undefined : streamWitnesses(streamsOf(site))[0];
  const what = first ? describeRequest(first) : stream && describeStream(stream);
  if (what !== undefined) {
    await attempt(`${what} on the public socket`, async () => {
      const { clock } = fleet.options;
      const before = await evidenceOf(control, clock, () => true);
      const status = first
        ? await askPublicly(fleet, site, first)
        : stream && (await askStreamPublicly(fleet, site, stream));
      // An engine counts a request when it has finished with it, which may be after the client has its answer.
      const after = await evidenceOf(control, clock, ({ requests }) => requests > before.requests);
      if (after.requests <= before.requests) throw new Error(`status ${status}, but not from ${name}`);
      return `status ${status} from ${name}`;
    });
  }
  return { ok: tried.every((t) => t.ok), generation: incumbent.generation, tried };
}

/** What is tried one after the other, each with its answer; none rejects. */
export function attempts() {
  const tried: WayBackResult['tried'][number][] = [];
  const attempt = async (what: string, work: () => Promise<string>): Promise<void> => {
    const [ok, answered] = await work().then(
      (said) => [true, said] as const,
      (error: unknown) => [false, messageOf(error)] as const,
    );
    tried.push({ what, ok, answered });
  };
  return { tried, attempt };
}

/** @throws Error when no pool has any. */
export async function liveServers(control: EngineControl): Promise<string> {
  const { pools } = await control.evidence(1_000);
  const dead = pools.filter((p) => p.serversAll > 0 && p.serversLive === 0).map((p) => p.pool);
  if (dead.length === pools.length && pools.length > 0)
    throw new Error(`no live server in ${dead.join(', ')}`);
  return pools.map((p) => `${p.pool} ${p.serversLive}/${p.serversAll}`).join(', ');
}

/** The first that is enough, else the last; one that could not be had, on a busy machine, is asked for again. */
export async function evidenceOf(
  control: EngineControl,
  clock: Clock,
  isEnough: (evidence: Evidence) => boolean,
): Promise<Evidence> {
  const deadline = clock.monotonicMs() + countedMsMax;
  for (;;) {
    const isLast = clock.monotonicMs() >= deadline;
    const evidence = await control.evidence(1_000).catch((error: unknown) => {
      if (isLast) throw error;
      return null;
    });
    if (evidence && (isLast || isEnough(evidence))) return evidence;
    await clock.sleep(10);
  }
}

/** We have no certificate to show: a listener that wants one cannot be asked from outside. */
export function openRequests(site: Site): readonly Request[] {
  const closed = new Set(site.listeners.flatMap(({ name, tls }) => (tls?.clients?.required ? [name] : [])));
  return witnesses(routeOf(site)).flatMap(({ listener, request }) =>
    closed.has(listener.name) || !safe.includes(request.method) ? [] : [request],
  );
}

/** Any answer to it says that the generation serves: what an own text does with a request is not known. */
export function plainRequest({ listeners }: Site, name: string | null): Request | undefined {
  const listener = listeners.find((l) => l.name === name);
  return (
    listener && {
      scheme: listener.tls ? 'https' : 'http',
      port: listener.port,
      method: 'GET',
      host: 'localhost',
      path: '/',
      query: '',
      headers: {},
    }
  );
}

export function askPublicly(fleet: WayBackFleet, site: Site, asked: Request): Promise<number> {
  const listener = site.listeners.find(
    (l) => l.port === asked.port && !isStream(l) && (l.tls !== null) === (asked.scheme === 'https'),
  );
  if (!listener) return Promise.reject(new Error('the listener is gone'));
  const reachable = reachableAt(fleet, listener);
  const name = isIP(asked.host) > 0 ? null : asked.host;
  const certificates = { authorities: null, verify: false, certificate: null, place: listener.place };
  const told = isTold(listener, reachable);
  const way = {
    tls: listener.tls === null ? null : { ...certificates, name },
    proxyProtocol: told ? ('v1' as const) : null,
  };
  return askServer({ host: reachable, port: listener.port }, way, asked, answerMsMax);
}

/** Also when its server closes it at once: that the connection came is what the counters say. */
async function askStreamPublicly(fleet: WayBackFleet, site: Site, witness: StreamWitness): Promise<string> {
  const listener = site.listeners.find(({ name }) => name === witness.listener.name);
  if (!listener) throw new Error('the listener is gone');
  const host = reachableAt(fleet, listener);
  const first = isTold(listener, host)
    ? Buffer.from(`PROXY TCP4 ${host} ${host} 1024 ${listener.port}\r\n`)
    : null;
  return await askStream({ host, port: listener.port }, first, witness, answerMsMax).then(
    ({ kind }) => kind,
    messageOf,
  );
}

function reachableAt(fleet: WayBackFleet, listener: Listener): string {
  const host = boundHost(listener, fleet.options.balancer);
  return host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
}

/** We come from the address that we ask, or from one like it. */
function isTold({ proxyFrom }: Listener, address: string): boolean {
  return mayAsk({ deny: [], allow: proxyFrom })(address) && proxyFrom.length > 0;
}
