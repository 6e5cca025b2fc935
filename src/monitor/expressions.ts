import type { Condition, PrometheusSeries, PrometheusSource } from './settings/index.ts';
import type { Stated } from './stated.ts';

/** What Prometheus said of one series, or why it said nothing. */
export type ExpressionAnswer =
  | { readonly kind: 'values'; readonly values: readonly LabelledValue[] }
  | { readonly kind: 'nothing'; readonly why: string };

export interface LabelledValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ExpressionBook {
  add(source: PrometheusSource, series: PrometheusSeries, answer: ExpressionAnswer, now: number): void;
  stated(): readonly Stated[];
  /** Why no change may have traffic now, and since when (milliseconds since 1970) it was bad for as long as its series wants. */
  against(): readonly Objection[];
}

export interface Objection {
  readonly why: string;
  readonly since: number;
}

interface Known {
  readonly source: PrometheusSource;
  readonly series: PrometheusSeries;
  badSince: number | null;
  isBad: boolean;
  words: string;
  silent: number;
}

/** So often nothing is heard before that is told: no data is never the same as 'well'. */
const silentMax = 3;
const shownMax = 3;

/** Reads `GET /api/v1/query` of Prometheus's HTTP API. Never throws. */
export function readQueryAnswer(text: string): ExpressionAnswer {
  const nothing = (why: string): ExpressionAnswer => ({ kind: 'nothing', why });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return nothing('its answer is no JSON');
  }
  const { status, error, data } = (parsed ?? {}) as {
    status?: unknown;
    error?: unknown;
    data?: { resultType?: unknown; result?: unknown };
  };
  if (status !== 'success') return nothing(typeof error === 'string' ? error : 'it answers no success');
  if (data?.resultType === 'scalar') return valuesOf([{ metric: {}, value: data.result }]);
  if (data?.resultType === 'vector' && Array.isArray(data.result)) return valuesOf(data.result);
  return nothing(`the expression is a ${String(data?.resultType)}: it has to be a vector or a scalar`);
}

function valuesOf(result: readonly unknown[]): ExpressionAnswer {
  const values = result.flatMap((one) => {
    const { metric, value } = (one ?? {}) as { metric?: unknown; value?: unknown };
    if (!Array.isArray(value) || typeof value[1] !== 'string') return [];
    const labels = Object.entries((metric ?? {}) as Record<string, unknown>);
    return [
      {
        labels: Object.fromEntries(labels.map(([name, said]) => [name, String(said)])),
        value: value[1] === '+Inf' ? Number.POSITIVE_INFINITY : Number(value[1].replace('Inf', 'Infinity')),
      },
    ];
  });
  return { kind: 'values', values };
}

export function isBadValue({ comparison, value: limit }: Condition, value: number): boolean {
  switch (comparison) {
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    case '==':
      return value === limit;
    case '!=':
      return value !== limit;
  }
}

/** Series of the team's own Prometheus as evidence: faults of their own, and a veto for changes. */
export function expressionBook(): ExpressionBook {
  const all = new Map<string, Known>();
  return {
    add(source, series, answer, now) {
      const key = `${source.name}/${series.name}`;
      const one = all.get(key) ?? { source, series, badSince: null, isBad: false, words: '', silent: 0 };
      all.set(key, one);
      if (answer.kind === 'nothing') {
        // What was bad stays bad: it is not well because nobody says so.
        one.silent += 1;
        if (!one.isBad) one.words = answer.why;
        return;
      }
      one.silent = 0;
      const bad = answer.values.filter(({ value }) => isBadValue(series.bad, value));
      one.badSince = bad.length === 0 ? null : (one.badSince ?? now);
      one.isBad = one.badSince !== null && now - one.badSince >= series.forMs;
      if (bad.length > 0) one.words = bad.slice(0, shownMax).map(valueWords).join(', ');
    },
    stated: () => [
      ...[...all].flatMap(([key, one]) => (one.isBad && one.series.alert ? [firing(key, one)] : [])),
      ...silences([...all.values()]),
    ],
    against: () =>
      [...all].flatMap(([key, { series, isBad, badSince, words }]) =>
        isBad && series.gate
          ? [
              {
                why: `series ${key} is bad (${conditionWords(series)}): ${words}`,
                since: (badSince ?? 0) + series.forMs,
              },
            ]
          : [],
      ),
  };
}

function valueWords({ labels, value }: LabelledValue): string {
  const pairs = Object.entries(labels).filter(([name]) => name !== '__name__');
  const shown = pairs.map(([name, said]) => `${name}="${said}"`).join(', ');
  return shown === '' ? String(value) : `${value} of {${shown}}`;
}

function conditionWords({ bad: { comparison, value } }: PrometheusSeries): string {
  return `bad is ${comparison} ${value}`;
}

function firing(key: string, { series, words }: Known): Stated {
  const sentence = `series ${key} is ${words} (${conditionWords(series)})`;
  return {
    key: `series ${key}`,
    series: 'expression',
    scope: { kind: 'site' },
    severity: series.severity,
    usersSee: sentence,
    evidence: [`${series.expression}: ${words}`],
    verdict: {
      sentence,
      culprits: [{ kind: 'site' }],
      certain: false,
      change: null,
      place: series.place,
      advice: `look at ${series.expression} in Prometheus, and at \`holdfast changes\``,
    },
    isSymptom: false,
  };
}

function silences(all: readonly Known[]): Stated[] {
  const silent = all.filter((one) => one.silent >= silentMax);
  const sources = [...new Map(silent.map((one) => [one.source.name, one])).values()];
  return sources.map(({ source, series, words }) => {
    const scope = { kind: 'name' as const, host: new URL(source.url).host };
    const sentence = `Prometheus ${source.name} (${source.url}) tells nothing of ${series.name}: ${words}`;
    return {
      key: `prometheus ${source.name}`,
      series: 'silence' as const,
      scope,
      severity: 'warning' as const,
      usersSee: 'nothing: evidence is missing',
      evidence: [sentence],
      verdict: {
        sentence,
        culprits: [scope],
        certain: true,
        change: null,
        place: series.place,
        advice: `look at ${source.url}, and at the expression: \`holdfast check monitor.yaml\``,
      },
      isSymptom: false,
    };
  });
}
