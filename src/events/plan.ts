import type { Place } from '#base';

/** What a change of a text does to every possible request: `holdfast plan --json`. */
export interface PlanView {
  /** No request is treated differently, no setting changes, and nothing that is not understood does. */
  readonly same: boolean;
  readonly before: PlannedText;
  readonly after: PlannedText;
  /** Worst first. */
  readonly differences: readonly DifferenceView[];
  readonly settings: readonly SettingChange[];
  /** Rules of the new text that no request can come to. */
  readonly unreachable: readonly UnreachableRule[];
  /** Lines of the new text that are not understood: where an answer depends on one, it says so. */
  readonly notUnderstood: readonly NotUnderstoodLine[];
  /** Other things that are worth a look in the new text: pools that nobody reaches, redirects that go round. */
  readonly findings: readonly FindingView[];
  readonly policies: readonly PolicyResult[];
  readonly risk: RiskView;
  /** What the real engines did with the witnesses; only where they were asked (`--prove`, a change). */
  readonly proof?: ProofView;
  /** What the shares were counted from; null when no traffic was given. */
  readonly traffic: TrafficSummary | null;
}

export interface PlannedText {
  /** Name of its file, or what it is: `what runs`. */
  readonly file: string;
  readonly dialect: 'site' | 'haproxy' | 'nginx';
}

export interface DifferenceView {
  readonly witness: WitnessView;
  readonly before: ActionView;
  readonly after: ActionView;
  /** Share of the recent requests that it moves, 0 to 1; null when no traffic was given. */
  readonly trafficShare: number | null;
  /** The class of requests that the witness stands for, in words. */
  readonly requests: string;
  /** The rules that decide, where there is one: else the default does. */
  readonly ruleBefore: RuleView | null;
  readonly ruleAfter: RuleView | null;
  /** What many differences have in common. */
  readonly cause: CauseView;
  /** What is otherwise about servers of both pools: `10.0.0.2:80 weight 1 -> 3`. */
  readonly servers: readonly string[];
  readonly severity: 'lost' | 'moved' | 'changed' | 'gained';
  /** False: it depends on something that the text alone does not say; `unknown` names it. */
  readonly exact: boolean;
  readonly unknown: readonly string[];
  /** It is there only over a limit, which applies `now` or `no more`. */
  readonly limit?: 'now' | 'no more';
}

/** The first rules, from the outside in, by which the texts part. Null: no rule, the default, or a rule that is not there. */
export interface CauseView {
  readonly how: 'new' | 'gone' | 'rewritten' | 'takes other requests' | 'does otherwise' | 'order';
  readonly before: RuleView | null;
  readonly after: RuleView | null;
}

export interface RuleView {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** A concrete request. */
export interface WitnessView {
  readonly method: string;
  readonly scheme: string;
  readonly host: string;
  readonly port: number | null;
  readonly sni: string | null;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly sourceAddress: string | null;
}

export type ActionView =
  | {
      readonly kind: 'pool';
      readonly pool: string;
      /** Addresses. */
      readonly servers: readonly string[];
      /** What the server is told otherwise than the client said: `path`, `host`, `header x-user`. */
      readonly sent: Readonly<Record<string, string | null>>;
      /** Only where chance decides between several. */
      readonly shares?: readonly { readonly weight: number; readonly action: ActionView }[];
    }
  | { readonly kind: 'redirect'; readonly status: number; readonly location: string }
  | { readonly kind: 'answer'; readonly status: number; readonly file?: string }
  | { readonly kind: 'reject' }
  | { readonly kind: 'unknown'; readonly why: string; readonly text: string };

export interface SettingChange {
  readonly file: string;
  readonly line: number;
  readonly name: string;
  /** What it is in force for: `pool web`. */
  readonly scope: string;
  readonly before: string | null;
  readonly after: string | null;
}

export interface UnreachableRule {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  /** What takes its requests. */
  readonly by: readonly string[];
}

export interface NotUnderstoodLine {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  readonly why: string;
}

export interface FindingView {
  readonly kind: string;
  readonly place: Place | null;
  readonly message: string;
}

export interface PolicyResult {
  readonly policy: string;
  readonly place: Place;
  readonly held: boolean;
  /** Could not be told, where what decides is not understood: never the same as held. */
  readonly exact: boolean;
  readonly witness: WitnessView | null;
  readonly message: string;
}

/** Real engines, each with one of the two texts, on private sockets: what they did with every witness. */
export interface ProofView {
  readonly texts: readonly TextProofView[];
  readonly proven: number;
  readonly notProvable: number;
  /** What was foretold and what came differ: a mistake of Holdfast's. */
  readonly disagreements: number;
}

export interface TextProofView {
  readonly text: 'before' | 'after';
  /** `haproxy 2.6.12`; null: it is not installed. */
  readonly engine: string | null;
  /** Why nothing could be asked, in the engine's own words; null: it ran. */
  readonly refused: string | null;
  /** From the start to the first connection. */
  readonly startMs: number | null;
  readonly outcomes: readonly OutcomeView[];
  /** What was not as the text has it. */
  readonly replaced: readonly string[];
}

export interface OutcomeView {
  readonly witness: WitnessView;
  readonly kind: 'proven' | 'not provable' | 'disagreement';
  /** Null: nothing was. */
  readonly foretold: ActionView | null;
  /** Null: nobody was asked. */
  readonly came: string | null;
  /** Why it is not proven. */
  readonly why: string;
}

export interface RiskView {
  readonly level: 'none' | 'low' | 'medium' | 'high';
  readonly because: readonly string[];
  /** How many people other than its author must approve it, and which policies say so. */
  readonly approvals: { readonly count: number; readonly because: readonly string[] };
}

/** Recent real requests, some of every kind, with what the text before and the one after make of each. */
export interface RecentSample {
  /** The log's name. */
  readonly source: string;
  readonly requests: readonly RecentRequest[];
  /** How many of the log are not safe to send again, or may not be, or name no host. */
  readonly leftOut: number;
}

export interface RecentRequest {
  readonly witness: WitnessView;
  /** What the plan says of it; `unknown` where it cannot say. */
  readonly before: ActionView;
  readonly after: ActionView;
  /** The plan says that nothing of it changes. */
  readonly same: boolean;
}

export interface TrafficSummary {
  readonly source: string;
  readonly requests: number;
  /** Lines that were no request. */
  readonly unread: number;
  /** Requests whose fate changes, and where that could not be told. */
  readonly moved: number;
  readonly unknown: number;
  /**
   * Of those that are moved, how many come to a server, or get an answer, that they could not come to before: of five
   * servers of which one is new, a fifth. What limits of moved traffic look at.
   */
  readonly toOthers: number;
}

/** Why a request gets what it gets: `holdfast explain --json`. */
export interface ExplainView {
  readonly listener: string | null;
  readonly rule: RuleView | null;
  readonly action: ActionView;
  readonly exact: boolean;
  /** Rule by rule, until the one that took it. */
  readonly because: readonly ExplainedRule[];
  /** Where it is not exact: what else could become of it. */
  readonly otherwise: readonly ActionView[];
}

export interface ExplainedRule extends RuleView {
  readonly held: boolean | null;
  /** The part that decided: `path begins with /cart`. */
  readonly why: string;
}
