import { hostPort } from '#model';
import type { ServerCommand, ServerName, ServerSetting } from '../engine.ts';
import type { Cli } from './cli.ts';

/** In HAProxy's `srv_admin_state`: forced by command, or by the text and not taken back since. */
const maintenanceBit = 0x01;
const drainBit = 0x08;

interface Row extends ServerName {
  readonly admin: number;
  readonly weight: number;
  readonly address: string;
}

/** Each command, and then all of them read back. One that is done already does nothing. */
export async function commandServers(
  cli: Cli,
  commands: readonly ServerCommand[],
  left: () => number,
): Promise<void> {
  for (const command of commands) {
    const row = (await rowsOf(cli, command.pool, left)).get(command.server);
    if (row && command.kind === 'add' && !command.words.startsWith(`${row.address} `))
      throw new Error(`${nameOf(command)} is there already, at ${row.address}`);
    for (const line of linesOf(command, row)) {
      const said = (await cli.ask(line, left())).trim();
      if (!/^(?:|New server registered\.|Server deleted\.)$/.test(said))
        throw new Error(`${line.split(' ').slice(0, 3).join(' ')}: ${said}`);
    }
  }
  for (const command of last(commands)) {
    const row = (await rowsOf(cli, command.pool, left)).get(command.server);
    if (!isDone(command, row))
      throw new Error(`${nameOf(command)} is not as it was told: ${row ? JSON.stringify(row) : 'not there'}`);
  }
}

/** The last command of each kind for each server: what has to hold at the end. */
function last(commands: readonly ServerCommand[]): ServerCommand[] {
  return [...new Map(commands.map((command) => [`${nameOf(command)} ${command.kind}`, command])).values()];
}

function nameOf({ pool, server }: ServerCommand): string {
  return `${pool}/${server}`;
}

function linesOf(command: ServerCommand, row: Row | undefined): string[] {
  const name = nameOf(command);
  const state = (word: 'maint' | 'ready') => `set server ${name} state ${word}`;
  switch (command.kind) {
    case 'add':
      return [
        ...(row ? [] : [`add server ${name} ${command.words}`]),
        `enable health ${name}`,
        state(command.maintenance ? 'maint' : 'ready'),
      ];
    case 'delete':
      return row ? [state('maint'), `del server ${name}`] : [];
    case 'maintenance':
      return row ? [state(command.on ? 'maint' : 'ready')] : [];
    case 'weight':
      return [`set server ${name} weight ${command.weight}`];
  }
}

function isDone(command: ServerCommand, row: Row | undefined): boolean {
  const isAway = row === undefined || (row.admin & maintenanceBit) !== 0;
  switch (command.kind) {
    case 'add':
      return row !== undefined && isAway === command.maintenance;
    case 'delete':
      return row === undefined;
    case 'maintenance':
      return isAway === command.on;
    case 'weight':
      return row?.weight === command.weight;
  }
}

async function rowsOf(cli: Cli, pool: string, left: () => number): Promise<ReadonlyMap<string, Row>> {
  const rows = rowsIn(await cli.ask(`show servers state ${pool}`, left()));
  if (!rows) throw new Error(`there is no pool ${pool}`);
  return new Map(rows.map((row) => [row.server, row]));
}

function rowsIn(said: string): readonly Row[] | null {
  const lines = said.split('\n').map((line) => line.split(' '));
  const names = lines.find(([first]) => first === '#')?.slice(1);
  if (!names) return null;
  const column = (fields: readonly string[], name: string) => fields[names.indexOf(name)] ?? '';
  return lines
    .filter((fields) => fields.length === names.length && fields[0] !== '#')
    .map((fields) => ({
      pool: column(fields, 'be_name'),
      server: column(fields, 'srv_name'),
      admin: Number(column(fields, 'srv_admin_state')),
      weight: Number(column(fields, 'srv_uweight')),
      address: hostPort(column(fields, 'srv_addr'), Number(column(fields, 'srv_port'))),
    }));
}

/** Of every server of every pool. */
export async function serverSettings(cli: Cli, timeoutMs: number): Promise<readonly ServerSetting[]> {
  const rows = rowsIn(await cli.ask('show servers state', timeoutMs)) ?? [];
  return rows.map(({ admin, ...row }) => ({
    ...row,
    maintenance: (admin & maintenanceBit) !== 0,
    draining: (admin & drainBit) !== 0,
  }));
}
