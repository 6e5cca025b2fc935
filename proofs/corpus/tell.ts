/** What was found in a corpus, for people: a line for each case, and a table at the end. */
import type { Proof } from '../proof.ts';
import type { Asked, Report, TextReport } from './child.ts';
import type { Case } from './find.ts';

export type Judged =
  | { readonly kind: 'done'; readonly report: Report; readonly ms: number }
  | { readonly kind: 'late'; readonly ms: number }
  | { readonly kind: 'crashed'; readonly said: string; readonly ms: number };

const liftMsMax = 10_000;
const leastExact = { haproxy: 90, nginx: 85 } as const;
const shown = 3;

/** The first line says it all; what is not understood, or wrong, stands below. */
export function lineOf(one: Case, judged: Judged): readonly string[] {
  const name = one.name.padEnd(28);
  if (judged.kind === 'late') return [`${name}  TOOK TOO LONG (${Math.round(judged.ms)} ms)`];
  if (judged.kind === 'crashed') return [`${name}  CRASHED: ${judged.said.slice(0, 800)}`];
  const { report } = judged;
  if (report.kind === 'other') return [`${name}  ${report.why}`];
  const faults = report.asked.disagreements.slice(0, shown).map((fault) => `      ✗ ${fault}`);
  if (report.kind === 'edit') {
    const { before, after, differences, confirmed, settings, asked } = report;
    const accepted = `${word(before)} -> ${word(after)}`;
    const what = `${differences} differences, ${confirmed} confirmed, ${settings} settings; ${asked.proven} answers as foretold`;
    return [`${name}  ${accepted}  ${what}`, ...refusals(after), ...faults];
  }
  const { text, asked, otherwise } = report;
  const same =
    otherwise.length === 0
      ? 'the same when reformatted'
      : `NOT THE SAME when reformatted (${otherwise.join('; ')})`;
  return [
    `${name}  ${word(text)}  ${text.notUnderstood.length === 0 ? 'understood' : 'not all understood'}  ${same}; ${asked.proven} answers as foretold`,
    ...refusals(text),
    ...text.notUnderstood.slice(0, shown).map(({ line, why, text: said }) => `      ${line} ${why}: ${said}`),
    ...faults,
  ];
}

const word = ({ refused }: TextReport) => (refused === null ? 'accepted' : 'refused ');

function refusals({ refused }: TextReport): readonly string[] {
  if (refused === null) return [];
  const lines = refused.split('\n').filter((line) => /ALERT|emerg/.test(line));
  return [
    `      the engine: ${(lines[0] ?? refused).replace(/^\[\w+\]\s*(?:\(\d+\)\s*:)?\s*/, '').slice(0, 200)}`,
  ];
}

/** Figures and table. */
export function tellAll(
  proof: Proof,
  cases: readonly Case[],
  done: ReadonlyMap<string, Judged>,
  limits: { readonly msMax: number; readonly heapMegabytesMax: number },
): void {
  const all = cases.flatMap((one) => {
    const judged = done.get(one.name);
    return judged ? [{ one, judged }] : [];
  });
  const reports = all.flatMap(({ one, judged }) =>
    judged.kind === 'done' ? [{ one, report: judged.report }] : [],
  );
  for (const dialect of ['haproxy', 'nginx'] as const) tellDialect(proof, dialect, reports);
  const asked = reports.flatMap(({ report }) => ('asked' in report ? [report.asked] : []));
  tellAsked(proof, asked);
  proof.say('Limits');
  proof.atMost(`cases that were not looked at, of ${cases.length}`, cases.length - all.length, 0);
  proof.atMost('crashed', all.filter(({ judged }) => judged.kind === 'crashed').length, 0);
  proof.atMost(
    `took longer than ${limits.msMax / 1000} s`,
    all.filter(({ judged }) => judged.kind === 'late').length,
    0,
  );
  const texts = reports.flatMap(({ report }) => textsOf(report));
  proof.atMost(
    'the longest that a text took to be understood',
    most(texts.map(({ liftMs }) => liftMs)),
    liftMsMax,
    'ms',
  );
  proof.atMost(
    'the longest plan',
    most(reports.flatMap(({ report }) => (report.kind === 'edit' ? [report.planMs] : []))),
    liftMsMax,
    'ms',
  );
  proof.atMost(
    'memory of a process, at most',
    most(reports.map(({ report }) => report.residentMegabytes)),
    limits.heapMegabytesMax * 2,
    'MB',
  );
}

const most = (numbers: readonly number[]) => numbers.reduce((a, b) => Math.max(a, b), 0);
const textsOf = (report: Report) =>
  report.kind === 'file' ? [report.text] : report.kind === 'edit' ? [report.before, report.after] : [];

type Reported = { readonly one: Case; readonly report: Report };

function tellDialect(proof: Proof, dialect: 'haproxy' | 'nginx', all: readonly Reported[]): void {
  const files = all.flatMap(({ one, report }) =>
    one.kind === 'file' && one.source.dialect === dialect && report.kind === 'file' ? [report] : [],
  );
  const edits = all.flatMap(({ one, report }) =>
    one.kind === 'edit' && one.after.dialect === dialect && report.kind === 'edit' ? [report] : [],
  );
  if (files.length + edits.length === 0) return;
  proof.say(dialect);
  const accepted = files.filter(({ text }) => text.refused === null);
  const exact = accepted.filter(({ text }) => text.notUnderstood.length === 0);
  proof.tell('files', files.length);
  proof.tell('that the engine accepts', accepted.length);
  if (accepted.length > 0)
    proof.atLeast(
      'of them wholly understood, of 100',
      (100 * exact.length) / accepted.length,
      leastExact[dialect],
    );
  proof.tell(
    'of all files wholly understood',
    files.filter(({ text }) => text.notUnderstood.length === 0).length,
  );
  const otherwise = accepted.filter((one) => one.otherwise.length > 0);
  proof.atMost('of them not the same when they are reformatted', otherwise.length, 0);
  if (edits.length === 0) return;
  const both = edits.filter(({ before, after }) => before.refused === null && after.refused === null);
  proof.tell('edits', edits.length);
  proof.tell('edits of which the engine accepts both texts', both.length);
  proof.tell(
    'of them with differences or settings',
    both.filter((one) => one.differences + one.settings > 0).length,
  );
  const sum = (of: (one: (typeof both)[number]) => number) => both.reduce((total, one) => total + of(one), 0);
  proof.tell(
    'differences',
    sum(({ differences }) => differences),
  );
  proof.tell(
    'confirmed by the real engine, old and new',
    sum(({ confirmed }) => confirmed),
  );
}

function tellAsked(proof: Proof, asked: readonly Asked[]): void {
  proof.say('The real engines, with servers that say who they are');
  proof.tell(
    'answers as foretold',
    asked.reduce((sum, { proven }) => sum + proven, 0),
  );
  const reasons = new Map<string, number>();
  for (const { notProvable } of asked)
    for (const [why, count] of Object.entries(notProvable)) reasons.set(why, (reasons.get(why) ?? 0) + count);
  for (const [why, count] of [...reasons].toSorted((a, b) => b[1] - a[1]))
    proof.tell(`not asked: ${why}`.slice(0, 63), count);
  proof.atMost(
    'answers that are not as foretold',
    asked.reduce((sum, { disagreements }) => sum + disagreements.length, 0),
    0,
  );
}
