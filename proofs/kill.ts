/** Kill -9, SIGSTOP, SIGHUP and a full disk: every process of a balancer, at every moment that matters, on real engines under load. */
import { identify } from '../src/base/process.ts';
import { nginxFirstFd } from '../src/dialects/index.ts';
import { sideOf } from '../src/engines/nginx/epoll.ts';
import type { EngineName } from '../src/model/index.ts';
import { type LoadPlan, startLoadProcess, usualLoad } from '../test/world/load.ts';
import { until } from '../test/world/stack.ts';
import { type Case, cases } from './kill/cases.ts';
import { killControllers } from './kill/controller.ts';
import { fillDisk } from './kill/disk.ts';
import {
  arrange,
  childrenOf,
  closeField,
  type Field,
  hasThreads,
  isWhole,
  openField,
  pidsOf,
} from './kill/field.ts';
import { type Blow, judge, seenLateMs, takenOverMsMax } from './kill/judge.ts';
import { type Proof, prove } from './proof.ts';

const option = (name: string) =>
  process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3) ?? null;
/** A part of the names of cases, `disk` or `controller`; and one engine. */
const only = option('only');
const engineOnly = option('engine');
/** Requests a second of each kind: less for a machine that has others to serve. */
const ratePerSecond = Number(option('rate') ?? 400);

const loads = [
  { kind: 'new', ratePerSecond },
  { kind: 'kept', ratePerSecond },
] as const satisfies readonly Partial<LoadPlan>[];
/** Of a machine that others use too. */
const patient = { hostname: 'shop.example', expectBody: 'web', timeoutMs: 20_000 } as const;
const comesBackMsMax = 20_000;
/** As long as the agent remembers deaths. */
const engineTrialMs = 10_000;

async function strike(pids: readonly number[], signal: Case['signal']): Promise<Blow> {
  const at = performance.timeOrigin + performance.now();
  for (const pid of pids) process.kill(pid, signal);
  while (signal === 'SIGKILL' && pids.some(hasThreads)) await new Promise((resolve) => setImmediate(resolve));
  return { at, doneAt: performance.timeOrigin + performance.now() };
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
  const { engine, stack, http } = field;
  const change = `kill-${number}`;
  proof.say(`${engine}: ${one.signal} ${one.name}`);
  const running = await Promise.all(
    loads.map((load) => startLoadProcess({ ...usualLoad, ...load, ...patient, port: http })),
  );
  let pids: readonly number[] = [];
  let end = () => {};
  try {
    end = await arrange(field, one, change);
    await new Promise((resolve) => setTimeout(resolve, 300));
    pids = await pidsOf(field, one.who, one.signal);
    const workers = one.signal === 'SIGHUP' ? pids.flatMap(childrenOf) : [];
    if (one.intoMs !== undefined) {
      // Whoever is killed does not answer.
      stack.call('promote', { change }).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, one.intoMs));
    }
    const blow = await strike(pids, one.signal);
    if (one.who.includes('agent') && one.signal === 'SIGKILL') await stack.startAgent();
    if (one.signal === 'SIGSTOP') await afterStop(proof, field, one, pids, blow.at);
    if (one.signal === 'SIGHUP') await afterHangUp(proof, pids, workers, one);
    if (leavesCandidate(one)) await giveUp(field, change, end);
    const backMs = await untilWhole(field, blow.at);
    end();
    await new Promise((resolve) => setTimeout(resolve, 500));
    if (one.mayStay) for (const pid of pids) resume(pid);
    const results = await Promise.all(running.map((load) => load.stop()));
    judge(
      proof,
      one,
      results.flatMap((r) => r.records),
      blow,
    );
    proof.atMost(
      '  one active, one standby, no candidate again after, ms',
      backMs ?? Infinity,
      comesBackMsMax,
    );
    if (one.signal === 'SIGSTOP' && !one.mayStay) await untilGone(proof, pids, one);
    await tellDeaths(proof, field, one, blow.at);
    return backMs !== null;
  } finally {
    end();
    for (const load of running) load.kill();
    for (const pid of pids) resume(pid);
  }
}

/** What was struck is not missed: the change would go on. */
function leavesCandidate({ who, signal, moment }: Case): boolean {
  if (moment === 'none') return false;
  return signal === 'SIGHUP' || who.some((one) => one.startsWith('worker'));
}

/** Some time later, so that what the blow did to it can be seen. */
async function giveUp({ stack }: Field, change: string, end: () => void): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  end();
  await stack.call('rollback', { reason: 'measured', change }).catch(() => {});
}

async function afterHangUp(
  proof: Proof,
  pids: readonly number[],
  before: readonly number[],
  { moment, who }: Case,
): Promise<void> {
  // As long as a reload would take, and more.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const after = pids.flatMap(childrenOf);
  const isSame = after.join() === before.join();
  proof.holds('  its workers before and after', isSame ? 'the same' : 'others', 'the same', isSame);
  if (who[0] !== 'standby' && moment !== 'parked') return;
  // Read from the kernel: the holder only says what it wants.
  const sides = after.map((worker) => sideOf(worker, [nginxFirstFd]));
  const isParked = sides.length > 0 && sides.every((side) => side === 'parked');
  proof.holds('  its workers', sides.join(', '), 'parked', isParked);
}

async function untilGone(proof: Proof, pids: readonly number[], { who }: Case): Promise<void> {
  for (const pid of pids) {
    const gone = await until('it is gone', async () => identify(pid) === null).catch(() => false);
    proof.holds(`  the ${who.join()} that hung was ended`, gone ? 'yes' : 'no', 'yes', gone === true);
  }
}

async function tellDeaths(proof: Proof, field: Field, { who, signal }: Case, since: number): Promise<void> {
  if (signal !== 'SIGKILL' || !who.some((one) => one === 'active' || one === 'master of active')) return;
  const death = await until('the death is told', async () => {
    const { deaths } = await field.holder.call('status', {}, 500);
    return deaths.findLast((d) => d.role === 'active' && d.at >= since - seenLateMs);
  }).catch(() => null);
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

/** An engine that dies a third time within `engineTrialMs` is given up for another one; that is `prove:takeover`'s to show. */
async function untilTrusted({ holder }: Field): Promise<void> {
  const { deaths } = await holder.call('status', {}, 500);
  const last = Math.max(0, ...deaths.filter(({ role }) => role === 'active').map(({ at }) => at));
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, last + engineTrialMs - Date.now())));
}

async function runCases(proof: Proof, engine: EngineName, only: string | null): Promise<void> {
  const chosen = cases
    .filter((one) => one.engine === undefined || one.engine === engine)
    .filter(({ name, signal }) => only === null || `${signal} ${name}`.includes(only));
  if (chosen.length === 0) return;
  let field = await openField(engine);
  try {
    for (const [number, one] of chosen.entries()) {
      await untilTrusted(field);
      if (await runCase(proof, field, one, number)) continue;
      await closeField(field);
      field = await openField(engine);
    }
  } finally {
    await closeField(field);
  }
}

await prove('kill', async (proof) => {
  for (const engine of ['haproxy', 'nginx'] as const) {
    if (engineOnly !== null && engineOnly !== engine) continue;
    if (only !== 'disk') await runCases(proof, engine, only);
    if (only === null || only === 'disk') await fillDisk(proof, engine);
  }
  if (only === 'controller' || (only === null && engineOnly === null)) await killControllers(proof);
});
