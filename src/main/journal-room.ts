import { join } from 'node:path';
import { type AlertOffice, alertOffice } from '#alerting';
import { type Clock, Failure, type Log, messageOf, type SitePaths } from '#base';
import { type BalancerPort, createPipeline, type Pipeline, type SiteKeeper } from '#change';
import type { Alert, JournalEntry } from '#events';
import { type IncidentKeeper, incidentKeeper, incidentsOf, type ReportDesk, reportDesk } from '#incidents';
import { type Reviewer, reviewer } from '#practice';
import { type OpenJournal, type OpenTicks, openJournal } from '#store';
import { type AlertsInMemory, alertsInMemory } from './alerts-in-memory.ts';
import type { OnCallFile } from './on-call-file.ts';
import { type ThreadPlanner, threadPlanner } from './planner.ts';
import { reviewFacts } from './review-facts.ts';

/** All that needs the journal. It comes and goes as a whole: the site does not need it. */
export interface JournalRoom {
  readonly journal: OpenJournal;
  readonly pipeline: Pipeline;
  readonly keeper: IncidentKeeper;
  readonly desk: ReportDesk;
  readonly reviewer: Reviewer;
  readonly alerts: AlertOffice;
}

export interface RoomParts {
  readonly site: string;
  readonly onCall: OnCallFile;
  /** What is amiss with the files beside the site. */
  readonly trouble: () => readonly Alert[];
  readonly paths: SitePaths;
  readonly balancers: readonly BalancerPort[];
  readonly sites: SiteKeeper;
  readonly clock: Clock;
  readonly log: Log;
  /** When the site is reviewed: a cron expression. */
  readonly reviews: string;
  /** Numbers over time; null: they cannot be kept. */
  readonly ticks: () => OpenTicks | null;
  readFile(path: string): Promise<string>;
  /** What series of monitor.yaml say against changes now. */
  against(): readonly string[];
}

/** Opens it when it can, and says why when it cannot. */
export interface JournalDoor {
  /** @throws Failure HF201, HF202, HF203: why it is not open. */
  room(): JournalRoom;
  open(): JournalRoom | null;
  /** Why it is not open; empty when it is. */
  why(): string;
  /** Who looks after alerts while it cannot be opened; null: it is open, or another process has it and does. */
  inMemory(): AlertsInMemory | null;
  /** Tries once when it is not open. Never rejects. */
  attempt(): Promise<void>;
  /** Closes one that was found damaged, as soon as nobody needs it: what is put in its place can be opened then. */
  leaveDamaged(): Promise<void>;
  close(): Promise<void>;
}

export function journalFolder(paths: SitePaths): string {
  return join(paths.state, 'journal');
}

export function journalDoor(parts: RoomParts): JournalDoor {
  const planner = threadPlanner();
  let room: JournalRoom | null = null;
  let failure = new Failure('HF203', 'the journal is not open yet');
  let said = '';
  let inMemory: AlertsInMemory | null = null;
  let handingOver: AlertsInMemory | null = null;

  function goOnInMemory(before: readonly JournalEntry[]): void {
    // Whoever holds it pages.
    if (inMemory || failure.code === 'HF201') return;
    inMemory = alertsInMemory({
      ...officeParts(parts),
      before,
      why: () => `${failure.code} ${failure.message}`,
    });
  }

  async function leave(why: Failure): Promise<void> {
    const open = room;
    room = null;
    failure = why;
    await open?.keeper.stop();
    await open?.reviewer.stop();
    await open?.alerts.stop();
    await open?.journal.close();
  }

  return {
    open: () => room,
    why: () => (room ? '' : `${failure.code} ${failure.message}`),
    room() {
      if (room) return room;
      throw failure;
    },
    inMemory: () => inMemory,
    async attempt() {
      if (room) return;
      try {
        room = await enter(parts, planner);
        said = '';
        await handingOver?.stop();
        [handingOver, inMemory] = [inMemory, null];
        void handingOver?.handOver();
      } catch (error) {
        failure = error instanceof Failure ? error : new Failure('HF203', messageOf(error));
        if (said !== failure.message)
          parts.log.error('the site goes on without the journal; changes are refused', {
            code: failure.code,
            why: failure.message,
          });
        said = failure.message;
        goOnInMemory([]);
      }
    },
    async leaveDamaged() {
      if (room?.journal.status().code !== 'HF202' || room.pipeline.busy()) return;
      const before = entriesOf(room.journal);
      await leave(new Failure('HF202', room.journal.status().why));
      goOnInMemory(before);
    },
    async close() {
      planner.close();
      await Promise.all([inMemory?.stop(), handingOver?.stop()]);
      await leave(new Failure('HF203', 'the controller is ending'));
    },
  };
}

/** What is damaged may say nothing any more. */
function entriesOf(journal: OpenJournal): readonly JournalEntry[] {
  try {
    return journal.entries();
  } catch {
    return [];
  }
}

function officeParts({ site, clock, log, onCall, trouble }: RoomParts) {
  return { site, clock, log, env: process.env, random: Math.random, settings: onCall.current, trouble };
}

async function enter(parts: RoomParts, planner: ThreadPlanner): Promise<JournalRoom> {
  const { paths, balancers, sites, clock, log, readFile, against } = parts;
  const journal = await openJournal({ folder: journalFolder(paths), clock, log });
  try {
    const pipeline = createPipeline({
      journal,
      balancers,
      sites,
      planner,
      clock,
      log,
      readFile,
      against,
    });
    await pipeline.recover();
    return {
      journal,
      pipeline,
      keeper: incidentKeeper({ journal, clock, log }),
      desk: reportDesk({ journal, clock }),
      reviewer: reviewer({
        journal,
        clock,
        log,
        schedule: parts.reviews,
        gather: () =>
          reviewFacts({
            sites,
            balancers,
            clock,
            ticks: parts.ticks(),
            frozen: () => pipeline.frozen(),
            reviewsOwed: () => reviewsOwed(pipeline),
            openIncidents: () =>
              incidentsOf(journal.entries())
                .filter(({ resolvedAt }) => resolvedAt === null)
                .map(({ id }) => id),
          }),
      }),
      alerts: alertOffice({ ...officeParts(parts), journal }),
    };
  } catch (error) {
    await journal.close();
    throw error;
  }
}

/** Changes that broke the glass, and that nobody else has reviewed since. */
export function reviewsOwed(pipeline: Pipeline): string[] {
  return pipeline.views().flatMap(({ id, review }) => (review.brokeGlass?.owed ? [id] : []));
}
