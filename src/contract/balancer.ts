import type { Diagnostic } from '#base';
import type { Counts, GuardRecord, Noted, ServerRef, TakeBack, Tick, WitnessView } from '#events';
import type { WrittenText } from '#model';

/**
 * What an agent does for its balancer when asked: the calls, each with what goes in and what comes out.
 * The controller speaks it over the agent's Unix socket; `main` wires it to `change`'s port.
 * A site travels as its text, so both sides parse the same bytes.
 */
export interface SiteText extends WrittenText {
  /** SHA-256 of what it means (the parsed site), in hex: what quarantine and approvals are bound to. */
  readonly hash: string;
}

export interface BalancerCalls {
  status: { input: Record<string, never>; output: BalancerStatus };
  check: { input: { site: SiteText }; output: CheckResult };
  /** Asks every named server the way the engine would; with `withinMs`, whoever has not answered by then has not answered. */
  probe: {
    input: { site: SiteText; servers: readonly ServerRef[]; withinMs?: number };
    output: readonly ProbeResult[];
  };
  /**
   * With `witnesses` of the plan, each is sent too, and held against what the text says; `recent` requests are sent to it and
   * to the last good text at the same moment, and on to the real servers.
   */
  rehearse: {
    input: {
      site: SiteText;
      witnesses?: readonly WitnessView[];
      recent?: readonly WitnessView[];
    };
    output: RehearsalResult;
  };
  /**
   * With `site`, what is known against the engine that would run it here; with `cold`, the last good text is started cold in
   * a sandbox too; with `parked`, it is the parked one behind that change's candidate that is tried.
   */
  wayBack: {
    input: { site?: SiteText; cold?: boolean; parked?: string };
    output: WayBackResult;
  };
  /** One safe request of every route, by the candidate's private entrance; where it goes wrong, by the incumbent's as well. */
  tryRoutes: { input: { change: string }; output: RoutesResult };
  /** Whether what runs can be told to do as the site says, without a new generation. */
  inPlace: { input: { site: SiteText }; output: InPlaceResult };
  /** What is otherwise here than the last good text says, done behind the agent's back; with `mend`, it is kept or undone. */
  drift: { input: { mend?: 'adopt' | 'revert' }; output: BalancerDrift };
  /** Takes a change in hand that goes without a new generation: `expose` tells the running ones, `rollback` tells them otherwise. */
  candidateInPlace: { input: { site: SiteText; change: string }; output: CandidateResult };
  /** Starts the site as a parked candidate, waits until its health checks have spoken, and asks it one witness a route by its entrance. */
  candidate: { input: { site: SiteText; change: string }; output: CandidateResult };
  /**
   * Gives the candidate `share` of new connections until `leaseMs` have passed; called again, renews.
   * `requestsMax`, when given, ends the exposure after about that many requests, counted since the exposure began:
   * a renewal with the same number does not begin anew.
   */
  expose: {
    input: { change: string; share: number; leaseMs: number; requestsMax: number | null };
    output: null;
  };
  /** What candidate and incumbent did since the exposure began. */
  observe: { input: { change: string }; output: CandidateObservation };
  /** The candidate is the last good one from now on; its net is taken out; what was last good is parked. */
  promote: { input: { change: string }; output: null };
  /**
   * Takes the candidate back, or after promotion goes back to the generation before. Waits for nothing.
   * With `change`, does nothing (null) unless that change is the candidate or what was promoted last: so it may be repeated.
   */
  rollback: { input: { reason: string; change: string | null }; output: TakeBack | null };
  /** Guard records with a number above `after`, oldest first. */
  records: { input: { after: number }; output: readonly GuardRecord[] };
  /**
   * What was counted since tick number `after` of the agent's life that began at `life`: at once where there is something, else
   * as soon as there is, or nothing after `waitMs`. Of a minute at most.
   */
  ticks: {
    input: { life: number; after: number; waitMs: number };
    output: { life: number; ticks: readonly Tick[] };
  };
  /** Keeps a record of what was done to the balancer from outside. */
  note: { input: { what: Noted }; output: null };
  stop: { input: Record<string, never>; output: null };
}

export type BalancerCall = keyof BalancerCalls;

export interface BalancerStatus {
  readonly balancer: string;
  readonly engine: string;
  readonly version: string;
  /** Another engine than the site's own carries the site, since the guard's fourth rung; a change brings it back. */
  readonly carried: {
    readonly by: string;
    readonly instead: string;
    readonly since: number;
    readonly because: string;
  } | null;
  /** What clients of the running site are shown. */
  readonly certificates: readonly {
    readonly file: string;
    readonly names: readonly string[];
    /** Milliseconds since 1970. */
    readonly validTo: number;
  }[];
  readonly addresses: readonly string[];
  readonly generations: readonly GenerationStatus[];
  readonly lastGoodHash: string;
  /** Absent: the last good text was not started cold in a sandbox yet. */
  readonly coldStart?: ColdProofView;
  readonly lastRecord: number;
  /** Others that listen on this balancer's addresses. Absent: nobody. */
  readonly beside?: readonly Beside[];
  /** An adoption or a handing back that was cut off: what serves goes on; `remedy` is the command that finishes it. */
  readonly unfinished?: { readonly what: string; readonly remedy: string };
}

/** A process that is not of the site and listens on one of its addresses. */
export interface Beside {
  readonly address: string;
  /** 0 where it cannot be seen. */
  readonly pid: number;
  readonly command: string;
  /** Its systemd unit. */
  readonly unit: string | null;
  /** The one command that ends it, and keeps it from coming back where it is a service. */
  readonly remedy: string;
}

export interface GenerationStatus {
  readonly generation: number;
  readonly engine: string;
  readonly pid: number;
  readonly role: 'active' | 'standby' | 'candidate' | 'draining';
  readonly state: 'accepting' | 'parked' | 'starting' | 'ended';
  readonly siteHash: string;
  readonly change: string | null;
  readonly requests: number;
  readonly errors: number;
}

export interface CheckResult {
  readonly accepted: boolean;
  readonly engine: string;
  readonly version: string;
  readonly output: string;
  readonly diagnostics: readonly Diagnostic[];
  /** Lines of an own text that a generation has otherwise, each with the reason. Absent: none. */
  readonly rewritten?: readonly string[];
  readonly tookMs: number;
}

/** `changes`: for people, one a line: `server web/b comes`. Null: it needs a new generation, because of `why`. */
export type InPlaceResult =
  | { readonly changes: readonly string[] }
  | { readonly changes: null; readonly why: string };

export interface ProbeResult extends ServerRef {
  readonly address: string;
  readonly ok: boolean;
  /** `TCP connect`, then `GET /health expecting 200`. */
  readonly tried: string;
  /** `connection refused`, `200 in 3 ms`. */
  readonly answered: string;
  readonly tookMs: number;
}

export interface RehearsalResult {
  readonly ok: boolean;
  readonly startMs: number;
  readonly memoryBytes: number;
  readonly witnesses: readonly {
    readonly request: string;
    readonly expected: string;
    readonly got: string;
    readonly ok: boolean;
  }[];
  /** What was taken out or replaced, for people. */
  readonly replaced: readonly string[];
  /** Of the plan's witnesses: what could not be proved, with why. Absent: there were none. */
  readonly unproven?: readonly string[];
  /** Why it did not start, in the engine's last words. Absent: it did. */
  readonly notStarted?: string;
  /** What the last good text took in the same sandbox. Absent: it was not started there. */
  readonly incumbent?: Pick<ColdProofView, 'startMs' | 'memoryBytes'>;
  /** Of recent requests. Absent: none was to be sent. */
  readonly real?: RealAnswers;
}

export interface RealAnswers {
  /** In the order in which they were given. */
  readonly asked: readonly {
    readonly witness: WitnessView;
    /** Asked again, twice at most, while the two answer differently. Empty: it was not asked, because of `unasked`. */
    readonly rounds: readonly { readonly candidate: RealAnswer; readonly incumbent: RealAnswer }[];
    readonly unasked?: string;
  }[];
  /** What was taken out or replaced for them, for people. */
  readonly replaced: readonly string[];
}

export interface RealAnswer {
  /** 0: none. */
  readonly status: number;
  /** Of a redirect; null: no such header. */
  readonly location: string | null;
  /** The one server that had it; null: none had, or it cannot be said which. */
  readonly server: (ServerRef & { readonly address: string }) | null;
  /** Why there is no answer. Absent: there is. */
  readonly why?: string;
}

export interface WayBackResult {
  readonly ok: boolean;
  /** The generation that a rollback would return to. */
  readonly generation: number;
  readonly tried: readonly { readonly what: string; readonly ok: boolean; readonly answered: string }[];
  /** Absent: nothing is. */
  readonly knownFaults?: readonly KnownFaultView[];
}

export interface BalancerDrift {
  readonly found: readonly {
    /** `server web/one of generation 7`, `the text of the next boot`. */
    readonly what: string;
    readonly is: string;
    readonly wanted: string;
  }[];
  /** What was done about it, for people; what cannot be undone here is still found. */
  readonly mended: readonly string[];
}

export interface RoutesResult {
  readonly asked: readonly {
    readonly request: string;
    readonly status: number | 'connected' | 'handshake';
    /** It fails with the candidate again and again, and does not with the incumbent. */
    readonly worse: boolean;
    /** What the incumbent answered; absent: it was not asked, the candidate's answer being good. */
    readonly incumbent?: number | 'connected' | 'handshake';
  }[];
  /** Routes that were not asked, each with why. */
  readonly unasked: readonly string[];
}

/** What starting the last good text from nothing, in a sandbox, came to; the process was killed then. */
export interface ColdProofView {
  readonly siteHash: string;
  readonly at: number;
  readonly ok: boolean;
  readonly startMs: number;
  readonly memoryBytes: number;
  /** Why it did not start, in the engine's last words; empty when it did. */
  readonly why: string;
}

/** What is known against the exact engine with the exact text. */
export interface KnownFaultView {
  readonly id: string;
  /** `haproxy 3.2.14` */
  readonly engine: string;
  readonly what: string;
  readonly effect: 'blocks' | 'warns';
  readonly sources: readonly string[];
  readonly remedy: string;
}

export interface CandidateResult {
  readonly generation: number;
  readonly pid: number;
  readonly startMs: number;
  readonly serversDown: readonly (ServerRef & { readonly lastCheck: string })[];
  /** `connected` and `handshake` for what is passed on byte by byte; 0: no answer. */
  readonly witnesses: readonly {
    readonly request: string;
    readonly status: number | 'connected' | 'handshake';
  }[];
}

export interface CandidateObservation {
  readonly candidate: Counts;
  readonly incumbent: Counts;
  /** Candidate's share of finished requests. */
  readonly observedShare: number;
  /** Evidence against the candidate, as the E-value of DETECTION.md. */
  readonly eValue: number;
  /** Set once the guard took it back. */
  readonly takenBack: TakeBack | null;
  readonly exposedMs: number;
}
