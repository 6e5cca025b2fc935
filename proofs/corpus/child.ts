/** The child of `prove:corpus`: one case of a corpus, looked at from all sides. */
import { messageOf } from '#base';
import { liftOwn } from '#dialects';
import { planOf } from '#plan';
import { type Outcome, proveOwn, type TextProof } from '#prove';
import { meaning } from '#routing';
import { seededRandom } from '../../test/world/random.ts';
import type { Case, Source } from './find.ts';
import { type ReadText, readSource, readText } from './read.ts';
import { forms, reformatted } from './reformat.ts';
import { requestsFor } from './requests.ts';

export interface Job {
  readonly folder: string;
  /** All files below it, for whatever is included. */
  readonly files: readonly string[];
  readonly one: Case;
  readonly seed: number;
}

export interface TextReport {
  readonly lines: number;
  readonly liftMs: number;
  /** In the words of the engine; null: it accepts the text. */
  readonly refused: string | null;
  readonly notUnderstood: readonly { readonly line: string; readonly why: string; readonly text: string }[];
}

export interface Asked {
  readonly proven: number;
  /** By reason. */
  readonly notProvable: Readonly<Record<string, number>>;
  readonly disagreements: readonly string[];
}

export type Report = (
  | {
      readonly kind: 'file';
      readonly text: TextReport;
      readonly asked: Asked /** Ways of writing after which it was not the same, with what was said to differ. */;
      readonly otherwise: readonly string[];
    }
  | {
      readonly kind: 'edit';
      readonly before: TextReport;
      readonly after: TextReport;
      readonly planMs: number;
      readonly differences: number;
      readonly settings: number;
      /** Differences that both engines, old and new, confirmed. */
      readonly confirmed: number;
      readonly asked: Asked;
    }
  | { readonly kind: 'other'; readonly why: string }
) & { readonly residentMegabytes: number };

const requestsPerText = 24;
const proofMsMax = 40_000;
const listedMax = 10;

async function look({ folder, files, one, seed }: Job): Promise<Omit<Report, 'residentMegabytes'>> {
  if (one.kind === 'other') return other(one.path);
  const read = (source: Source) => readSource(source, folder, files);
  if (one.kind === 'file') return await file(read(one.source), seed);
  return await edit(read(one.before), read(one.after), seed);
}

/** Nobody can tell what it is: no lift may break on it. */
function other(path: string): { readonly kind: 'other'; readonly why: string } {
  const text = readText(path);
  const nowhere = { find: () => [], read: () => null, environment: () => null };
  for (const dialect of ['haproxy', 'nginx'] as const)
    liftOwn({ file: path, folder: '/', text }, dialect, nowhere);
  return { kind: 'other', why: 'neither HAProxy nor NGINX' };
}

async function file(text: ReadText, seed: number) {
  const { lifted, report } = liftedOf(text);
  const requests = requestsFor(text.text, lifted, seededRandom(seed), requestsPerText);
  const proof = await proveOwn({ ...text, meaning: lifted }, requests, { withinMs: proofMsMax });
  const asked = askedOf(proof.outcomes, text.file);
  const otherwise = [
    ...writtenOtherwise(text, lifted),
    ...(proof.refused === null ? await stillAccepted(text) : []),
  ];
  return { kind: 'file' as const, text: { ...report, refused: proof.refused }, asked, otherwise };
}

function liftedOf(text: ReadText): {
  readonly lifted: meaning.Meaning;
  readonly report: Omit<TextReport, 'refused'>;
} {
  const began = performance.now();
  const lifted = liftOwn(text, text.dialect, text.files);
  const liftMs = performance.now() - began;
  const notUnderstood = lifted.notUnderstood.slice(0, listedMax).map(({ place, why, text: said }) => ({
    line: `${place.file}:${place.line}`,
    why,
    text: said.slice(0, 160),
  }));
  return { lifted, report: { lines: text.text.split('\n').length, liftMs, notUnderstood } };
}

function writtenOtherwise(text: ReadText, lifted: meaning.Meaning): readonly string[] {
  const before = { file: text.file, dialect: text.dialect, meaning: lifted };
  return Object.entries(forms[text.dialect]).flatMap(([name, form]) => {
    const changed = form(text.text);
    if (changed === text.text) return [];
    const after = liftOwn({ ...text, text: changed }, text.dialect, text.files);
    const plan = planOf(before, { ...before, meaning: after }, { traffic: null, policies: [] });
    if (plan.same) return [];
    const [difference] = plan.differences;
    const [setting] = plan.settings;
    const what = difference
      ? `${difference.requests}: ${difference.before.kind} -> ${difference.after.kind}`
      : setting
        ? `${setting.scope} ${setting.name}: ${setting.before} -> ${setting.after}`
        : 'lines that are not understood';
    return [`${name}: ${what}`.slice(0, 300)];
  });
}

/** Else it is we who wrote nonsense. */
async function stillAccepted(text: ReadText): Promise<readonly string[]> {
  const changed = reformatted(text.text, text.dialect);
  if (changed === text.text) return [];
  const { refused } = await proveOwn({ ...text, text: changed }, [], { withinMs: proofMsMax });
  return refused === null ? [] : [`the engine refuses it: ${refused.slice(0, 200)}`];
}

async function edit(before: ReadText, after: ReadText, seed: number) {
  const [was, is] = [liftedOf(before), liftedOf(after)];
  const began = performance.now();
  const plan = planOf(
    { file: before.file, dialect: before.dialect, meaning: was.lifted },
    { file: after.file, dialect: after.dialect, meaning: is.lifted },
    { traffic: null, policies: [] },
  );
  const planMs = performance.now() - began;
  const { differences } = meaning.difference(was.lifted, is.lifted);
  const witnesses = differences.map(({ witness }) => witness);
  const more = requestsFor(after.text, is.lifted, seededRandom(seed), requestsPerText / 3);
  const requests = [...witnesses, ...more];
  const old = await proveOwn({ ...before, meaning: was.lifted }, requests, { withinMs: proofMsMax });
  const now = await proveOwn({ ...after, meaning: is.lifted }, requests, { withinMs: proofMsMax });
  const isConfirmed = (_: unknown, index: number) =>
    confirms(old.outcomes[index]) && confirms(now.outcomes[index]);
  return {
    kind: 'edit' as const,
    before: { ...was.report, refused: old.refused },
    after: { ...is.report, refused: now.refused },
    planMs,
    differences: plan.differences.length,
    settings: plan.settings.length,
    confirmed: witnesses.filter(isConfirmed).length,
    asked: sum(askedOf(old.outcomes, before.file), askedOf(now.outcomes, after.file)),
  };
}

const confirms = (outcome: Outcome | undefined) => outcome?.kind === 'proven' || outcome?.why === nobody;
/** A listener that is new or gone: the other side has nobody to ask. */
const nobody = 'nobody listens there, so there is nobody to ask';

function askedOf(outcomes: TextProof['outcomes'], name: string): Asked {
  const notProvable: Record<string, number> = {};
  for (const { why } of outcomes.filter(({ kind }) => kind === 'not provable')) {
    const reason = why.split(':')[0] ?? why;
    notProvable[reason] = (notProvable[reason] ?? 0) + 1;
  }
  const disagreements = outcomes
    .filter(({ kind }) => kind === 'disagreement')
    .map(({ request: { method, scheme, host, port, path, query, headers, sourceAddress }, why, came }) =>
      `${name}: ${method} ${scheme}://${host}:${port}${path}${query === null ? '' : `?${query}`} ${JSON.stringify(headers)} from ${sourceAddress}: ${why}; came: ${came}`.slice(
        0,
        600,
      ),
    );
  return { proven: outcomes.filter(({ kind }) => kind === 'proven').length, notProvable, disagreements };
}

function sum(a: Asked, b: Asked): Asked {
  const notProvable = { ...a.notProvable };
  for (const [why, count] of Object.entries(b.notProvable))
    notProvable[why] = (notProvable[why] ?? 0) + count;
  return {
    proven: a.proven + b.proven,
    notProvable,
    disagreements: [...a.disagreements, ...b.disagreements],
  };
}

process.on('message', (job: Job) => {
  void look(job)
    .catch((error: unknown) => ({
      crashed: error instanceof Error ? (error.stack ?? error.message) : messageOf(error),
    }))
    .then((report) =>
      process.send?.({ ...report, residentMegabytes: process.resourceUsage().maxRSS / 1024 }),
    );
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
