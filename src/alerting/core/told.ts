import type { AlertSeverity } from '#events';

/** An alert as a fact tells it, before it has its labels. */
export interface Told {
  readonly name: string;
  readonly severity: AlertSeverity;
  readonly labels?: Readonly<Record<string, string>>;
  /** What others come of, or what comes of others: the standing rules of inhibition ask for it. */
  readonly role?: 'cause' | 'symptom';
  readonly summary: string;
  /** What users see, what the cause is, what was done and what to do: a line each. */
  readonly users: string;
  readonly cause: string;
  readonly action: string;
  /** Facts that end it name one of these. */
  readonly until: readonly string[];
}

/** Names of what ends an alert: a fact that fires one and the fact that ends it agree on them. */
export const ending = {
  change: (id: string) => `change ${id}`,
  balancer: (name: string) => `balancer ${name}`,
  incident: (id: string) => `incident ${id}`,
  review: (id: string) => `review ${id}`,
  confirmation: (id: string) => `confirmation ${id}`,
  engine: (balancer: string) => `engine ${balancer}`,
  carried: (balancer: string) => `carried ${balancer}`,
  series: (balancer: string, series: string) => `series ${balancer} ${series}`,
  beside: (balancer: string, address: string) => `beside ${balancer} ${address}`,
  fault: (id: string) => `fault ${id}`,
  exhausted: (escalation: string) => `exhausted ${escalation}`,
  wayBack: 'way back',
  certificate: 'certificate',
  frozen: 'frozen',
  flood: 'flood',
  spare: (pool: string, server: string) => `spare ${pool}/${server}`,
  glass: (change: string) => `glass ${change}`,
} as const;

const lineMax = 400;

/** A page has lines; what people and engines said may have more than one. */
export function oneLine(text: string): string {
  const flat = text.replace(/\s*[\r\n]+\s*/g, '; ').trim();
  return flat.length > lineMax ? `${flat.slice(0, lineMax)}...` : flat;
}

/** `14:05 UTC` */
export function clockOf(at: number): string {
  return `${new Date(at).toISOString().slice(11, 16)} UTC`;
}
