import type { EngineControl } from '#engines';

type Ask = NonNullable<EngineControl['ask']>;

const answerMsMax = 2_000;
/** HAProxy's `srv_admin_state`: what was forced by command. */
const forcedMaintenance = 0x01;
const forcedDrain = 0x08;

const stateWords: Readonly<Record<string, number>> = {
  ready: 0,
  enable: 0,
  drain: forcedDrain,
  maint: forcedMaintenance,
  disable: forcedMaintenance,
};

/** Null: what the command sets cannot be read back, or it is so now. Else what is so instead. */
export async function readBack(ask: Ask, command: string): Promise<string | null> {
  const words = command.trim().replace(/\s+/g, ' ');
  const state =
    /^set server (\S+)\/(\S+) state (ready|drain|maint)$/.exec(words) ??
    shuffled(/^(enable|disable) server (\S+)\/(\S+)$/.exec(words));
  if (state) return await stateInstead(ask, state);
  const weight = /^set (?:server (\S+) weight|weight (\S+)) (\d+)(%?)$/.exec(words);
  return weight ? await weightInstead(ask, weight) : null;
}

/** The verb first, or last: in the order of the other form. */
function shuffled(found: RegExpExecArray | null): readonly string[] | null {
  const [whole = '', verb = '', pool = '', server = ''] = found ?? [];
  return found && [whole, pool, server, verb];
}

async function stateInstead(
  ask: Ask,
  [, pool, server, word = '']: readonly string[],
): Promise<string | null> {
  const table = await ask(`show servers state ${pool}`, answerMsMax);
  const lines = table.split('\n').map((line) => line.split(' '));
  const names = lines.find(([first]) => first === '#')?.slice(1) ?? [];
  const at = (name: string) => names.indexOf(name);
  const row = lines.find((fields) => fields[at('srv_name')] === server);
  if (at('srv_admin_state') < 0 || !row) return `${pool}/${server} is not to be found`;
  const forced = Number(row[at('srv_admin_state')]) & (forcedMaintenance | forcedDrain);
  return forced === stateWords[word] ? null : `${pool}/${server} is not ${word}: its state is ${forced}`;
}

async function weightInstead(ask: Ask, [, one, other, number, percent]: readonly (string | undefined)[]) {
  const server = one ?? other ?? '';
  const said = await ask(`get weight ${server}`, answerMsMax);
  const [, now = '', initial = ''] = /^(\d+) \(initial (\d+)\)/.exec(said.trim()) ?? [];
  const wanted = percent ? (Number(number) * Number(initial)) / 100 : Number(number);
  // HAProxy rounds a share of a weight in its own way.
  if (now !== '' && Math.abs(Number(now) - wanted) < 1) return null;
  return `the weight of ${server} is ${said.trim()}`;
}
