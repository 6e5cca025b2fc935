/** A journal that is locked, damaged or on a full disk: the site goes on, changes are refused, and it works again when it can. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { identify } from '../../src/base/process.ts';
import { openJournal } from '../../src/store/journal.ts';
import { until } from '../../test/world/stack.ts';
import type { Folders } from '../../test/world/up.ts';
import type { Case } from './case.ts';
import { type Field, type Got, got } from './field.ts';

const folderOf = ({ env }: Folders) => join(env.HOLDFAST_STATE, 'shop/journal');

export const damaged: readonly Case[] = [
  {
    name: 'the journal is held by another process',
    how: locked,
    wanted: {
      says: [
        'HF201',
        'is held by process',
        'end it first',
        'the site goes on, changes are refused',
        'then: ok',
      ],
    },
  },
  {
    name: 'the journal is overwritten while it is in use',
    how: (field) => withDamage(field, 'running', overwrite),
    wanted: {
      says: [
        'HF202',
        'is damaged',
        'holdfast journal verify',
        'the site goes on, changes are refused',
        'then: ok',
      ],
    },
  },
  {
    name: 'the journal is removed while it is in use',
    how: (field) => withDamage(field, 'running', (folder) => rmSync(join(folder, 'journal.db'))),
    wanted: { says: ['HF202', 'has no entries, but journal.head says that there were', 'then: ok'] },
  },
  {
    name: 'the journal is found damaged by a controller that starts',
    how: (field) => withDamage(field, 'starting', overwrite),
    wanted: {
      says: [
        'HF202',
        'is damaged',
        'holdfast journal verify',
        'the site goes on, changes are refused',
        'then: ok',
      ],
    },
  },
  {
    name: 'the journal is found cut short by a controller that starts',
    how: (field) =>
      withDamage(field, 'starting', (folder) => {
        rmSync(join(folder, 'journal.db-wal'), { force: true });
        truncateSync(join(folder, 'journal.db'), 0);
      }),
    wanted: { says: ['HF202', 'journal.head says that there were', 'then: ok'] },
  },
];

export const fullDisk: readonly Case[] = [
  {
    name: 'the disk of the journal is full',
    how: async (field) => {
      fill(field.folders);
      const refused = await refusal(field);
      makeRoom(field.folders);
      return { exit: refused.exit, said: `${refused.said}\n${await worksAgain(field)}` };
    },
    wanted: { says: ['HF203', 'cannot be written', 'Free disk space', 'then: ok'] },
  },
  {
    name: 'the disk of the journal fills up in the middle of a change: it is taken back',
    how: fillsUp,
    wanted: { says: ['Rolled back', 'cannot be written', 'then: ok'] },
  },
];

/** Null where this cannot be had: it needs root, and the right to mount. */
export function mountSmallDisk(folders: Folders): (() => void) | null {
  const folder = folderOf(folders);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=700', 'tmpfs', folder], { stdio: 'ignore' });
    return () => execFileSync('umount', [folder]);
  } catch {
    return null;
  }
}

/** A good text that is not the one that runs, and asks nothing of any server. */
function harmless(field: Field): string {
  return field.text(['rise: 1', 'rise: 2']);
}

/** Applies a good change, which must be refused, and reads what status says meanwhile. */
async function refusal(field: Field): Promise<Got> {
  const { exit, said } = await field.apply(harmless(field));
  const status = await field.run('status');
  return { exit, said: `${said}${status.said}` };
}

/** A proposal is kept again (and refused for what it is), and the journal is whole. */
async function worksAgain(field: Field): Promise<string> {
  await until(
    'the journal is open',
    async () => {
      const { ok, why } = (await field.status()).journal;
      // After a full disk it is the next entry that shows that there is room.
      return ok || why.includes('cannot be written');
    },
    20_000,
  );
  const { said } = await field.apply(field.text(['site: shop', 'site: blog']));
  const verified = await field.run('journal', 'verify');
  const works = said.includes('HF101') && verified.exit === 0;
  return `then: ${works ? 'ok' : `${said}${verified.said}`}`;
}

/** The controller is killed, and another process is quicker than the next one. */
async function locked(field: Field): Promise<Got> {
  const folder = folderOf(field.folders);
  await whileDead(field, () => {});
  const journal = await until('the lock', () => openJournal({ folder, clock: systemClock }));
  try {
    await whyIs(field, 'HF201');
    const { exit, said } = await refusal(field);
    await journal.close();
    return { exit, said: `${said}\n${await worksAgain(field)}` };
  } finally {
    await journal.close();
  }
}

/** Kills the controller and does the work at once: the next one starts a fifth of a second later. */
async function whileDead(field: Field, work: () => void): Promise<void> {
  const { pid } = field.location();
  process.kill(pid, 'SIGKILL');
  await until('its end', async () => identify(pid) === null);
  work();
}

async function whyIs(field: Field, code: string): Promise<void> {
  await until(`status says ${code}`, async () => (await field.status()).journal.why.startsWith(code), 20_000);
}

/** Damages the journal of a controller that runs, or of one that is about to start; afterwards puts a copy back. */
async function withDamage(
  field: Field,
  when: 'running' | 'starting',
  damage: (folder: string) => void,
): Promise<Got> {
  const folder = folderOf(field.folders);
  const copy = `${folder}.copy`;
  await whileDead(field, () => {
    cpSync(folder, copy, { recursive: true });
    if (when === 'starting') damage(folder);
  });
  if (when === 'starting') await whyIs(field, 'HF202');
  else {
    await until('the journal is open', async () => (await field.status()).journal.ok, 20_000);
    damage(folder);
  }
  const refused = await refusal(field);
  // As the remedy says, and without touching the controller: it opens what it finds.
  rmSync(folder, { recursive: true });
  renameSync(copy, folder);
  return { exit: refused.exit, said: `${refused.said}\n${await worksAgain(field)}` };
}

/** From the first byte on, in place, as a disk that goes bad would. */
function overwrite(folder: string): void {
  for (const name of ['journal.db', 'journal.db-wal']) {
    const path = join(folder, name);
    if (!existsSync(path)) continue;
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.alloc(statSync(path).size, 'damaged '), 0);
    closeSync(file);
  }
}

function fill(folders: Folders): void {
  const file = openSync(join(folderOf(folders), 'fill'), 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(4_096, 'x'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
}

function makeRoom(folders: Folders): void {
  rmSync(join(folderOf(folders), 'fill'));
}

async function fillsUp(field: Field): Promise<Got> {
  const applying = field.start('apply', field.write('change.yaml', harmless(field)));
  await until('the canary', async () => (await field.status()).change?.state === 'canary');
  fill(field.folders);
  const { exit, said } = await got(applying);
  makeRoom(field.folders);
  return { exit, said: `${said}\n${await worksAgain(field)}` };
}
