import { join } from 'node:path';
import { type Clock, messageOf } from '#base';
import type { RealAnswer, RealAnswers } from '#contract';
import type { Installed, ServerEvidence } from '#engines';
import type { WitnessView } from '#events';
import { hostPort, type Site } from '#model';
import { askAt } from '#probe';
import type { Request } from '#routing';
import type { Fleet } from './fleet.ts';
import { untilWarm } from './launch.ts';
import { rewrittenLine } from './own-words.ts';
import { inSandbox, type Sandbox } from './sandbox-process.ts';

/** All of it, the starts included. */
const allMsMax = 60_000;
const answerMsMax = 5_000;
const roundsMax = 3;
/** An engine counts a request a moment after it has answered it. */
const countedAgainMs = 10;
const countedTimesMax = 8;
const statusMsMax = 2_000;

export interface Played {
  readonly by: Installed;
  readonly site: Site;
}

/**
 * Requests of the past by the candidate's text and by the last good one, each in a sandbox of its own and at the same moment, on
 * to the real servers. Nobody but they hears of them. @throws Failure HF303: the candidate does not start
 */
export async function askReal(
  fleet: Fleet,
  candidate: Played,
  incumbent: Played,
  recent: readonly WitnessView[],
): Promise<RealAnswers> {
  const { clock } = fleet.options;
  const deadline = clock.monotonicMs() + allMsMax;
  return await play(fleet, candidate, async (one) => {
    const replaced = replacedFor(candidate.site, one.sandbox);
    try {
      return await play(fleet, incumbent, async (other) => {
        const asked: RealAnswers['asked'][number][] = [];
        for (const witness of recent) asked.push(await askBoth(witness, { one, other }, { clock, deadline }));
        return { asked, replaced };
      });
    } catch (error) {
      const unasked = `what runs, in a sandbox: ${messageOf(error)}`;
      return { asked: recent.map((witness) => ({ witness, rounds: [], unasked })), replaced };
    }
  });
}

/** One engine, and what its servers have had so far. */
interface Playing {
  readonly site: Site;
  readonly sandbox: Sandbox;
  had: ReadonlyMap<string, number>;
}

async function play<T>(
  fleet: Fleet,
  { by, site }: Played,
  use: (playing: Playing) => Promise<T>,
): Promise<T> {
  const quiet = withoutCopies(site);
  const where = { folder: fleet.scratch(), servers: null, replays: true } as const;
  return await inSandbox(fleet, by, quiet, where, async (sandbox) => {
    const had = countsOf(await untilWarm(sandbox.control, fleet.options.clock));
    return await use({ site: quiet, sandbox, had });
  });
}

function withoutCopies(site: Site): Site {
  const quiet = ({ filters, ...route }: Site['routes'][number]) => ({
    ...route,
    filters: { ...filters, mirror: null },
  });
  return { ...site, routes: site.routes.map(quiet) };
}

function replacedFor(site: Site, { prepared }: Sandbox): readonly string[] {
  if (prepared.own) return prepared.own.rewritten.map(rewrittenLine);
  return [
    'listening sockets by private Unix sockets',
    'what is counted of clients by counters of its own',
    ...(site.accessLog === null ? [] : ['the access log by none']),
    ...(site.routes.some(({ filters }) => filters.mirror !== null)
      ? ['copies of requests (mirror) by none']
      : []),
  ];
}

async function askBoth(
  witness: WitnessView,
  { one, other }: { readonly one: Playing; readonly other: Playing },
  { clock, deadline }: { readonly clock: Clock; readonly deadline: number },
): Promise<RealAnswers['asked'][number]> {
  const rounds: { candidate: RealAnswer; incumbent: RealAnswer }[] = [];
  while (rounds.length < roundsMax) {
    const leftMs = deadline - clock.monotonicMs();
    if (leftMs < answerMsMax)
      return { witness, rounds: [], unasked: 'the time for it was over before it was asked' };
    const [candidate, incumbent] = await Promise.all([
      askOne(one, witness, clock),
      askOne(other, witness, clock),
    ]);
    rounds.push({ candidate, incumbent });
    if (areAlike(candidate, incumbent)) break;
  }
  return { witness, rounds };
}

function areAlike(a: RealAnswer, b: RealAnswer): boolean {
  const classOf = ({ status }: RealAnswer) => Math.floor(status / 100);
  return classOf(a) === classOf(b) && a.location === b.location && a.server?.pool === b.server?.pool;
}

async function askOne(playing: Playing, witness: WitnessView, clock: Clock): Promise<RealAnswer> {
  const { site, sandbox } = playing;
  const { port } = witness;
  const index = site.listeners.findIndex(
    (listener) => listener.port === port && listener.protocol === 'HTTP',
  );
  const listener = site.listeners[index];
  if (!listener || port === null)
    return { status: 0, location: null, server: null, why: `nobody listens on port ${port}` };
  // A text of a team's own has no entrance: it is asked where its listeners are.
  const { own } = site;
  const path = own ? join(sandbox.prepared.folder, `listen${index}.sock`) : sandbox.entrance;
  const how = {
    timeoutMs: answerMsMax,
    proxy: own?.dialect !== 'nginx',
    tls: own !== null && listener.tls !== null,
    whole: false,
  };
  try {
    const { status, headers } = await askAt(path, requestOf(witness, port), how);
    const { location } = headers;
    const server = await whoHadIt(playing, clock);
    return { status, location: typeof location === 'string' ? location : null, server };
  } catch (error) {
    const server = await whoHadIt(playing, clock);
    return { status: 0, location: null, server, why: messageOf(error) };
  }
}

function requestOf({ sourceAddress, scheme, host, ...rest }: WitnessView, port: number): Request {
  return {
    ...rest,
    port,
    host: host.replace(/:\d+$/, ''),
    headers: { ...rest.headers, host },
    scheme: scheme === 'https' ? 'https' : 'http',
    ...(sourceAddress === null ? {} : { sourceAddress }),
  };
}

/** Nobody else asks it, and it is asked one request after the other: so the server that has had one more has had this one. */
async function whoHadIt(playing: Playing, clock: Clock): Promise<RealAnswer['server']> {
  const { sandbox, site, had } = playing;
  for (let times = 0; times < countedTimesMax; times += 1) {
    if (times > 0) await clock.sleep(countedAgainMs);
    // Its answer comes after the lines of all requests before it.
    await sandbox.control.evidence(statusMsMax).catch(() => null);
    const servers = await sandbox.control.servers(statusMsMax).catch(() => null);
    if (!servers) return null;
    const more = servers.filter((one) => one.requests > (had.get(keyOf(one)) ?? 0));
    if (more.length === 0) continue;
    playing.had = countsOf(servers);
    const [only] = more;
    return more.length === 1 && only ? withAddress(site, only) : null;
  }
  return null;
}

const keyOf = ({ pool, server }: Pick<ServerEvidence, 'pool' | 'server'>) => `${pool}/${server}`;

function countsOf(servers: readonly ServerEvidence[]): ReadonlyMap<string, number> {
  return new Map(servers.map((one) => [keyOf(one), one.requests]));
}

function withAddress(site: Site, { pool, server }: ServerEvidence): RealAnswer['server'] {
  const found = site.pools.find(({ name }) => name === pool)?.servers.find(({ name }) => name === server);
  return { pool, server, address: found ? hostPort(found.host, found.port) : '' };
}
