/** All that mutants are asked. */
import { blowUps } from './blow-ups.ts';
import { falling } from './fallen.ts';
import { foldings } from './foldings.ts';
import type { Question } from './judged.ts';
import { listMeanings } from './lists.ts';
import { tabled } from './machines.ts';
import { pointedMeanings, ruledMeanings } from './meanings.ts';
import { refusedTexts } from './refused.ts';
import { settingsPairs } from './settings.ts';
import { statedTexts } from './stated.ts';
import { pairsOf, record } from './tape.ts';

/** Of the shortest texts: long ones need seconds. */
const pairsMax = 100;
const ruledCount = 100;
const pointedCount = 200;
const listCount = 140;
const blowUpCount = 300;
const settingsCount = 40;
const fallingCount = 60;
const foldingCount = 400;
const tableCount = 400;

/** @param tell hears how many of what there are. */
export async function questionsOf(
  seed: number,
  decisions: number,
  tell: (name: string, count: number | string) => void,
): Promise<readonly Question[]> {
  const [haproxy, nginx] = [await record('haproxy', seed, decisions), await record('nginx', seed, decisions)];
  const meanings = [
    ...pointedMeanings(seed, pointedCount),
    ...ruledMeanings(seed, ruledCount),
    ...listMeanings(seed, listCount),
  ];
  const tables = tabled(seed, tableCount);
  const recorded = haproxy.recorded
    .flatMap((one, at) => [one, nginx.recorded[at]].flatMap((it) => it ?? []))
    .concat(nginx.recorded.slice(haproxy.recorded.length));
  const pairs = pairsOf(recorded, pairsMax);
  const { refused, passedOver } = refusedTexts();
  tell('decisions of real engines', haproxy.decisions + nginx.decisions);
  tell('of which the model says wrong as it stands: left out', haproxy.wrong + nginx.wrong);
  for (const { engine, seed: text, kind } of [...haproxy.disagreements, ...nginx.disagreements])
    tell(`  prove:plan -- --engine ${engine} --text ${text}`, kind);
  tell('comparisons of two texts', pairs.length);
  tell('comparisons of two meanings', meanings.length);
  tell('tables, classes and expressions', tables.length);
  tell('lines that an engine refuses, and that are said not to be understood', refused.length);
  tell('lines that an engine refuses, passed over: left out', passedOver.length);
  const blowing = blowUps(seed, blowUpCount);
  tell('expressions that are tried for ever, or not', blowing.agreed.length);
  tell('of which only the one that tries says so: left out', blowing.missed.length);
  const others = [...settingsPairs(seed, settingsCount), ...falling(seed, fallingCount)];
  const stated = statedTexts();
  tell('texts of which anybody can say what they do', stated.length);
  const folded = foldings(seed, foldingCount);
  tell('values that a text decides of, and expressions that it reads', folded.length);
  tell('settings that change, and hosts that fall to a default', others.length);
  return [
    ...refused,
    ...blowing.agreed,
    ...others,
    ...stated,
    ...folded,
    ...tables,
    ...meanings,
    ...recorded,
    ...pairs,
  ];
}
