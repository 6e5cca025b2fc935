/** Bad input, done for real against a site that runs: what it got, and that nothing was changed while requests went on. */
import { type Case, judge } from './input/case.ts';
import { type Field, openField } from './input/field.ts';
import { damaged, fullDisk, mountSmallDisk } from './input/journals.ts';
import { people, restarts } from './input/people.ts';
import { starts } from './input/starts.ts';
import { texts } from './input/texts.ts';
import { type Proof, prove } from './proof.ts';

const only = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length);
/** `--only=People`, or a part of a case's name. */
const chosenOf = (what: string, cases: readonly Case[]) =>
  cases.filter(({ name }) => only === undefined || `${what} ${name}`.includes(only));

async function against(
  proof: Proof,
  what: string,
  cases: readonly Case[],
  open: () => Promise<Field>,
  beforeRemoval: () => void = () => {},
): Promise<void> {
  const chosen = chosenOf(what, cases);
  if (chosen.length === 0) return;
  proof.say(what);
  const field = await open();
  const interrupted = () => void field.close(beforeRemoval).finally(() => process.exit(1));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    for (const one of chosen) await judge(proof, field, one);
    const { sent, failed, how } = await field.traffic();
    if (chosen.every(({ wanted }) => wanted.leaves !== 'restarted'))
      proof.atMost(`failed of ${sent} requests all the while (${how})`, failed, 0);
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await field.close(beforeRemoval);
  }
}

async function withSmallDisk(proof: Proof): Promise<void> {
  let unmount: (() => void) | null = null;
  const open = () =>
    openField((folders) => {
      unmount = mountSmallDisk(folders);
      if (!unmount)
        throw new Error('a small disk cannot be mounted here: run this as root, with the right to mount');
    });
  await against(proof, 'Journal on a full disk', fullDisk, open, () => unmount?.());
}

await prove('input', async (proof) => {
  await against(proof, 'Texts and files', texts, () => openField());
  await against(proof, 'People', people, () => openField());
  await against(proof, 'Starts', starts, () => openField());
  await against(proof, 'Journal, locked and damaged', damaged, () => openField());
  await withSmallDisk(proof);
  await against(proof, 'Restarts', restarts, () => openField());
});
