import { assert, type Clock } from '#base';
import type { ChangeView, SiteText } from '#contract';
import { readSite } from '#dialects';
import type { GuardPolicy, Site } from '#model';
import { waitingApprovals } from './approvals.ts';
import type { Book } from './book.ts';
import type { Confirmation, Proposal } from './gates/index.ts';
import { ranBefore } from './ledger.ts';
import type { BalancerPort, Planner, SiteKeeper } from './ports.ts';
import type { ProgressHub } from './progress.ts';
import { bindingOf, differenceOf, isRenewal, isSpareTurnOf, type Reading } from './reading.ts';
import type { UnderWay } from './under-way.ts';
import { createWatch } from './watch.ts';

export interface ProposalParts {
  readonly view: ChangeView;
  readonly reading: Reading;
  readonly before: Proposal['before'];
  readonly newGeneration: boolean;
  readonly mine: UnderWay;
  readonly book: Book;
  readonly balancers: readonly BalancerPort[];
  readonly planner: Planner;
  readonly clock: Clock;
  readonly hub: ProgressHub;
  /** By change that waits: aborted when somebody has approved it. */
  readonly heard: Map<string, AbortController>;
}

/** All that the gates of one change look at. */
export function proposalOf(parts: ProposalParts): Proposal {
  const { view, reading, before, newGeneration, mine, book, balancers, planner, clock, hub, heard } = parts;
  const watch = createWatch({
    change: view.id,
    clock,
    signal: mine.abort.signal,
    stopped: () => mine.stop,
    journal: async (balancer, share) => {
      await book.append('controller', { kind: 'change.exposed', change: view.id, balancer, share });
    },
  });
  const waits = (now: boolean) => {
    mine.waits = now;
  };
  const isSpare = isSpareTurnOf(reading, before, view.by);
  const again = { written: reading.text, newGeneration };
  return {
    change: view.id,
    forced: view.force,
    newGeneration,
    reading,
    before,
    policy: policyFor(parts, isSpare),
    isSpareTurn: isSpare,
    // What runs may be another one than when it was proposed.
    difference: differenceOf(before.site, reading.site),
    ranAt: view.asked?.older ? null : ranBefore(book.ledger(), reading.text.hash, before.text.hash),
    quarantined: book.ledger().quarantine.get(reading.text.hash) ?? null,
    balancers,
    clock,
    watch,
    show: hub.show,
    planner,
    planned: { view: null },
    approvals: waitingApprovals({
      view,
      again,
      of: bindingOf(reading, before.site),
      policy: before.site.guard.review,
      book,
      clock,
      show: hub.show,
      heard,
      waits,
    }),
    breakGlass: view.asked?.breakGlass ?? false,
    confirmation: confirmationOf(parts),
    signal: mine.abort.signal,
  };
}

function confirmationOf({ view, book, clock, hub }: ProposalParts): Confirmation | null {
  const withinMs = view.asked?.confirmWithinMs;
  if (withinMs === undefined) return null;
  const change = view.id;
  return {
    withinMs,
    async begin() {
      const until = clock.now() + withinMs;
      await book.append('controller', { kind: 'change.awaitsConfirmation', change, until });
      const why = `waits until ${new Date(until).toISOString()} for \`holdfast confirm ${change}\`, or is taken back`;
      hub.show({ kind: 'state', state: 'baking', why });
    },
    by: () => book.ledger().changes.get(change)?.confirm?.by ?? null,
  };
}

/** What runs, read. */
export function runningSite(sites: SiteKeeper): Proposal['before'] {
  const text = sites.current();
  return { text, site: siteOf(text) };
}

function siteOf(text: SiteText): Site {
  const { site } = readSite(text);
  assert(site, `${text.file}: the site that runs can be read`);
  return site;
}

/** What a renewed certificate or one more server can do wrong shows at once: it is watched for seconds, not for minutes. */
const renewal = { stepMs: 3_000, bakeMs: 5_000 };
/** Two steps, short enough that a quiet site is through within ten seconds: the guard watches the whole time. */
const emergency = { shareMin: 0.25, stepMs: 500, bakeMs: 2_000 };

/** The running site's: a change is not judged by the policy that it brings. */
function policyFor({ reading, before, view }: ProposalParts, isSpare: boolean): GuardPolicy {
  const policy = before.site.guard;
  if (isSpare || isRenewal(reading, before)) return shortened(policy, [1], renewal);
  if (!view.asked?.emergency) return policy;
  const [first = 1] = policy.canary.steps;
  return shortened(policy, [...new Set([Math.max(first, emergency.shareMin), 1])], emergency);
}

function shortened(
  policy: GuardPolicy,
  steps: readonly number[],
  { stepMs, bakeMs }: { readonly stepMs: number; readonly bakeMs: number },
): GuardPolicy {
  return {
    ...policy,
    canary: { ...policy.canary, steps, stepMs: Math.min(policy.canary.stepMs, stepMs) },
    bakeMs: Math.min(policy.bakeMs, bakeMs),
  };
}
