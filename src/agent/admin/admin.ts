import { Failure, messageOf } from '#base';
import type { Fleet } from '../fleet.ts';
import type { HeldGeneration } from '../holder/protocol.ts';
import type { Serving } from '../serving.ts';
import { meaningOf } from './commands.ts';
import { readBack } from './read-back.ts';

const answerMsMax = 5_000;

/**
 * One command for whatever serves: what reads is answered by the active generation, what changes is told to every
 * living one, parked ones too, read back, recorded, and where it sets something kept for later ones. Resolves with the active
 * generation's own answer.
 */
export async function runAdmin(serving: Serving, command: string): Promise<string> {
  const meaning = meaningOf(command);
  if (meaning.kind === 'refused') return `Not done by Holdfast: ${meaning.why}.`;
  const { fleet } = serving;
  const { generations, active } = await fleet.status();
  const isActive = (g: HeldGeneration) => g.generation === active;
  const first = generations.find(isActive);
  if (!first) throw new Failure('HF105', 'there is no active generation');
  const said = await ask(fleet, first, command);
  if (meaning.kind === 'reads') return said;
  // Before the others are told: one that is just starting is told then what is kept. What the active one did not take
  // is not for later ones.
  if (meaning.key !== null && said.trim() === '') {
    fleet.kept.keep(meaning.key, command);
    serving.kept.refreshBootSoon();
  }
  const others = generations.filter((g) => !isActive(g) && g.role !== 'draining');
  const answers = await Promise.all(
    others.map(async (g) => ({
      generation: g.generation,
      said: await ask(fleet, g, command).catch(messageOf),
    })),
  );
  const all = [{ generation: first.generation, said }, ...answers];
  serving.records.add({
    kind: 'runtime',
    command,
    answers: all.map((one) => ({ ...one, said: one.said.trim().slice(0, saidMax) })),
  });
  return said;
}

const saidMax = 500;

async function ask(fleet: Fleet, generation: HeldGeneration, command: string): Promise<string> {
  const control = fleet.control(generation);
  if (!control.ask) throw new Failure('HF405', `${generation.engine} has no commands of its own`);
  const said = await control.ask(command, answerMsMax);
  if (said.trim() !== '' || meaningOf(command).kind !== 'changes') return said;
  const instead = await readBack(control.ask, command);
  return instead === null ? said : `Not so in generation ${generation.generation}: ${instead}.\n`;
}
