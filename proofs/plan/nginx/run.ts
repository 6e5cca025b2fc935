import { liftNginx } from '#dialects';
import { meaning } from '#routing';
import { chanceOf } from './chance.ts';
import { differs } from './compare.ts';
import { type PlanField, planField } from './field.ts';
import { type Asked, requestsFor } from './requests.ts';
import { partOf } from './texts.ts';

export interface Disagreement {
  readonly seed: number;
  readonly text: string;
  readonly asked: Asked;
  readonly why: string;
}

export interface PlanRun {
  readonly decisions: number;
  /** Those that the model told exactly; in the others one of its ways had to be what came. */
  readonly exact: number;
  /** Those of which the model said that it cannot tell. */
  readonly tooComplex: number;
  readonly texts: number;
  readonly refusedTexts: number;
  /** Seeds of texts that NGINX itself dies of. */
  readonly died: readonly number[];
  readonly disagreements: readonly Disagreement[];
}

const partsAtOnce = 25;
const requestsPerPart = 24;
const requestsAtOnce = 16;
const disagreementsMax = 40;

/** The model of generated texts against the NGINX that is installed. */
export async function againstNginx(
  seed: number,
  decisions: number,
  shows: (found: Disagreement) => void = () => undefined,
): Promise<PlanRun> {
  await using field = await planField();
  const run = {
    decisions: 0,
    exact: 0,
    tooComplex: 0,
    texts: 0,
    refusedTexts: 0,
    died: [] as number[],
    disagreements: [] as Disagreement[],
  };
  for (let round = 0; run.decisions < decisions && run.disagreements.length < disagreementsMax; round++)
    await oneRound(field, seed * 1_000_000 + round * partsAtOnce, run, shows);
  return run;
}

type Counts = { -readonly [K in keyof PlanRun]: PlanRun[K] } & {
  disagreements: Disagreement[];
  died: number[];
};

/** Several texts in one process, each on its own port. */
async function oneRound(
  field: PlanField,
  firstSeed: number,
  run: Counts,
  shows: (found: Disagreement) => void,
): Promise<void> {
  const ports = await field.ports(partsAtOnce);
  let parts = ports.map((port, index) => ({
    port,
    seed: firstSeed + index,
    text: partOf(firstSeed + index, index, port, field.machine),
  }));
  let started = await field.start(parts.map(({ text }) => text).join('\n'));
  if ('refused' in started) {
    const good: typeof parts = [];
    for (const part of parts) {
      const alone = await field.start(part.text);
      if ('refused' in alone) run.refusedTexts += 1;
      else {
        await alone[Symbol.asyncDispose]();
        good.push(part);
      }
    }
    parts = good;
    if (parts.length === 0) return;
    started = await field.start(parts.map(({ text }) => text).join('\n'));
    if ('refused' in started) return;
  }
  await using nginx = started;
  for (const { port, seed, text } of parts) {
    run.texts += 1;
    const lifted = liftNginx(
      { file: 'nginx.conf', folder: '/etc/nginx', text },
      { find: () => [], read: () => null },
    );
    const requests = requestsFor(text, requestsPerPart, chanceOf(seed + 7));
    for (let at = 0; at < requests.length; at += requestsAtOnce) {
      const group = requests.slice(at, at + requestsAtOnce);
      const answers = await Promise.all(group.map((asked) => nginx.ask(port, asked)));
      if (!(await nginx.lives(port))) {
        run.died.push(seed);
        return;
      }
      for (const [index, asked] of group.entries()) {
        const { ways, exact } = meaning.fateOf(lifted, requestFor(asked, port));
        run.decisions += 1;
        if (exact) run.exact += 1;
        const reasons = ways.map(({ fate }) =>
          differs(fate, answers[index] ?? null, asked, text, field.machine.root),
        );
        if (ways.some(({ fate }) => fate.kind === 'unknown' && fate.why === 'complex')) run.tooComplex += 1;
        else if (!reasons.includes(null)) {
          const found = { seed, text, asked, why: reasons.join(' | ') };
          run.disagreements.push(found);
          shows(found);
        }
      }
    }
  }
}

function requestFor(asked: Asked, port: number): meaning.Request {
  const headers = { ...asked.headers, connection: 'close', 'content-length': '0' };
  return meaning.requestOf({
    ...asked,
    headers,
    scheme: 'http',
    address: '127.0.0.1',
    port,
    sourceAddress: '127.0.0.1',
  });
}
