import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { messageOf } from '#base';
import type { BalancerDrift } from '#contract';
import type { EngineControl, ServerSetting } from '#engines';
import type { GuardRecord } from '#events';
import { hostPort, type Server, type Site } from '#model';
import type { Fleet } from './fleet.ts';
import { siteOf } from './good.ts';
import type { HeldGeneration } from './holder/protocol.ts';
import type { Kept } from './kept.ts';

const askMsMax = 3_000;

interface Parts {
  readonly fleet: Fleet;
  readonly kept: Kept;
  readonly record: (what: GuardRecord['what']) => void;
}

/** One thing that a running engine was told: the command that says it, and the one that takes it back. */
interface Told {
  readonly of: HeldGeneration;
  readonly server: string;
  readonly is: string;
  readonly wanted: string;
  /** Under which `adopt` keeps it for later generations; null: it cannot be kept so. */
  readonly key: string | null;
  readonly adopt: string;
  readonly revert: string;
}

/**
 * What is otherwise than the last good text says: servers of running engines that somebody told by their own sockets, and
 * the folder of the next boot. What was set over Holdfast's admin socket is known, and no drift.
 */
export async function driftOf(parts: Parts, mend: 'adopt' | 'revert' | undefined): Promise<BalancerDrift> {
  const { fleet, kept } = parts;
  const told = await toldOtherwise(parts);
  const mended: string[] = [];
  if (mend) for (const one of told) mended.push(await mendOne(parts, one, mend));
  const boot = bootDrift(fleet, kept);
  if (mend && boot.length > 0) {
    kept.refreshBoot();
    mended.push('the text of the next boot was written anew');
  }
  const found = told.map(({ of, server, is, wanted }) => ({
    what: `server ${server} of generation ${of.generation}`,
    is,
    wanted,
  }));
  return mend ? { found: [], mended } : { found: [...found, ...boot], mended };
}

async function toldOtherwise({ fleet, kept }: Parts): Promise<readonly Told[]> {
  const { generations } = await fleet.status(askMsMax);
  const found: Told[] = [];
  for (const held of generations) {
    const { current, previous } = kept.good;
    const text = [current, previous].find((one) => one?.hash === held.siteHash);
    const control = fleet.control(held);
    const isSettled = held.role === 'active' || held.role === 'standby';
    if (!text || !isSettled || !control.settings || fleet.isLaunching(held.generation)) continue;
    found.push(...toldOf(fleet, held, siteOf(text), await control.settings(askMsMax)));
  }
  return found;
}

function toldOf(
  fleet: Fleet,
  of: HeldGeneration,
  site: Site,
  settings: readonly ServerSetting[],
): readonly Told[] {
  const known = new Map(settings.map((one) => [`${one.pool}/${one.server}`, one]));
  return site.pools.flatMap((pool) =>
    pool.servers.flatMap((server) => {
      const name = `${pool.name}/${server.name}`;
      const now = known.get(name);
      // Set over our own socket, it was told to every generation, and is in the text of the next boot.
      if (!now || fleet.kept.concerns(name)) return [];
      return differences(name, server, now, site.own?.text ?? '').map((one) => ({
        of,
        server: name,
        ...one,
      }));
    }),
  );
}

function differences(
  name: string,
  server: Server,
  now: ServerSetting,
  own: string,
): readonly Omit<Told, 'of' | 'server'>[] {
  const set = (what: string) => `set server ${name} ${what}`;
  const state = ({ maintenance, draining }: Pick<ServerSetting, 'maintenance' | 'draining'>) =>
    maintenance ? 'maint' : draining ? 'drain' : 'ready';
  const [is, wanted] = [state(now), state({ maintenance: server.maintenance, draining: false })];
  const address = hostPort(server.host, server.port);
  const isFixed = isIP(server.host) > 0 && !/^0\.0\.0\.0$|^::$/.test(server.host);
  // An agent beside the server may set its weight; that is its business.
  const isWeighed = !own.includes('agent-check');
  return [
    ...(is === wanted
      ? []
      : [
          {
            is: `state ${is}`,
            wanted: `state ${wanted}`,
            key: `state ${name}`,
            adopt: set(`state ${is}`),
            revert: set(`state ${wanted}`),
          },
        ]),
    ...(now.weight === server.weight || !isWeighed
      ? []
      : [
          {
            is: `weight ${now.weight}`,
            wanted: `weight ${server.weight}`,
            key: `weight ${name}`,
            adopt: set(`weight ${now.weight}`),
            revert: set(`weight ${server.weight}`),
          },
        ]),
    ...(now.address === address || !isFixed
      ? []
      : [
          {
            is: `at ${now.address}`,
            wanted: `at ${address}`,
            key: null,
            adopt: '',
            revert: set(`addr ${server.host} port ${server.port}`),
          },
        ]),
  ];
}

/** An address is adopted in the file: what a text says of it, a person reads. */
async function mendOne(
  { fleet, kept, record }: Parts,
  told: Told,
  mend: 'adopt' | 'revert',
): Promise<string> {
  const { of, server, is, key } = told;
  if (mend === 'adopt' && key === null)
    return `server ${server} is ${is}: write it into the file, and apply that`;
  const command = mend === 'adopt' ? told.adopt : told.revert;
  const { generations } = await fleet.status(askMsMax);
  const all = mend === 'adopt' ? generations.filter(({ role }) => role !== 'draining') : [of];
  const answers = await Promise.all(
    all.map(async (held) => ({
      generation: held.generation,
      said: await said(fleet.control(held), command),
    })),
  );
  if (mend === 'adopt' && key !== null) {
    fleet.kept.keep(key, command);
    kept.refreshBootSoon();
  }
  record({ kind: 'runtime', command, answers });
  return command;
}

async function said(control: EngineControl, command: string): Promise<string> {
  if (!control.ask) return 'it takes no commands';
  return (await control.ask(command, askMsMax).catch(messageOf)).trim();
}

/** The folder of the next boot against what it would be written as now. */
function bootDrift(fleet: Fleet, kept: Kept): BalancerDrift['found'] {
  const folder = join(fleet.options.state, 'last-good');
  const scratch = fleet.scratch();
  try {
    kept.writeBoot(scratch);
    const names = [...new Set([...filesIn(scratch), ...filesIn(folder)])].sort();
    return names.flatMap((name) => {
      const [is, wanted] = [contentOf(folder, name), contentOf(scratch, name)];
      if (is === wanted) return [];
      const how = is === null ? 'is not there' : wanted === null ? 'is there' : 'was edited';
      return [
        {
          what: `${join(folder, name)}, of the next boot`,
          is: how,
          wanted: wanted === null ? 'not there' : 'as the last good text says',
        },
      ];
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((one) => (one.isFile() ? [one.name] : []));
  } catch {
    return [];
  }
}

function contentOf(folder: string, name: string): string | null {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch {
    return null;
  }
}
