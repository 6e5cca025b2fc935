import type { PlanView } from '#contract';

/** `3 classes of requests are treated differently (41 % of recent traffic), 2 settings change`. */
export function summaryOf({ same, differences, settings, policies, traffic }: PlanView): string {
  const broken = policies.filter(({ held }) => !held).length;
  const parts = [
    differences.length === 0
      ? 'no request is treated differently'
      : `${count(differences.length, 'class of requests is', 'classes of requests are')} treated differently`,
    ...(traffic && differences.length > 0
      ? [`${percent(traffic.moved / Math.max(1, traffic.requests))} of recent traffic`]
      : []),
    ...(settings.length > 0 ? [count(settings.length, 'setting changes', 'settings change')] : []),
    ...(broken > 0 ? [count(broken, 'policy does not hold', 'policies do not hold')] : []),
    ...(!same && differences.length + settings.length === 0
      ? ['but not all could be compared: lines that are not understood change, or a limit was met']
      : []),
  ];
  return parts.join(', ');
}

export function count(number: number, one: string, many: string): string {
  return `${grouped(number)} ${number === 1 ? one : many}`;
}

/** As `toLocaleString('en')` writes it, without its tables of all languages, which take longer to load than a small plan takes. */
function grouped(number: number): string {
  return `${number}`.replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** Never `0 %` of what is something, never `100 %` of what is not all. */
export function percent(share: number): string {
  if (share <= 0) return '0 %';
  if (share < 0.001) return 'under 0.1 %';
  if (share > 0.999 && share < 1) return 'over 99.9 %';
  const digits = share < 0.1 ? 2 : 3;
  return `${Number((share * 100).toPrecision(digits))} %`;
}
