import type { Family } from './metrics.ts';

/** What stands for the process in every export. */
export interface OtlpResource {
  readonly site: string;
  readonly version: string;
  /** Milliseconds since 1970: counters count from there. */
  readonly startedAt: number;
}

const cumulative = 2;

/** Families as the body of OTLP/HTTP `POST /v1/metrics`, JSON encoded: proto3's JSON, where 64-bit numbers are strings. */
export function otlpMetrics(
  families: readonly Family[],
  { site, version, startedAt }: OtlpResource,
  now: number,
) {
  const nano = (ms: number) => `${Math.round(ms)}000000`;
  return {
    resourceMetrics: [
      {
        resource: {
          attributes: attributesOf({
            'service.name': 'holdfast',
            'service.version': version,
            'service.instance.id': site,
          }),
        },
        scopeMetrics: [
          {
            scope: { name: 'holdfast', version },
            metrics: families
              .filter(({ samples }) => samples.length > 0)
              .map(({ name, kind, help, samples }) => {
                const dataPoints = samples.map(([labels, value]) => ({
                  attributes: attributesOf(labels),
                  ...(kind === 'counter' ? { startTimeUnixNano: nano(startedAt) } : {}),
                  timeUnixNano: nano(now),
                  asDouble: value,
                }));
                const described = { name, description: help, unit: unitOf(name) };
                return kind === 'counter'
                  ? {
                      ...described,
                      sum: { dataPoints, aggregationTemporality: cumulative, isMonotonic: true },
                    }
                  : { ...described, gauge: { dataPoints } };
              }),
          },
        ],
      },
    ],
  };
}

/** UCUM. */
function unitOf(name: string): string {
  if (/_seconds(?:_total)?$/.test(name)) return 's';
  return '1';
}

function attributesOf(labels: Readonly<Record<string, string>>) {
  return Object.entries(labels).map(([key, stringValue]) => ({ key, value: { stringValue } }));
}
