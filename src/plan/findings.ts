import type { FindingView, UnreachableRule } from '#contract';
import { meaning } from '#routing';
import { followed } from './redirects.ts';
import { actionOf, actionText, ruleView, witnessText, witnessView } from './view.ts';

/** What is worth a look in the new text. `witnesses`: requests whose redirects are followed. */
export function findingsIn(
  before: meaning.Meaning,
  text: meaning.Meaning,
  witnesses: readonly meaning.Request[],
): { readonly unreachable: readonly UnreachableRule[]; readonly findings: readonly FindingView[] } {
  const { steps, pools, complete } = meaning.unreached(text);
  return {
    unreachable: steps.map(({ step, takenBy }) => {
      const { file, line, text: rule } = ruleView(step);
      return { file, line, rule, by: shortened(takenBy) };
    }),
    findings: [
      ...pools.map(({ name, place }) => ({
        kind: 'pool not reached',
        place,
        message: `no request reaches pool ${name}`,
      })),
      ...(complete ? [] : [notAllLookedAt]),
      ...meaning.blowUps(text).map(({ regex, step }) => ({
        kind: 'expression without end',
        place: step.place,
        message: `the expression ${shownRegex(regex.source)} may be tried for ever: a value of some dozen bytes has it tried in more ways than an engine can`,
      })),
      ...newlyFallen(before, text),
      ...witnesses.flatMap((witness) => redirectLoop(text, witness)),
    ],
  };
}

const notAllLookedAt: FindingView = {
  kind: 'not all looked at',
  place: null,
  message:
    'a limit was met: there may be more rules that no request comes to, and more pools that none reaches',
};

const regexCharsMax = 80;
const shownRegex = (source: string) =>
  source.length > regexCharsMax ? `${source.slice(0, regexCharsMax)}...` : source;
/** A host that has always fallen to the default is known to whoever wrote it. */
function newlyFallen(before: meaning.Meaning, text: meaning.Meaning): FindingView[] {
  const fallen = meaning.fallenHosts(text);
  if (fallen.length === 0) return [];
  const known = new Set(meaning.fallenHosts(before).map(({ host }) => host));
  const found = fallen.filter(({ host }) => !known.has(host));
  return [...new Map(found.map((one) => [one.host, one])).values()].map(({ host, fate, step }) => ({
    kind: 'host falls to the default',
    place: step.place,
    message: `GET / of ${host} is taken by no rule for it, and falls to the default: ${actionText(actionOf(fate))}`,
  }));
}

const shownMax = 5;

function shortened(steps: readonly meaning.Step[]): readonly string[] {
  const shown = steps.slice(0, shownMax).map(({ place, text }) => `${place.file}:${place.line} ${text}`);
  return steps.length > shownMax ? [...shown, `${steps.length - shownMax} more`] : shown;
}

function redirectLoop(text: meaning.Meaning, witness: meaning.Request): FindingView[] {
  const loop = followed(text, witness);
  if (!loop) return [];
  const place = loop.step?.place ?? null;
  const message = `${witnessText(witnessView(witness))} is redirected in a circle: ${loop.locations.join(' -> ')}`;
  return [{ kind: 'redirect loop', place, message }];
}
