import type { ActionView, CauseView, DifferenceView } from '#contract';

/** Differences with one cause, as people read them: one of each kind of outcome, the rest counted. */
export interface DifferenceGroup {
  readonly cause: CauseView;
  readonly shown: readonly DifferenceView[];
  readonly more: number;
}

const shownOfGroupMax = 6;

/** In the order of the differences: the group of the worst comes first. */
export function groupsOf(differences: readonly DifferenceView[]): readonly DifferenceGroup[] {
  const groups = new Map<string, DifferenceView[]>();
  for (const one of differences) {
    const key = JSON.stringify(one.cause);
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return [...groups.values()].flatMap((all) => {
    const [first] = all;
    if (!first) return [];
    const shown = kindsOf(all).slice(0, shownOfGroupMax);
    return [{ cause: first.cause, shown, more: all.length - shown.length }];
  });
}

/** Of differences with the same outcome, the one that depends on least and is told in the fewest words. */
function kindsOf(all: readonly DifferenceView[]): readonly DifferenceView[] {
  const kinds = new Map<string, DifferenceView>();
  for (const one of all) {
    const key = `${one.limit} ${one.severity} ${outcome(one.before)} ${outcome(one.after)}`;
    const known = kinds.get(key);
    if (!known || weight(one) < weight(known)) kinds.set(key, one);
  }
  return [...kinds.values()];
}

function weight({ unknown, requests, trafficShare }: DifferenceView): number {
  return unknown.length * 10_000 + requests.length - (trafficShare ?? 0) * 1_000_000;
}

function outcome(action: ActionView): string {
  switch (action.kind) {
    case 'pool':
      return `pool ${action.pool}`;
    case 'redirect':
      return `redirect ${action.status}`;
    case 'answer':
      return action.file === undefined ? `answer ${action.status}` : 'file';
    case 'reject':
    case 'unknown':
      return action.kind;
  }
}

/** `haproxy.cfg:12 use_backend api if is_api takes other requests`. */
export function causeText({ how, before, after }: CauseView): string {
  const place = (rule: CauseView['before']) =>
    rule ? `${rule.file}:${rule.line} ${rule.text}` : 'the default';
  switch (how) {
    case 'new':
    case 'gone':
    case 'takes other requests':
    case 'does otherwise':
      return `${place(after ?? before)} ${how === 'new' || how === 'gone' ? `is ${how}` : how}`;
    case 'rewritten':
      return `${place(before)} is now ${place(after)}`;
    case 'order':
      return `${place(after)} comes before ${before?.text ?? 'the default'}`;
  }
}
