import type { Condition } from '../condition.ts';
import { firstWayOf } from '../fate/fate.ts';
import { requestOf } from '../fate/request.ts';
import type { FateView } from '../fate/view.ts';
import type { ListenerMeaning, Meaning, Rules, Step } from '../meaning.ts';
import { wanted } from './tried.ts';

/** A host that rules of a listener name, and whose plain requests none of them takes. */
export interface FallenHost {
  readonly host: string;
  readonly listener: ListenerMeaning;
  /** What the default makes of them. */
  readonly fate: FateView;
  /** The first rule that names it. */
  readonly step: Step;
}

const hostsMax = 200;
/** With fewer it is how the text is written, and no oversight. */
const ownShareMin = 2 / 3;

/**
 * Hosts whose `GET /` falls to the default, on listeners where that of most others is taken by a rule for the host: where
 * it is usual, nothing is told.
 */
export function fallenHosts(meaning: Meaning): readonly FallenHost[] {
  return meaning.listeners.flatMap((listener) => {
    if (listener.mode !== 'http' || listener.port === null) return [];
    const named = new Map<string, Step>();
    nameHosts(listener.rules, named, new Set());
    const fallen: FallenHost[] = [];
    let own = 0;
    for (const [host, step] of [...named].slice(0, hostsMax)) {
      const scheme = listener.tls ? 'https' : 'http';
      const asked = requestOf({ host, scheme, port: listener.port, address: listener.host });
      const { steps, fate, assuming } = firstWayOf(meaning, asked, {});
      if (steps.some(({ when }) => hostsOf(when).includes(host))) own += 1;
      else if (assuming.length === 0 && steps.every(({ when }) => when.kind === 'always'))
        fallen.push({ host, listener, fate, step });
    }
    return own >= (own + fallen.length) * ownShareMin ? fallen : [];
  });
}

const hostsOf = (when: Condition): readonly string[] => wanted(when).flatMap(({ host }) => host ?? []);

function nameHosts({ steps }: Rules, named: Map<string, Step>, seen: Set<Rules>): void {
  for (const step of steps) {
    if (step.then.kind === 'continue' || named.size >= hostsMax) continue;
    for (const host of hostsOf(step.when)) if (!named.has(host)) named.set(host, step);
    if (step.then.kind !== 'rules' || seen.has(step.then.rules)) continue;
    seen.add(step.then.rules);
    nameHosts(step.then.rules, named, seen);
  }
}
