/**
 * Texts of HAProxy in which no rule ends a request and each tells what came of it in a header of its own: one request asks all of
 * them, so that what few texts have is asked often.
 */
import type { Chance } from '../chance.ts';
import { expression } from '../expressions.ts';
import { noWords } from '../requests.ts';
import { hosts, type Ink, paths, sources } from './ink.ts';
import { question } from './questions.ts';
import { rareChange } from './rare-changes.ts';
import { rareQuestion } from './rare-questions.ts';
import { format, rule } from './rules.ts';
import type { MadeText } from './texts.ts';

const linesPerText = 20;

export function denseText(chance: Chance, prefix: string, filesAt: string): MadeText {
  const words = noWords();
  words.sources.push(...sources);
  words.paths.push(chance.pick(paths), '/');
  words.hosts.push(chance.pick(hosts));
  const ink: Ink = {
    chance,
    prefix,
    files: {},
    filesAt,
    words,
    acls: [],
    variables: ['txn.v0', 'txn.v1'],
    ruledBefore: false,
    isFront: true,
  };
  const make = chance.pick([usual, seldom, seldom, changing, changing, matching, matching, taking]);
  const lines = Array.from({ length: linesPerText }, (_, at) => make(ink, at)).flat();
  const all = [
    `userlist ${prefix}u`,
    '  user u insecure-password p',
    `frontend ${prefix}f`,
    '  mode http',
    '  BIND 80',
    '  BIND 443',
    '  http-request set-var(txn.v0) hdr(x-one)',
    '  http-request set-var(txn.v1) path,word(1,/)',
    ...lines.map((line) => `  ${line}`),
    `  default_backend ${prefix}p0`,
    ...Array.from({ length: 5 }, (_, pool) => [
      `backend ${prefix}p${pool}`,
      '  mode http',
      `  SERVER ${pool}`,
    ]).flat(),
    '',
  ];
  return { lines: all, words, files: ink.files, steady: make !== changing };
}

const told = (at: number, asked: string, { chance }: Ink) =>
  `http-request set-header x-q${at} yes if ${chance.percent(15) ? '!' : ''}{ ${asked} }`;

const usual = (ink: Ink, at: number) => [told(at, question(ink), ink)];
const seldom = (ink: Ink, at: number) => [told(at, rareQuestion(ink), ink)];

/** Mostly values that are told, and now and then what changes the request for those behind it. */
function changing(ink: Ink, at: number): readonly string[] {
  const { chance } = ink;
  if (chance.percent(35)) return [`http-request set-header x-q${at} ${format(ink)}`];
  const lines = rareChange(ink).map((line) =>
    line.replace(/ ((?:set|add)-header) x-(?:one|two|new|var) /, ` $1 x-q${at} `),
  );
  const [first = ''] = lines;
  if (/set-header|add-header|set-var/.test(first)) return lines;
  return chance.percent(12) ? lines : [rule(ink)].filter((line) => / set-var/.test(line));
}

/** Expressions of all kinds, and texts that they take. */
function matching(ink: Ink, at: number): readonly string[] {
  const { chance, words } = ink;
  const one = expression(chance);
  const isPath = chance.percent(65);
  for (let left = 3; left > 0; left -= 1) {
    const text = one.text(chance);
    if (isPath) words.paths.push(text.startsWith('/') ? text : `/${text}`);
    else words.headers.push(['x-one', text]);
  }
  const fold = chance.percent(20) ? ' -i' : '';
  const fetch = isPath ? 'path -m reg' : 'req.fhdr(x-one) -m reg';
  return [told(at, `${fetch}${fold} '${one.source}'`, ink)];
}

/** What groups take of a header. */
function taking(ink: Ink, at: number): readonly string[] {
  const { chance, words } = ink;
  const one = expression(chance);
  for (let left = 2; left > 0; left -= 1) {
    const text = one.text(chance);
    words.paths.push(text.startsWith('/') ? text : `/${text}`);
  }
  const groups = Array.from({ length: Math.min(one.groups, 3) }, (_, group) => `\\${group + 1}`);
  const by = ['x', ...groups, 'y', chance.pick(['', '\\0'])].join('-');
  return [
    `http-request set-header x-q${at} %[path]`,
    `http-request ${chance.pick(['replace-header', 'replace-header', 'replace-value'])} x-q${at} '${one.source}' '${by}'`,
  ];
}
