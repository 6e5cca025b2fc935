/** An alerting world of minutes in milliseconds: the real keeper on a simulated clock, and receivers that are told what to do. */
import assert from 'node:assert/strict';
import {
  type AlertKeeper,
  alertKeeper,
  type Delivery,
  type Message,
  type OnCall,
  readOnCall,
} from '#alerting';
import { formatDiagnostic } from '#base';
import type { Alert, JournalEntry } from '#events';
import { type SimulatedClock, simulatedClock } from '../world/clock.ts';
import { type MemoryJournal, memoryJournal } from '../world/journal.ts';
import { seededRandom } from '../world/random.ts';

export const minute = 60_000;

/** Support, then engineering, then the vendor: who was called in the founding report, in that order. */
export const founding = `
notifiers:
  - name: phone
    command: { run: [/usr/local/bin/call] }
  - name: channel
    slack: { url: { env: SLACK_URL } }
people:
  - name: sue
    contacts: [{ notifier: phone, to: "1" }]
  - name: eve
    contacts: [{ notifier: phone, to: "2" }]
  - name: vic
    contacts: [{ notifier: phone, to: "3" }]
schedules:
  - name: support
    timeZone: America/Los_Angeles
    rotations: [{ people: [sue], starts: 2025-12-01 }]
policies:
  - name: founding
    steps:
      - page: [schedule: support, notifier: channel]
        ackWithin: 5m
      - page: [person: eve]
        ackWithin: 10m
      - page: [person: vic]
        ackWithin: 15m
    repeat: 2
    ackTimeout: 30m
`;

export function settingsOf(text: string, now = Date.UTC(2026, 0, 1)): OnCall {
  const { onCall, diagnostics } = readOnCall(text, 'oncall.yaml', now);
  assert.ok(onCall, diagnostics.map(formatDiagnostic).join('\n'));
  return onCall;
}

export interface Told {
  readonly atMs: number;
  readonly notifier: string;
  readonly message: Message;
}

export interface AlertWorld {
  readonly clock: SimulatedClock;
  readonly journal: MemoryJournal;
  readonly told: Told[];
  keeper(): AlertKeeper;
  /** `0:00 phone 1 page` and so on, in minutes and seconds since the beginning. */
  lines(): readonly string[];
  /** What receivers answer from now on. */
  answer: (notifier: string, message: Message) => Delivery | Promise<Delivery>;
  settings: OnCall | null;
  /** The keeper is ended, and another begins with the same journal. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export function alertWorld(text: string = founding, before: readonly JournalEntry[] = []): AlertWorld {
  const clock = simulatedClock();
  const journal = memoryJournal(clock, before);
  const startsAt = clock.now();
  const told: Told[] = [];
  const random = seededRandom(1);
  const start = () =>
    alertKeeper({
      site: 'shop',
      journal,
      clock,
      random: random.next,
      settings: () => world.settings,
      deliver: async (notifier, message) => {
        told.push({ atMs: clock.now() - startsAt, notifier, message });
        return world.answer(notifier, message);
      },
    });
  const world: AlertWorld = {
    clock,
    journal,
    told,
    keeper: () => keeper,
    lines: () =>
      told.map(({ atMs, notifier, message: { to, what } }) =>
        `${clockFace(atMs)} ${notifier} ${to} ${what}`.replaceAll('  ', ' '),
      ),
    answer: () => ({ kind: 'sent', said: 'ok' }),
    settings: settingsOf(text),
    async restart() {
      await clock.run(keeper.stop());
      keeper = start();
    },
    stop: () => clock.run(keeper.stop()),
  };
  let keeper = start();
  return world;
}

function clockFace(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

export function alert(name: string, labels: Readonly<Record<string, string>> = {}): Alert {
  return {
    labels: { alertname: name, severity: 'critical', site: 'shop', ...labels },
    annotations: { summary: `${name} it is`, users: 'Errors.', cause: 'Unknown.', action: 'Look.' },
    startsAt: Date.UTC(2026, 0, 1),
    endsAt: null,
    generatorURL: '',
  };
}
