import type { Finding } from '#events';
import type { Site } from '#model';

/** What a review looks at. `main` gathers it; what could not be had is null, and the review says so. */
export interface ReviewFacts {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly site: Site;
  /** Of each balancer, by its name. */
  readonly balancers: ReadonlyMap<string, BalancerFacts | null>;
  /** The most connections at once that each pool had lately, by its name, over all balancers. Null: nobody has measured it. */
  readonly peaks: ReadonlyMap<string, number> | null;
  /** Why no change can begin; null: one can. */
  readonly frozen: string | null;
  /** Changes that broke the glass and were never reviewed. */
  readonly reviewsOwed: readonly string[];
  readonly openIncidents: readonly string[];
  /** Names of balancers by the machine that runs them. */
  readonly machines: ReadonlyMap<string, readonly string[]>;
}

export interface BalancerFacts {
  readonly engine: string;
  readonly carriedInstead: string | null;
  readonly certificates: readonly {
    readonly file: string;
    readonly names: readonly string[];
    readonly validTo: number;
  }[];
  /** Null: it could not be asked. */
  readonly wayBack: {
    readonly ok: boolean;
    readonly tried: readonly string[];
    readonly knownFaults: readonly {
      readonly what: string;
      readonly remedy: string;
      readonly blocks: boolean;
    }[];
  } | null;
}

/** One thing that reviews look for. Pure. */
export type Check = (facts: ReviewFacts) => {
  readonly findings: readonly Finding[];
  readonly notSeen?: readonly string[];
};
