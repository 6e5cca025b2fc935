/** Kill -9 and SIGSTOP of every process of a balancer, at every moment that matters, on real HAProxy under load. */

import { readdirSync } from 'node:fs';
import { type HolderClient, type HolderStatus, holderClient } from '../src/agent/holder/protocol.ts';
import { identify } from '../src/base/process.ts';
import { type LoadPlan, type RequestRecord, startLoadProcess, usualLoad } from '../test/world/load.ts';
import { type Origin, startOrigin } from '../test/world/origins.ts';
import { patientCheck, shopText } from '../test/world/shop.ts';
import { freePort, type Stack, startStack, textOf, until } from '../test/world/stack.ts';
import { killControllers } from './kill/controller.ts';
import { type Proof, prove } from './proof.ts';

/** Together about 800 a second. */
const loads = [
  { kind: 'new', ratePerSecond: 400 },
  { kind: 'kept', ratePerSecond: 400 },
] as const satisfies readonly Partial<LoadPlan>[];
/** A request that began this long after an engine's death must find another. */
const takenOverMsMax = 50;
/** What an origin takes for an answer: so that there is always something in flight. */
const answerMs = 20;
const comesBackMsMax = 20_000;

type Who = 'agent' | 'holder' | 'active' | 'standby' | 'candidate';
/** Where the candidate stands when the blow falls. */
type Moment = 'none' | 'parked' | 'half' | 'alone' | 'promoting';

interface Case {
  readonly name: string;
  readonly who: readonly Who[];
  readonly moment: Moment;
  /** How long after it was told to promote. A promotion starts a new way back, hands over, and retires the old one. */
  readonly intoMs?: number;
  readonly signal: 'SIGKILL' | 'SIGSTOP';
  /** `none`; or at most what was in flight in an engine that died; or whatever hung in an engine that was stopped. */
  readonly lost: 'none' | 'in flight' | 'hung';
}

const kill = { signal: 'SIGKILL' } as const;
const stop = { signal: 'SIGSTOP' } as const;
const promotions: readonly Case[] = ([['agent'], ['holder'], ['agent', 'holder']] as const).flatMap((who) =>
  [3, 60, 150, 250, 400].map((intoMs) => ({
    name: `${who.join(' and ')}, ${intoMs} ms into a promotion`,
    who,
    moment: 'promoting',
    intoMs,
    lost: 'none',
    ...kill,
  })),
);
const cases: readonly Case[] = [
  { name: 'agent, no change', who: ['agent'], moment: 'none', lost: 'none', ...kill },
  { name: 'agent, in a slice', who: ['agent'], moment: 'half', lost: 'none', ...kill },
  { name: 'agent, candidate alone', who: ['agent'], moment: 'alone', lost: 'none', ...kill },
  { name: 'holder, no change', who: ['holder'], moment: 'none', lost: 'none', ...kill },
  { name: 'holder, in a slice', who: ['holder'], moment: 'half', lost: 'none', ...kill },
  { name: 'holder, candidate alone', who: ['holder'], moment: 'alone', lost: 'none', ...kill },
  { name: 'agent and holder, no change', who: ['agent', 'holder'], moment: 'none', lost: 'none', ...kill },
  { name: 'agent and holder, in a slice', who: ['agent', 'holder'], moment: 'half', lost: 'none', ...kill },
  {
    name: 'agent and holder, candidate alone',
    who: ['agent', 'holder'],
    moment: 'alone',
    lost: 'none',
    ...kill,
  },
  { name: 'candidate, parked', who: ['candidate'], moment: 'parked', lost: 'none', ...kill },
  { name: 'candidate, in a slice', who: ['candidate'], moment: 'half', lost: 'in flight', ...kill },
  { name: 'candidate, alone', who: ['candidate'], moment: 'alone', lost: 'in flight', ...kill },
  { name: 'standby', who: ['standby'], moment: 'none', lost: 'none', ...kill },
  { name: 'active, no change', who: ['active'], moment: 'none', lost: 'in flight', ...kill },
  { name: 'active, in a slice', who: ['active'], moment: 'half', lost: 'in flight', ...kill },
  { name: 'active, candidate alone', who: ['active'], moment: 'alone', lost: 'in flight', ...kill },
  { name: 'active and agent', who: ['active', 'agent'], moment: 'none', lost: 'in flight', ...kill },
  { name: 'active and holder', who: ['active', 'holder'], moment: 'none', lost: 'in flight', ...kill },
  { name: 'agent hangs in a slice', who: ['agent'], moment: 'half', lost: 'none', ...stop },
  { name: 'agent hangs, candidate alone', who: ['agent'], moment: 'alone', lost: 'none', ...stop },
  { name: 'holder hangs in a slice', who: ['holder'], moment: 'half', lost: 'none', ...stop },
  { name: 'holder hangs, candidate alone', who: ['holder'], moment: 'alone', lost: 'none', ...stop },
  { name: 'candidate hangs in a slice', who: ['candidate'], moment: 'half', lost: 'hung', ...stop },
  { name: 'candidate hangs, alone', who: ['candidate'], moment: 'alone', lost: 'hung', ...stop },
  ...promotions,
];

interface Field {
  readonly stack: Stack;
  readonly http: number;
  readonly origin: Origin;
  readonly holder: HolderClient;
}

async function openField(): Promise<Field> {
  const origin = await startOrigin({ name: 'web', delayMs: answerMs });
  const http = await freePort();
  const stack = await startStack({ siteText: siteText(http, origin), engine: 'haproxy' });
  return { stack, http, origin, holder: holderClient(`${stack.run}/holder.sock`) };
}

/** Another name of the server makes another text: a candidate as good as what it is to replace. */
function siteText(http: number, origin: Origin, server = 'one'): (folder: string) => string {
  return (folder) =>
    shopText(
      {
        http,
        https: null,
        engine: 'haproxy',
        servers: [{ name: server, port: origin.port }],
        healthCheck: patientCheck,
      },
      folder,
    );
}

async function closeField(field: Field): Promise<void> {
  field.holder.close();
  await field.stack.stop();
  await field.origin.close();
}

/** Renews the exposure as a controller does, whatever answers. */
function keepExposed({ stack }: Field, change: string, share: number): () => void {
  const renew = () =>
    void stack.call('expose', { change, share, leaseMs: 3_000, requestsMax: null }, 1_000).catch(() => {});
  renew();
  const timer = setInterval(renew, 500);
  return () => clearInterval(timer);
}

/** Brings the candidate to where the case wants it; returns how to let it be. */
async function arrange(field: Field, { moment }: Case, change: string): Promise<() => void> {
  if (moment === 'none') return () => {};
  const { stack, holder, http, origin } = field;
  await stack.call('candidate', {
    site: textOf(siteText(http, origin, `for-${change}`)(stack.folder), stack.folder),
    change,
  });
  if (moment === 'parked') return () => {};
  const end = keepExposed(field, change, moment === 'half' ? 0.25 : 1);
  await new Promise((resolve) => setTimeout(resolve, 600));
  const sides = moment === 'half' ? { active: 'accepting' } : { active: 'parked' };
  await until(`the candidate is exposed (${moment})`, async () => {
    const { generations } = await holder.call('status', {}, 500);
    return (
      generations.some((g) => g.role === 'candidate' && g.side === 'accepting') &&
      generations.some((g) => g.role === 'active' && g.side === sides.active)
    );
  });
  return end;
}

async function pidsOf({ stack, holder }: Field, who: readonly Who[]): Promise<number[]> {
  const status = await holder.call('status', {}, 500);
  return who.map((one) => {
    if (one === 'agent') return stack.agent().pid ?? 0;
    if (one === 'holder') return status.pid;
    const found = status.generations.find((g) => g.role === one);
    if (!found) throw new Error(`no ${one}`);
    return found.pid;
  });
}

interface Blow {
  readonly at: number;
  /** When the last of them was gone; for SIGSTOP the same. */
  readonly doneAt: number;
}

async function strike(pids: readonly number[], signal: Case['signal']): Promise<Blow> {
  const at = performance.timeOrigin + performance.now();
  for (const pid of pids) process.kill(pid, signal);
  while (signal === 'SIGKILL' && pids.some(hasThreads)) await new Promise((resolve) => setImmediate(resolve));
  return { at, doneAt: performance.timeOrigin + performance.now() };
}

/** Its sockets are closed when the last of its threads has ended, not the first. */
function hasThreads(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).some((thread) => identify(Number(thread)) !== null);
  } catch {
    return false;
  }
}

/** One active that accepts, one parked standby, no candidate: by itself. */
function isWhole({ active, generations }: HolderStatus): boolean {
  const serving = generations.filter((g) => g.role !== 'draining');
  const [first, second, ...more] = serving.toSorted((a, b) => a.role.localeCompare(b.role));
  return (
    more.length === 0 &&
    first?.role === 'active' &&
    first.generation === active &&
    first.side === 'accepting' &&
    second?.role === 'standby' &&
    second.side === 'parked'
  );
}

async function untilWhole(field: Field, since: number): Promise<number | null> {
  const { holder } = field;
  try {
    await until('the whole', async () => isWhole(await holder.call('status', {}, 500)), comesBackMsMax);
  } catch {
    return null;
  }
  return performance.timeOrigin + performance.now() - since;
}

/** What a hung process needs before the system can be whole again, and how the candidate fared meanwhile. */
async function afterStop(proof: Proof, field: Field, { who }: Case, pids: readonly number[], at: number) {
  const { stack, holder } = field;
  if (who[0] === 'agent') {
    const { expired } = await until('the lease runs out', async () => {
      const status = await holder.call('status', {}, 500);
      return status.expired.length > 0 && status;
    });
    proof.holds('  the holder ended the lease by itself', `${expired.length}`, '1', expired.length === 1);
    proof.atMost('  lease ended after, ms', performance.timeOrigin + performance.now() - at, 1_000);
    // Nobody but an operator, or systemd's watchdog, ends a hung agent.
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await stack.startAgent();
  }
}

async function runCase(proof: Proof, field: Field, one: Case, number: number): Promise<boolean> {
  const { stack, http } = field;
  const change = `kill-${number}`;
  proof.say(`${one.signal} ${one.name}`);
  const running = await Promise.all(
    loads.map((load) =>
      startLoadProcess({ ...usualLoad, ...load, port: http, hostname: 'shop.example', expectBody: 'web' }),
    ),
  );
  let pids: readonly number[] = [];
  let end = () => {};
  try {
    end = await arrange(field, one, change);
    await new Promise((resolve) => setTimeout(resolve, 300));
    pids = await pidsOf(field, one.who);
    if (one.intoMs !== undefined) {
      // Whoever is killed does not answer.
      stack.call('promote', { change }).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, one.intoMs));
    }
    const blow = await strike(pids, one.signal);
    if (one.who.includes('agent') && one.signal === 'SIGKILL') await stack.startAgent();
    if (one.signal === 'SIGSTOP') await afterStop(proof, field, one, pids, blow.at);
    const backMs = await untilWhole(field, blow.at);
    end();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const results = await Promise.all(running.map((load) => load.stop()));
    const records = results.flatMap((r) => r.records);
    judge(proof, one, records, blow);
    proof.atMost(
      '  one active, one standby, no candidate again after, ms',
      backMs ?? Infinity,
      comesBackMsMax,
    );
    if (one.signal === 'SIGSTOP') await untilGone(proof, pids, one);
    await tellDeaths(proof, field, one);
    return backMs !== null;
  } finally {
    end();
    for (const load of running) load.kill();
    for (const pid of pids) resume(pid);
  }
}

/** A dying process closes its connections one after the other, and two processes' clocks are compared. */
const seenLateMs = 10;

function judge(proof: Proof, { lost }: Case, records: readonly RequestRecord[], { at, doneAt }: Blow): void {
  const failed = records.filter((r) => r.outcome !== 'ok');
  const inFlight = records.filter((r) => r.sentAt <= doneAt + seenLateMs && r.endedAt >= at).length;
  const late = failed.filter((r) => r.sentAt > doneAt + takenOverMsMax);
  const before = failed.filter((r) => r.endedAt < at);
  const kinds = Map.groupBy(failed, (r) => r.outcome);
  const faults = [...kinds].map(([outcome, all]) => `${outcome} ${all.length}`).join(', ');
  const waited = Math.max(...records.filter((r) => r.sentAt >= at - 100).map((r) => r.endedAt - r.sentAt));
  const name = `  failed of ${records.length}${faults && `: ${faults}`}`;
  if (lost === 'none') proof.atMost(name, failed.length, 0);
  if (lost === 'in flight') {
    proof.atMost(`${name} (${inFlight} were in flight)`, failed.length, inFlight);
    proof.atMost(`  failed that began ${takenOverMsMax} ms after the death or later`, late.length, 0);
  }
  if (lost === 'hung') {
    proof.tell(name, failed.length);
    const last = Math.max(0, ...failed.map((r) => r.sentAt - at));
    proof.atMost('  the last one that was lost began after, ms', last, 1_000);
  }
  proof.atMost('  failed before the blow', before.length, 0);
  proof.tell('  longest a request took from then on, ms', waited);
}

async function untilGone(proof: Proof, pids: readonly number[], { who }: Case): Promise<void> {
  for (const pid of pids) {
    const gone = await until('it is gone', async () => identify(pid) === null, 5_000).catch(() => false);
    proof.holds(`  the ${who.join()} that hung was ended`, gone ? 'yes' : 'no', 'yes', gone === true);
  }
}

async function tellDeaths(proof: Proof, field: Field, { who, signal }: Case): Promise<void> {
  if (signal === 'SIGSTOP' || !who.includes('active')) return;
  const { deaths } = await field.holder.call('status', {}, 500);
  const death = deaths.findLast((d) => d.role === 'active');
  proof.holds(
    '  the standby took over',
    death?.takenOverBy == null ? 'no' : `generation ${death.takenOverBy}`,
    'a generation',
    death?.takenOverBy != null,
  );
  if (death?.tookOverMs != null) proof.atMost('  after, ms', death.tookOverMs, takenOverMsMax);
}

function resume(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It has ended, as it should.
  }
}

const only = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length);

await prove('kill', async (proof) => {
  let field = await openField();
  try {
    for (const [number, one] of cases.entries()) {
      if (only !== undefined && !one.name.includes(only)) continue;
      if (await runCase(proof, field, one, number)) continue;
      await closeField(field);
      field = await openField();
    }
  } finally {
    await closeField(field);
  }
  if (only === undefined || 'controller'.startsWith(only)) await killControllers(proof);
});
