import { parseArgs } from 'node:util';
import { messageOf } from '#base';
import { BadText, readText } from './config.ts';
import { tlsServer } from './doors.ts';
import { reachOf } from './reach.ts';
import { run } from './run.ts';
import { supervise } from './supervisor.ts';
import { Tickets } from './tickets.ts';

/**
 * The built-in engine's process: `main.ts --config FILE [--parked] [--check]`.
 * Signals as HAProxy has them: SIGTTOU parks the public side, SIGTTIN resumes it, SIGUSR1 drains; SIGTERM drains too,
 * SIGINT ends at once. Exit status 0: ended when told; 1: the text cannot be used, or the start failed.
 */
export const banner = 'holdfast built-in engine';

function checkCertificates(text: ReturnType<typeof readText>): void {
  for (const listener of text.listeners) {
    if (listener.scheme !== 'https') continue;
    try {
      tlsServer(listener, text, text.ticketKeys === null ? null : Tickets.read(text.ticketKeys));
    } catch (error) {
      throw new BadText(`listeners.${listener.name}: ${messageOf(error)}`);
    }
  }
}

function checkServersTls({ pools }: ReturnType<typeof readText>): void {
  for (const pool of pools) {
    try {
      reachOf(pool);
    } catch (error) {
      throw new BadText(`pools.${pool.name}: ${messageOf(error)}`);
    }
  }
}

function say(line: string): void {
  process.stderr.write(`${banner}: ${line}\n`);
}

// Whoever read our words may have ended: that is no reason to end the site.
process.stderr.on('error', () => {});
process.stdout.on('error', () => {});

try {
  const { values } = parseArgs({
    options: {
      config: { type: 'string' },
      parked: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
    },
  });
  if (values.config === undefined) throw new BadText('--config FILE is missing');
  const text = readText(values.config);
  checkCertificates(text);
  checkServersTls(text);
  if (values.check) say(`${values.config} is valid`);
  else await (text.workers > 1 ? supervise : run)(text, { parked: values.parked, say });
} catch (error) {
  for (const line of messageOf(error).split('\n')) say(line);
  process.exit(1);
}
