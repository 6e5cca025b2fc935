/** Many decisions of a real engine, each against what the meaning of its text says. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSigned } from '../../test/world/certificate.ts';
import { type Asked, type Case, type EngineName, meaningOf, rootFiles } from './case.ts';
import { startHaproxy } from './haproxy/engine.ts';
import { verdictOf } from './judge.ts';
import { startNginx } from './nginx/engine.ts';
import { type Servers, startServers } from './servers.ts';
import { askAll, type Entrance, type Reply, shown } from './wire.ts';

/** What texts are made for. */
export interface Field {
  readonly folder: string;
  /** A folder with a few files. */
  readonly root: string;
  readonly servers: Servers;
}

/** A text in an engine that runs. */
export interface Trial {
  readonly case: Case;
  /** By the port that a request goes to. */
  readonly entrances: ReadonlyMap<number, Entrance>;
}

export interface RunningEngine {
  readonly trials: readonly Trial[];
  /** How many texts the engine did not take. */
  readonly refused: number;
  /** False: it has ended, as HAProxy and NGINX do not. */
  lives(): boolean;
  close(): Promise<void>;
}

/** Starts an engine with a text of each seed. */
export type Starter = (seeds: readonly number[], field: Field) => Promise<RunningEngine>;

export const starters = { haproxy: startHaproxy, nginx: startNginx } as const satisfies Record<
  EngineName,
  Starter
>;

export interface Disagreement {
  readonly engine: EngineName;
  readonly seed: number;
  readonly asked: string;
  readonly wrong: string;
  /** What is wrong without its words and numbers: those of one kind mostly have one cause. */
  readonly kind: string;
  /** The steps that decided, by the meaning. */
  readonly by: string;
  readonly text: string;
}

export interface Outcome {
  readonly decisions: number;
  /** How many were told from the text and the request alone. */
  readonly exact: number;
  /** How many the meaning says that it cannot tell. */
  readonly unsaid: number;
  readonly texts: number;
  /** Texts that the engine itself does not take. */
  readonly refused: number;
  /** Seeds of texts that the engine itself ended at. */
  readonly died: readonly number[];
  /** A few of each kind, a few of each text. */
  readonly disagreements: readonly Disagreement[];
  /** All there were. */
  readonly wrong: {
    readonly decisions: number;
    readonly texts: number;
    readonly kinds: Readonly<Record<string, number>>;
  };
  /** How many decisions had which kind of fate. */
  readonly kinds: Readonly<Record<string, number>>;
}

/** Hears of each text that was asked, with what came of each request. */
export type Listener = (one: Case, replies: readonly Reply[]) => void;

const textsPerProcess = { haproxy: 50, nginx: 25 } as const;
const shownOfKindMax = 3;
const shownOfTextMax = 2;
const serversCount = 5;

export async function decide(
  engine: EngineName,
  seed: number,
  wanted: number,
  heard: Listener = () => undefined,
  /** These texts alone. */
  only: readonly number[] | null = null,
  /** As `performance.now()` tells it: past it, what there is by then is all. */
  overAt = Number.POSITIVE_INFINITY,
): Promise<Outcome> {
  const sum = new Sum();
  const field = await openField();
  try {
    for (let next = seed * 1_000_000; sum.decisions < wanted && performance.now() < overAt; ) {
      const drawn = Array.from({ length: textsPerProcess[engine] }, (_, index) => next + index);
      const seeds = only ?? drawn;
      next += seeds.length;
      const running = await starters[engine](seeds, field);
      sum.refused += running.refused;
      try {
        for (const trial of running.trials) {
          if (sum.decisions >= wanted || performance.now() >= overAt) break;
          const replies = await asked(trial);
          if (!running.lives()) {
            sum.died.push(trial.case.seed);
            break;
          }
          sum.add(trial.case, replies);
          heard(trial.case, replies);
        }
      } finally {
        await running.close();
      }
      if (only !== null) break;
    }
  } finally {
    field.servers.close();
    rmSync(field.folder, { recursive: true, force: true });
  }
  return sum;
}

async function openField(): Promise<Field> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-plan-'));
  chmodSync(folder, 0o755);
  const root = join(folder, 'root');
  mkdirSync(join(root, 'folder'), { recursive: true });
  for (const name of rootFiles) writeFileSync(join(root, name), `file ${name}`);
  const pair = selfSigned('localhost');
  writeFileSync(join(folder, 'pair.pem'), pair.cert + pair.key);
  return { folder, root, servers: await startServers(folder, serversCount, pair) };
}

async function asked({ case: { asked: all }, entrances }: Trial): Promise<readonly Reply[]> {
  const replies: Reply[] = [];
  for (const [port, entrance] of entrances) {
    const there = all.flatMap(({ request }, index) => (request.port === port ? [index] : []));
    const got = await askAll(
      entrance,
      there.flatMap((index) => all[index] ?? []),
    );
    there.forEach((index, at) => {
      replies[index] = got[at] ?? { kind: 'closed' };
    });
  }
  return replies;
}

class Sum implements Outcome {
  decisions = 0;
  exact = 0;
  unsaid = 0;
  texts = 0;
  refused = 0;
  readonly died: number[] = [];
  readonly disagreements: Disagreement[] = [];
  readonly wrong = { decisions: 0, texts: 0, kinds: {} as Record<string, number> };
  readonly kinds: Record<string, number> = {};

  add(one: Case, replies: readonly Reply[]): void {
    this.texts += 1;
    const lifted = meaningOf(one);
    const before = this.wrong.decisions;
    one.asked.forEach((asked, index) => {
      const reply = replies[index];
      if (reply === undefined) return;
      const verdict = verdictOf(one, lifted, asked, reply);
      this.decisions += 1;
      if (verdict.said === 'exact') this.exact += 1;
      if (verdict.said === 'unsaid') this.unsaid += 1;
      else this.kinds[verdict.kind] = (this.kinds[verdict.kind] ?? 0) + 1;
      if (verdict.wrong !== null) this.#disagree(disagreement(one, asked, verdict.wrong, verdict.by));
    });
    if (this.wrong.decisions > before) this.wrong.texts += 1;
  }

  #disagree(one: Disagreement): void {
    const count = (this.wrong.kinds[one.kind] ?? 0) + 1;
    this.wrong.kinds[one.kind] = count;
    this.wrong.decisions += 1;
    const ofText = this.disagreements.filter(({ seed }) => seed === one.seed);
    if (count <= shownOfKindMax && ofText.length < shownOfTextMax) this.disagreements.push(one);
  }
}

function disagreement(one: Case, asked: Asked, wrong: string, by: string): Disagreement {
  const shape = wrong
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, '".."')
    .replaceAll(/ (?:to|of|saw) \S+( \S+)?|\d+/g, ' ..');
  const decided = by.split(' > ').at(-1)?.split(' ').slice(1, 3).join(' ') ?? '';
  const kind = `${shape.split(' | ')[0]} by ${decided}`;
  return { engine: one.engine, seed: one.seed, asked: shown(asked), wrong, kind, by, text: one.text };
}
