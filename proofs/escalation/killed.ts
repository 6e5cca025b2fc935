/** Real processes, a real journal and a real receiver: the keeper is killed by SIGKILL at each page, before it heard the answer. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '#base';
import { startReceiver } from '../../test/world/receiver.ts';

const program = fileURLToPath(new URL('./keeper-process.ts', import.meta.url));
const giveUpMs = 120_000;

export interface Killed {
  readonly kills: number;
  /** Pages of three steps, by their keys in the order in which they came first. */
  readonly steps: readonly string[];
  /** How often each key came. */
  readonly times: readonly number[];
}

export async function killAtEachPage(): Promise<Killed> {
  const folder = mkdtempSync(join(tmpdir(), 'hf-escalation-'));
  const receiver = await startReceiver();
  const file = join(folder, 'oncall.yaml');
  writeFileSync(file, settings(receiver.url, receiver.port));
  let child: ChildProcess | null = null;
  const start = () => spawn(process.execPath, [program, join(folder, 'journal'), file], { stdio: 'ignore' });
  const keys = new Map<string, { to: string; times: number }>();
  let kills = 0;
  receiver.answer = ({ headers, body }) => {
    const key = String(headers['idempotency-key']);
    const known = keys.get(key) ?? { to: String(body.to), times: 0 };
    keys.set(key, { ...known, times: known.times + 1 });
    if (known.times > 0) return { status: 200 };
    // The first time each: it has come, and the sender never hears so.
    kills += 1;
    child?.kill('SIGKILL');
    return null;
  };
  const whole = () => [...keys.values()].filter(({ times }) => times > 1).length >= 3;
  const giveUpAt = systemClock.monotonicMs() + giveUpMs;
  try {
    while (!whole() && systemClock.monotonicMs() < giveUpAt) {
      child = start();
      const ended = once(child, 'exit');
      while (
        child.exitCode === null &&
        child.signalCode === null &&
        !whole() &&
        systemClock.monotonicMs() < giveUpAt
      )
        await systemClock.sleep(20);
      child.kill('SIGKILL');
      await ended;
    }
  } finally {
    child?.kill('SIGKILL');
    await receiver.close();
    rmSync(folder, { recursive: true, force: true });
  }
  const all = [...keys.values()].slice(0, 3);
  return { kills, steps: all.map(({ to }) => to), times: all.map(({ times }) => times) };
}

function settings(url: string, port: number): string {
  return `
notifiers: [{ name: hook, webhook: { url: "${url}" } }]
allowedHosts: ["127.0.0.1:${port}"]
people:
  - { name: sue, contacts: [{ notifier: hook, to: support }] }
  - { name: eve, contacts: [{ notifier: hook, to: engineering }] }
  - { name: vic, contacts: [{ notifier: hook, to: vendor }] }
policies:
  - name: standard
    steps:
      - { page: [person: sue], ackWithin: 2s }
      - { page: [person: eve], ackWithin: 2s }
      - { page: [person: vic], ackWithin: 1h }
`;
}
