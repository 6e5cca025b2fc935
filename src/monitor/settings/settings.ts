import type { Place, SecretRef } from '#base';
import type { FaultSeverity } from '#events';

/** All that a site's owner says about what is watched: monitor.yaml, read. docs/monitoring.md has it with an example. */
export interface Monitoring {
  readonly file: string;
  /** Of the whole site. */
  readonly falseAlarmsPerMonth: number;
  readonly objectives: readonly Objective[];
  readonly probes: readonly Probe[];
  readonly prometheus: readonly PrometheusSource[];
  readonly openTelemetry: OpenTelemetry | null;
  /** Hosts that may be asked although their addresses are inner ones. */
  readonly allowedHosts: readonly string[];
}

/** Whose requests an objective counts. */
export type ObjectiveOf =
  | { readonly kind: 'site' }
  | { readonly kind: 'listener'; readonly listener: string }
  | { readonly kind: 'route'; readonly route: string }
  | { readonly kind: 'pool'; readonly pool: string }
  | { readonly kind: 'probe'; readonly probe: string };

export interface Objective {
  readonly name: string;
  readonly of: ObjectiveOf;
  /** Of requests that are good, above 0 and below 1: `0.999`. */
  readonly share: number;
  /** Good is who answers within it; null: good is what is no error. */
  readonly withinMs: number | null;
  /** The budget is of so many days. */
  readonly windowDays: number;
  readonly place: Place;
}

export interface Probe {
  readonly name: string;
  readonly everyMs: number;
  readonly timeoutMs: number;
  readonly asks: ProbeAsks;
  readonly place: Place;
}

export const dnsTypes = ['A', 'AAAA', 'CNAME', 'MX', 'NS', 'TXT'] as const;
export type DnsType = (typeof dnsTypes)[number];

export type ProbeAsks =
  | {
      readonly kind: 'http';
      readonly url: string;
      readonly method: 'GET' | 'HEAD';
      /** From and to, both with. */
      readonly statuses: readonly { readonly from: number; readonly to: number }[];
      /** What the body holds; null: whatever. */
      readonly body: string | null;
      /** `balancers`: the same request to each balancer's own address. */
      readonly from: 'outside' | 'balancers';
      readonly certificateDays: number;
    }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | {
      readonly kind: 'tls';
      readonly host: string;
      readonly port: number;
      /** The name that is asked for, and that the certificate is held against. */
      readonly serverName: string;
      readonly certificateDays: number;
    }
  | {
      readonly kind: 'dns';
      readonly name: string;
      readonly type: DnsType;
      /** `192.0.2.53` or with a port; null: who the machine asks. */
      readonly server: string | null;
      /** All that it has to answer, in any order; empty: anything. */
      readonly expect: readonly string[];
    }
  /** Every server directly, from every balancer, as its health check asks. Null: of every pool. */
  | { readonly kind: 'servers'; readonly pool: string | null }
  /** One request for each listener and pool, through each balancer, while it has fewer requests a second than that. */
  | { readonly kind: 'ways'; readonly below: number };

export interface PrometheusSource {
  readonly name: string;
  readonly url: string;
  /** All of the header `Authorization`. */
  readonly authorization: SecretRef | null;
  readonly everyMs: number;
  readonly timeoutMs: number;
  readonly series: readonly PrometheusSeries[];
}

export const comparisons = ['>', '>=', '<', '<=', '==', '!='] as const;

/** What is bad about an expression's value. */
export interface Condition {
  readonly comparison: (typeof comparisons)[number];
  readonly value: number;
}

export interface PrometheusSeries {
  readonly name: string;
  /** PromQL. */
  readonly expression: string;
  readonly bad: Condition;
  /** It is bad for so long before it counts. */
  readonly forMs: number;
  /** A fault of its own. */
  readonly alert: boolean;
  /** While it is bad no change is given traffic, and one that has some is taken back. */
  readonly gate: boolean;
  readonly severity: FaultSeverity;
  readonly place: Place;
}

export interface OpenTelemetry {
  /** Where OTLP/HTTP metrics go: `https://collector.example:4318/v1/metrics`. */
  readonly url: string;
  readonly everyMs: number;
  readonly headers: readonly { readonly name: string; readonly value: SecretRef }[];
}
