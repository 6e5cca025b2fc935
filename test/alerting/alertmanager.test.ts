import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { alertOffice } from '#alerting';
import { silentLog, systemClock } from '#base';
import { memoryJournal } from '../world/journal.ts';
import { freePort, until } from '../world/stack.ts';
import { settingsOf } from './world.ts';

test('a real Alertmanager is told what fires, and that it is over', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hf-am-'));
  const [port, gossip] = [await freePort(), await freePort()];
  writeFileSync(join(folder, 'am.yml'), 'route: { receiver: none }\nreceivers: [{ name: none }]\n');
  const child = spawn(
    'prometheus-alertmanager',
    [
      `--config.file=${join(folder, 'am.yml')}`,
      `--storage.path=${folder}`,
      `--web.listen-address=127.0.0.1:${port}`,
      `--cluster.listen-address=127.0.0.1:${gossip}`,
    ],
    { stdio: 'ignore' },
  );
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  const firing = async (): Promise<readonly string[]> => {
    try {
      const response = await fetch(`${url}/api/v2/alerts`);
      const alerts = (await response.json()) as readonly {
        readonly labels: { readonly alertname: string };
      }[];
      return alerts.map(({ labels }) => labels.alertname).sort();
    } catch {
      return [];
    }
  };
  const journal = memoryJournal(systemClock);
  const settings = settingsOf(`
notifiers: [{ name: n, command: { run: ["true"] } }]
people: [{ name: sue, contacts: [{ notifier: n }] }]
policies: [{ name: p, steps: [{ page: [person: sue] }] }]
alertmanagers: [{ url: "${url}", resend: 1s }]
allowedHosts: ["127.0.0.1"]
`);
  const office = alertOffice({
    site: 'shop',
    journal,
    clock: systemClock,
    log: silentLog,
    env: process.env,
    random: Math.random,
    settings: () => settings,
    trouble: () => [],
  });
  try {
    await journal.append('controller', { kind: 'pipeline.frozen', why: 'c1: errors' });
    await until('both', async () => (await firing()).join() === 'PipelineFrozen,Watchdog', 60_000);
    await journal.append('person:eve', { kind: 'pipeline.released', reason: 'seen' });
    await until('the watchdog alone', async () => (await firing()).join() === 'Watchdog', 60_000);
  } finally {
    await office.stop();
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
  assert.ok(journal.kinds().includes('alert.resolved'));
});
