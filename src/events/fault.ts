import type { Place } from '#base';

/** What is watched, each by its own detector. */
export const faultSeries = [
  'errors',
  'retries',
  'connectionErrors',
  'resets',
  'hung',
  'latency',
  'traffic',
  'silence',
  'saturation',
  'probes',
  'certificate',
  'objective',
  'expression',
] as const;
export type FaultSeries = (typeof faultSeries)[number];

/** Where something is, as narrowly as it is known. */
export type FaultScope =
  | { readonly kind: 'site' }
  | { readonly kind: 'listener'; readonly listener: string }
  | { readonly kind: 'route'; readonly route: string }
  | { readonly kind: 'balancer'; readonly balancer: string }
  | { readonly kind: 'pool'; readonly pool: string }
  | { readonly kind: 'server'; readonly pool: string; readonly server: string }
  /** Servers that share an address, a host name's beginning or a stated zone, and fail together. */
  | { readonly kind: 'zone'; readonly zone: string }
  /** Between a balancer and servers that others reach. */
  | { readonly kind: 'network'; readonly balancer: string; readonly pool: string }
  | { readonly kind: 'name'; readonly host: string }
  | { readonly kind: 'certificate'; readonly file: string }
  /** The machine of a balancer: memory, descriptors, disk, connection tracking. */
  | { readonly kind: 'host'; readonly balancer: string; readonly resource: string }
  | { readonly kind: 'change'; readonly change: string; readonly place: Place | null }
  | { readonly kind: 'clients' };

export type FaultSeverity = 'critical' | 'error' | 'warning';

/** What a fault is told with, from the first suspicion to its end. */
export interface FaultFacts {
  /** `fault-3`: the same in all that is told of it. */
  readonly fault: string;
  /** What spoke first. */
  readonly series: FaultSeries;
  /** `critical`: users see it; `error`: some do; `warning`: nobody does yet. */
  readonly severity: FaultSeverity;
  /** Where it was seen; where it comes from is for the verdict. */
  readonly scope: FaultScope;
  /** Milliseconds since 1970: the first bad thing that the alarm is made of. */
  readonly startedAt: number;
  /** One line each, the decisive ones first. */
  readonly evidence: readonly string[];
}

export interface FaultVerdict {
  /** For people: `server web-7 of pool web does not answer, asked directly or through lb-1 (connection refused)`. */
  readonly sentence: string;
  /** The most likely first. Several: between these. Empty: nobody can tell, and the sentence says what is known. */
  readonly culprits: readonly FaultScope[];
  /** Every other explanation that was looked at is excluded by what was asked. */
  readonly certain: boolean;
  /** What brought it, where a change did. */
  readonly change: string | null;
  readonly place: Place | null;
  /** What to do now, one line: `take server web-7 out, or start it`. */
  readonly advice: string;
}

export type FaultEvent =
  /** Half of the evidence for an alarm: what is cheap is done (probes), and nobody is woken. */
  | ({ readonly kind: 'fault.suspected' } & FaultFacts)
  /** It is one. `usersSee`: `9 of 10 requests to shop.example are answered 503`; `falseAlarmsPerMonth`: the budget it was judged by. */
  | ({
      readonly kind: 'fault.seen';
      readonly usersSee: string;
      readonly falseAlarmsPerMonth: number;
    } & FaultFacts)
  /** May come again, with more: the newest counts. */
  | ({ readonly kind: 'fault.located'; readonly verdict: FaultVerdict } & FaultFacts)
  /** `wasFalse`: probes and counts saw nothing else, and no alarm should have been told. */
  | ({
      readonly kind: 'fault.ended';
      readonly endedAt: number;
      readonly how: string;
      readonly wasFalse: boolean;
    } & FaultFacts);

/** `server web/web-7`, `balancer lb-2`: one scope in words. */
export function scopeWords(scope: FaultScope): string {
  switch (scope.kind) {
    case 'site':
      return 'the site';
    case 'listener':
      return `listener ${scope.listener}`;
    case 'route':
      return `route ${scope.route}`;
    case 'balancer':
      return `balancer ${scope.balancer}`;
    case 'pool':
      return `pool ${scope.pool}`;
    case 'server':
      return `server ${scope.pool}/${scope.server}`;
    case 'zone':
      return `zone ${scope.zone}`;
    case 'network':
      return `the network from ${scope.balancer} to pool ${scope.pool}`;
    case 'name':
      return `the name ${scope.host}`;
    case 'certificate':
      return `certificate ${scope.file}`;
    case 'host':
      return `the machine of ${scope.balancer} (${scope.resource})`;
    case 'change':
      return `change ${scope.change}`;
    case 'clients':
      return 'clients';
  }
}
