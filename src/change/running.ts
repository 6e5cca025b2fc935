import { type Clock, type Log, messageOf } from '#base';
import type { ChangeView, PlanView } from '#contract';
import type { ChangeState, GateReport } from '#events';
import type { Book } from './book.ts';
import { type Answer, existence, type Gate, gates, type Proposal } from './gates/index.ts';
import { decide, type Finding, type Step, type Stop } from './machine.ts';
import type { Owed } from './owed.ts';
import type { SiteKeeper } from './ports.ts';
import type { ProgressHub } from './progress.ts';
import type { RecordCollector } from './records.ts';
import { settleByBalancers } from './settle.ts';
import { type Told, tellEvery } from './take-back.ts';

/** It starts the way back first. Meanwhile the watch ends it at any silence. */
const promoteTimeoutMs = 60_000;
/** A decision to take back waits this long for the disk, and not longer. */
export const journalBeforeTakeBackMs = 500;
/** How long the end of a change waits for the incident that a guard's action opens. */
const incidentWaitMs = 1_000;

/** What gates said is taken for true for so long. */
const answersKeepMs = 5 * 60_000;

/** One change under way. */
export interface Running {
  readonly view: ChangeView;
  readonly proposal: Proposal;
  readonly book: Book;
  readonly sites: SiteKeeper;
  readonly records: RecordCollector;
  readonly hub: ProgressHub;
  readonly clock: Clock;
  readonly log: Log;
  readonly owed: Owed;
  readonly stopped: () => Stop | null;
  /** Balancers that did not hear that the change is taken back: told again later. */
  readonly untold: (told: Told, change: string, reason: string) => void;
}

/** From `proposed` to its end. Never rejects; resolves with what the balancers said when they were told to take it back. */
export async function runChange(running: Running): Promise<Told> {
  let state: ChangeState = 'proposed';
  const enter = async (finding: Finding): Promise<Step | null> => {
    const step = decide(state, finding);
    if (step && !endsChange(step)) {
      await appendState(running, step);
      state = step.state;
    }
    return step;
  };
  try {
    const end = await toTheEnd(running, enter);
    return end ? await endChange(running, end) : [];
  } catch (error) {
    // A journal that cannot be written, or a mistake of ours: either way the last good site is what stays.
    running.log.error('the change broke off', { change: running.view.id, why: messageOf(error) });
    const stop = running.stopped() ?? { kind: 'broken', why: messageOf(error), code: '' };
    const step = decide(state, { kind: 'stopped', stop });
    return step ? endChange(running, { ...step, takeBack: true }) : [];
  }
}

type Enter = (finding: Finding) => Promise<Step | null>;

/** The life of a change as a straight line; the first step that ends it is returned. Null: it lets another one pass, and begins anew. */
async function toTheEnd(running: Running, enter: Enter): Promise<Step | null> {
  const found = await askFresh(running);
  if (isAside(found)) return null;
  const gated = await enter(found);
  if (!gated || endsChange(gated)) return must(gated);
  const admitted = await enter(await askAgain(running));
  if (!admitted || endsChange(admitted)) return must(admitted);
  for (const gate of gates.filter(({ during }) => during !== 'proposed')) {
    const { answer, report } = await askGate(running, gate);
    if (report.verdict !== 'passed')
      return must(await enter({ kind: 'stopped', stop: stopOf(running, answer) }));
    if (gate.during === 'canary') await enter({ kind: 'canary passed', why: report.summary });
  }
  const stop = await promoteEverywhere(running);
  return must(await enter(stop ? { kind: 'stopped', stop } : { kind: 'promoted everywhere' }));
}

function isAside(found: Finding): boolean {
  return found.kind === 'stopped' && found.stop.kind === 'aside';
}

function endsChange(step: Step): boolean {
  return !['gated', 'canary', 'baking'].includes(step.state);
}

function must(step: Step | null): Step {
  if (!step) throw new Error('the machine has no step for this finding');
  return step;
}

/** People may take hours to approve a change: what gates said before that is asked again. */
async function askFresh(running: Running): Promise<Finding> {
  const { clock, proposal } = running;
  const began = clock.monotonicMs();
  const finding = await askBeforeTraffic(running);
  const isOld = clock.monotonicMs() - began > answersKeepMs;
  const isApproved = finding.kind === 'gates answered' && proposal.approvals.given().length > 0;
  return isOld && isApproved && !isRefusal(finding.reports) ? askBeforeTraffic(running) : finding;
}

function isRefusal(reports: readonly GateReport[]): boolean {
  return reports.some(({ verdict, forced }) => verdict !== 'passed' && !forced);
}

async function askBeforeTraffic(running: Running): Promise<Finding> {
  const reports: GateReport[] = [];
  for (const gate of gates.filter(({ during }) => during === 'proposed')) {
    if (isRefusal(reports) && !gate.askedAfterRefusal) continue;
    const { answer, report } = await askGate(running, gate);
    const stop = running.stopped();
    if (stop) return { kind: 'stopped', stop };
    if (answer.nothingToDo) return { kind: 'nothing to do', why: report.summary };
    reports.push(report);
    if (report.verdict !== 'passed' && !gate.forceable) break;
  }
  return { kind: 'gates answered', reports };
}

/** Existence once more, just before the candidate starts: minutes may lie between the first answer and now. Journalled when it differs. */
async function askAgain(running: Running): Promise<Finding> {
  const answer = await existence.ask(running.proposal);
  const stop = running.stopped();
  if (stop) return { kind: 'stopped', stop };
  const report = reportOf(running, existence, answer, 0);
  if (report.verdict !== 'passed' && !report.forced) await showReport(running, report);
  return { kind: 'asked again', report };
}

async function askGate(running: Running, gate: Gate): Promise<{ answer: Answer; report: GateReport }> {
  const { hub, clock, proposal } = running;
  hub.show({ kind: 'gate started', gate: gate.name });
  const began = clock.monotonicMs();
  const answer = await gate.ask(proposal);
  if (gate.name === 'plan' && proposal.planned.view) await journalPlan(running, proposal.planned.view);
  const report = reportOf(running, gate, answer, Math.round(clock.monotonicMs() - began));
  if (running.stopped()?.kind === 'aside') return { answer, report };
  if (gate.during === 'proposed') await showReport(running, report);
  else await beforeTakeBack(running, showReport(running, report));
  if (gate.name === 'review' && report.forced) await journalBrokenGlass(running, report);
  return { answer, report };
}

function reportOf({ proposal }: Running, gate: Gate, answer: Answer, tookMs: number): GateReport {
  const { verdict, summary, evidence, diagnostics } = answer;
  const passes = proposal.forced ? gate.forceable : proposal.breakGlass && gate.name === 'review';
  const forced = passes && verdict !== 'passed' && !answer.nothingToDo;
  return { gate: gate.name, verdict, forced, summary, evidence, diagnostics, tookMs };
}

/** Of a long plan the first of each kind: whoever wants all of it asks for it anew. */
const plannedMax = 100;

async function journalPlan({ book, view }: Running, plan: PlanView): Promise<void> {
  const { differences, settings, unreachable, notUnderstood, findings } = plan;
  const lists = [differences, settings, unreachable, notUnderstood, findings];
  const left = lists.reduce((sum, { length }) => sum + Math.max(0, length - plannedMax), 0);
  const first = <T>(of: readonly T[]) => of.slice(0, plannedMax);
  const short = {
    ...plan,
    differences: first(differences),
    settings: first(settings),
    unreachable: first(unreachable),
    notUnderstood: first(notUnderstood),
    findings: first(findings),
  };
  await book.append('controller', { kind: 'change.planned', change: view.id, plan: short, left });
}

/** Told at once, and until somebody else has reviewed it. */
async function journalBrokenGlass({ book, view, log }: Running, { summary }: GateReport): Promise<void> {
  const { id: change, by, reason } = view;
  log.error('a change went past its review', { change, by, reason, missing: summary });
  await book.append(by, { kind: 'change.brokeGlass', change, reason, missing: summary });
}

async function showReport({ book, hub, view }: Running, report: GateReport): Promise<void> {
  await book.append('controller', { kind: 'change.gate', change: view.id, report });
  hub.show({ kind: 'gate', report });
}

function stopOf({ stopped }: Running, answer: Answer): Stop {
  return stopped() ?? answer.stop ?? { kind: 'broken', why: answer.summary, code: 'HF107' };
}

async function promoteEverywhere({ view, proposal, book, sites }: Running): Promise<Stop | null> {
  const { watch, balancers, reading } = proposal;
  await sites.stage(reading.text);
  for (const balancer of balancers) {
    const change = view.id;
    await book.append('controller', { kind: 'change.promoted', change, balancer: balancer.name });
    const promoted = await watch.during(balancer.call('promote', { change }, promoteTimeoutMs));
    if (promoted.stop) return promoted.stop;
    watch.release(balancer.name);
  }
  return null;
}

async function appendState({ book, hub, view }: Running, { state, why }: Step): Promise<void> {
  await book.append('controller', { kind: 'change.state', change: view.id, state, why });
  hub.show({ kind: 'state', state, why });
}

/** Journals the decision, makes it so, and tells who watches. A disk that hangs or is full does not keep a bad change in traffic. */
async function endChange(running: Running, step: Step): Promise<Told> {
  const { view, hub, records, proposal, sites, untold, owed } = running;
  if (step.takeBack) await beforeTakeBack(running, records.poll());
  const journalled = owed.write(`the end of ${view.id}`, () => journalEnd(running, step));
  if (step.takeBack) await beforeTakeBack(running, journalled);
  else await journalled;
  hub.show({ kind: 'state', state: step.state, why: step.why });
  let told: Told = [];
  if (step.takeBack) {
    told = await tellEvery(proposal.balancers, view.id, step.why);
    untold(told, view.id, step.why);
    await beforeTakeBack(running, records.poll());
    await sites.settle(proposal.before.text.hash).catch(() => false);
  } else if (step.state === 'promoted') {
    await owed.write('the promoted text', () => settleByBalancers(sites, proposal.balancers));
  }
  if (step.freeze) await incidentOpened(running);
  hub.show({ kind: 'end', change: { ...viewNow(running), state: step.state, why: step.why } });
  return told;
}

/** The state comes last: what a reader sees as ended has all that belongs to its end. */
async function journalEnd({ book, view, stopped }: Running, step: Step): Promise<void> {
  const { id: change, siteHash } = view;
  const { state, why } = step;
  const stop = stopped();
  const by = stop?.kind === 'person' ? stop.by : 'controller';
  // Owed, and written by now by whoever took the change up.
  if (book.ledger().changes.get(change)?.state === state) return;
  await Promise.all([
    ...(step.quarantine ? [book.append(by, { kind: 'quarantine.added', siteHash, change, why })] : []),
    ...(step.freeze ? [book.append(by, { kind: 'pipeline.frozen', why: `${change}: ${why}` })] : []),
    book.append(by, { kind: 'change.state', change, state, why }),
  ]);
}

async function beforeTakeBack({ clock, log }: Running, work: Promise<unknown>): Promise<void> {
  const settled = work.then(
    () => {},
    (error: unknown) => log.error('the journal does not take it', { why: messageOf(error) }),
  );
  await Promise.race([settled, clock.sleep(journalBeforeTakeBackMs)]);
}

async function incidentOpened(running: Running): Promise<void> {
  const { clock } = running;
  const giveUpAt = clock.monotonicMs() + incidentWaitMs;
  while (!viewNow(running).incident && clock.monotonicMs() < giveUpAt) await clock.sleep(50);
}

/** A journal that cannot even be read must not keep the end of a change from those who wait for it. */
function viewNow({ book, view, log }: Running): ChangeView {
  try {
    return book.ledger().changes.get(view.id) ?? view;
  } catch (error) {
    log.error('the journal cannot be read', { why: messageOf(error) });
    return view;
  }
}
