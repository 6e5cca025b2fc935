import { haproxyNames, netServerId } from '#dialects';
import { type Evidence, inMaintenance, type PoolEvidence, type ServerEvidence } from '../engine.ts';
import type { PoolTimes } from './pool-times.ts';
import { count, type StatRow, statReader } from './statistics.ts';

/** What the dialect adds to the site bears a prefix; everything else is a listener, pool or server of the site. */
const isOurs = (proxyOrServer: string) => proxyOrServer.startsWith(haproxyNames.prefix);

export const serversCommand = 'show stat -1 4 -1';
export const frontendsCommand = 'show stat -1 1 -1';
/** The net's servers, by their common id. */
export const netCommand = `show stat -1 4 ${netServerId}`;

/** Frontends, backends and the net's servers: cheap whatever the number of servers. */
export const evidenceCommands = ['show stat -1 3 -1', netCommand] as const;

const answers = ['hrsp_1xx', 'hrsp_2xx', 'hrsp_3xx', 'hrsp_4xx', 'hrsp_5xx', 'hrsp_other'] as const;
const columns = [
  'pxname',
  'svname',
  'type',
  'scur',
  'stot',
  'qcur',
  'econ',
  'eresp',
  'wretr',
  'wredis',
  'act',
  'mode',
  'dcon',
  'dses',
  'dreq',
  'req_tot',
  'qtime',
  'rtime',
  ...answers,
] as const;
type Row = StatRow<(typeof columns)[number]>;
const readEvidence = statReader(columns);

const kinds = { frontend: '0', backend: '1', server: '2' } as const;

/**
 * @param text the answers to `evidenceCommands`, one after the other
 * @param serversAll servers of each pool, which HAProxy's row for a pool does not tell
 * @param times what earlier answers said of the pools' times
 */
export function evidenceOf(
  text: string,
  serversAll: ReadonlyMap<string, number>,
  times: PoolTimes,
): Evidence {
  const rows = readEvidence(text);
  const frontends = rows.filter((row) => row.type === kinds.frontend);
  const visible = frontends.filter((row) => !isOurs(row.pxname));
  const pools = rows.filter(isPool).map((row) => poolEvidence(row, serversAll, times));
  const nets = rows.filter((row) => row.type === kinds.server);
  return {
    requests: sum(visible.map(finished)),
    errors:
      Math.min(
        sum(visible.map((row) => count(row.hrsp_5xx))),
        Math.max(0, sum(frontends.map((row) => count(row.hrsp_5xx))) - meant(rows)),
      ) + sum(rows.map(unserved)),
    clientErrors: Math.max(
      0,
      sum(visible.map((row) => count(row.hrsp_4xx) + refused(row))) - sum(rows.map(turnedAway)),
    ),
    connectionErrors: sum(pools.map((pool) => pool.connectionErrors)),
    retries: sum(pools.map((pool) => pool.retries)),
    responseErrors: sum(pools.map((pool) => pool.responseErrors)),
    netUses: sum(nets.map((row) => count(row.stot))),
    entranceRequests: sum(frontends.filter(isEntrance).map(finished)),
    connections: sum(visible.map((row) => count(row.scur))),
    inHand: sum([...visible, ...frontends.filter(isEntrance)].map(unanswered)),
    pools,
  };
}

/** Of a TCP frontend or backend: a connection counts when it begins, as it may last for days. */
function isStream({ mode }: Row): boolean {
  return mode === 'tcp';
}

/** Connections that no server took, of a TCP pool; those that a neighbour sent are among them. */
function unserved(row: Row): number {
  return isPool(row) && isStream(row) ? count(row.econ) + count(row.dreq) : 0;
}

/** Of these the frontend says that it refused them, but the pool had no room. */
function turnedAway(row: Row): number {
  return isPool(row) && isStream(row) ? count(row.dreq) : 0;
}

function isPool({ type, pxname }: Row): boolean {
  return type === kinds.backend && !isOurs(pxname);
}

/** Connections that a TCP listener refused: by network, by number, or because they said nothing that it takes. */
function refused(row: Row): number {
  return isStream(row) ? count(row.dcon) + count(row.dses) + count(row.dreq) : 0;
}

/** HAProxy counts an answer when it has ended, so their sum is the number of finished requests. */
function finished(row: Row): number {
  if (isStream(row))
    return count(row.stot) + (row.type === kinds.frontend ? count(row.dcon) + count(row.dses) : 0);
  return sum(answers.map((column) => count(row[column])));
}

/** A frontend counts a request when it has its headers, and its answer when that has ended. */
function unanswered(row: Row): number {
  return isStream(row) ? 0 : Math.max(0, count(row.req_tot) - finished(row));
}

function isEntrance({ pxname }: Row): boolean {
  return pxname === haproxyNames.entrance || pxname === haproxyNames.streamEntrance;
}

/** Answers of 500 and above that the site itself gives, such as a maintenance page: they are no errors. */
function meant(rows: readonly Row[]): number {
  const own = rows.filter((row) => row.type === kinds.backend && row.pxname.startsWith(haproxyNames.answer));
  return sum(own.map((row) => count(row.hrsp_5xx)));
}

function poolEvidence(row: Row, serversAll: ReadonlyMap<string, number>, times: PoolTimes): PoolEvidence {
  const requests = finished(row);
  // Not the time to connect: of a generation with little traffic each request may need a connection of its own.
  const meanMs = count(row.qtime) + count(row.rtime);
  return {
    pool: row.pxname,
    requests,
    errors: count(row.hrsp_5xx) + unserved(row),
    connectionErrors: count(row.econ),
    retries: count(row.wretr) + count(row.wredis),
    responseErrors: count(row.eresp),
    serversLive: count(row.act),
    serversAll: serversAll.get(row.pxname) ?? 0,
    queued: count(row.qcur),
    inHand: count(row.scur),
    ...(isStream(row) ? {} : { timedRequests: requests, timeMs: times.sum(row.pxname, requests, meanMs) }),
  };
}

const serverColumns = [
  'pxname',
  'svname',
  'status',
  'check_status',
  'check_code',
  'last_chk',
  'mode',
  'stot',
  'econ',
  'eresp',
  'rtime',
  ...answers,
] as const;

const readServers = statReader(serverColumns);

/**
 * @param text the answer to `serversCommand`
 * @param times what earlier answers said of the servers' times
 */
export function serversOf(text: string, times: PoolTimes | null = null): ServerEvidence[] {
  return readServers(text)
    .filter((row) => !isOurs(row.pxname) && !isOurs(row.svname))
    .map((row) => ({
      pool: row.pxname,
      server: row.svname,
      state: stateOf(row.status, row.check_status),
      lastCheck: lastCheckOf(row),
      ...(row.mode === 'tcp'
        ? { requests: count(row.stot), errors: count(row.econ) + count(row.eresp) }
        : {
            requests: sum(answers.map((column) => count(row[column]))),
            errors: count(row.hrsp_5xx),
            faults: count(row.econ) + count(row.eresp),
            ...timeOf(row, times),
          }),
    }));
}

function timeOf(
  row: StatRow<(typeof serverColumns)[number]>,
  times: PoolTimes | null,
): Pick<ServerEvidence, 'timeMs'> {
  if (times === null) return {};
  const requests = sum(answers.map((column) => count(row[column])));
  return { timeMs: times.sum(`${row.pxname}/${row.svname}`, requests, count(row.rtime)) };
}

/** `UP 1/3` is a server on its way down that still gets requests; `DOWN 1/2` the other way round. */
function stateOf(status: string, checkStatus: string): ServerEvidence['state'] {
  if (status.startsWith('MAINT') || status.startsWith('DOWN')) return 'down';
  // An own text may have servers that nobody checks: there is nothing to wait for.
  if (status === 'no check') return 'up';
  return checkStatus === '' || checkStatus.includes('INI') ? 'unknown' : 'up';
}

/** HAProxy marks a check that is under way with a star: what it says is the check before. */
function lastCheckOf(row: StatRow<'status' | 'check_status' | 'check_code' | 'last_chk'>): string {
  if (row.status.startsWith('MAINT (resolution)')) return 'the name does not resolve';
  // Drained by hand: it is well, and gets nothing new.
  if (row.status.startsWith('MAINT') || row.status.startsWith('DRAIN')) return inMaintenance;
  const code = row.last_chk.includes(row.check_code) ? '' : row.check_code;
  return [row.check_status.replace(/^\* /, ''), code, row.last_chk].filter((part) => part !== '').join(' ');
}

const readSpares = statReader(['pxname', 'svname', 'bck']);

/** How many servers each pool has; spare ones and the net are not counted, as HAProxy's `act` does not. */
export function serversPerPool(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { pxname, svname, bck } of readSpares(text))
    if (!isOurs(pxname) && !isOurs(svname) && bck !== '1') counts.set(pxname, (counts.get(pxname) ?? 0) + 1);
  return counts;
}

const readFrontends = statReader(['pxname', 'status']);
const readNets = statReader(['pxname', 'svname', 'status']);

/** Public frontends and how many of them accept. */
export function publicSideOf(text: string): { readonly open: number; readonly all: number } {
  const rows = readFrontends(text).filter((row) => !isOurs(row.pxname));
  return { open: rows.filter((row) => row.status === 'OPEN').length, all: rows.length };
}

/** Told to end gently: HAProxy has stopped its frontends. */
export function isStopping(text: string): boolean {
  return readFrontends(text).some((row) => row.status === 'STOP');
}

/** The net's servers: `POOL/SERVER`, and whether each may be used. */
export function netServersOf(text: string): readonly { readonly name: string; readonly on: boolean }[] {
  return readNets(text).map((row) => ({
    name: `${row.pxname}/${row.svname}`,
    on: !row.status.startsWith('MAINT'),
  }));
}

/** @param text the answer to `show table`: `# table: holdfast:rate-route-api-1000ms, type: ipv6, size:102400, used:7` */
export function ratesCounted(text: string): number {
  const tables = [...text.matchAll(/^# table: ([^,]+),.*\bused:(\d+)/gm)];
  return sum(tables.map(([, table = '', used]) => (table.startsWith(haproxyNames.rate) ? Number(used) : 0)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
