import { type Clock, formatDiagnostic, type Log, messageOf } from '#base';
import type { SiteText } from '#contract';
import { readSite } from '#dialects';
import { type ChangeState, finalStates } from '#events';
import {
  certificateFacts,
  type FileDigest,
  type OwnText,
  pemFiles,
  readCertificates,
  type Site,
} from '#model';
import type { Pipeline } from './pipeline.ts';
import type { SiteKeeper } from './ports.ts';
import { type ReadFile, readText } from './reading.ts';

/** Who writes a certificate and its key writes one after the other: both have been still for this long. */
const stillMs = 2_000;
/** For a team's own text its certificate client often has a hook that applies it: that one comes first. */
const ownStillMs = 10_000;
/** A gate may have refused it for a reason that passes, so it is proposed again, each time after twice as long. */
const againMs = 60_000;
const againMsMax = 3_600_000;

export interface RenewalParts {
  readonly sites: SiteKeeper;
  /** Null while the journal is not open: no change begins without it. */
  readonly pipeline: () => Pick<Pipeline, 'propose' | 'busy' | 'waits' | 'views'> | null;
  readonly readFile: ReadFile;
  /** Changes when the file is written, replaced, removed: its time, size and number. */
  readonly stamp: (path: string) => Promise<string>;
  /** What the files that an own text names hold now. */
  readonly digests: (own: OwnText) => readonly FileDigest[];
  /** That a renewal cannot be used. */
  readonly told: (siteHash: string, why: string) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Watches the certificates of the running site: a good renewal becomes a change of its own, a bad one is told and changes nothing. */
export interface Renewals {
  /** Called again and again; never rejects. */
  look(): Promise<void>;
  /** What keeps a renewal from being used, for people; empty when nothing does. */
  trouble(): readonly string[];
}

export function watchRenewals(parts: RenewalParts): Renewals {
  const { sites, clock, log } = parts;
  let stamp = '';
  let stillSinceMs = 0;
  let handled = '';
  let trouble: readonly string[] = [];
  let proposed: string | null = null;
  const again = secondTries(clock);

  async function look(): Promise<void> {
    const current = sites.current();
    const { site } = readSite(current);
    if (!site) return;
    const now = [current.hash, ...(await Promise.all(pathsOf(site).map(parts.stamp)))].join(' ');
    if (now !== stamp) {
      stamp = now;
      stillSinceMs = clock.monotonicMs();
      again.forget();
    }
    if (again.isDue()) handled = '';
    if (now === handled || clock.monotonicMs() - stillSinceMs < (site.own ? ownStillMs : stillMs)) return;
    if (await judge(current, site)) handled = now;
  }

  const last = () =>
    parts
      .pipeline()
      ?.views()
      .find(({ id }) => id === proposed);

  /** True when there is nothing more to do about what the files hold now. */
  async function judge(current: SiteText, site: Site): Promise<boolean> {
    // An own text is bound to what its files hold; nothing else of it is read anew.
    const { own } = site;
    const fresh = own ? { ...current, digests: parts.digests(own) } : current;
    const { text, diagnostics } = await readText(fresh, parts.readFile, clock.now());
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    if (errors.length > 0) {
      trouble = errors.map(formatDiagnostic);
      await parts.told(current.hash, trouble.join('\n'));
      return true;
    }
    trouble = [];
    if (text.hash === current.hash || !again.mayTry(last()?.state)) return true;
    const pipeline = parts.pipeline();
    if (!pipeline || (pipeline.busy() && !pipeline.waits())) {
      trouble = ['a renewed certificate waits until another change has ended'];
      return false;
    }
    const { hash: _, ...written } = fresh;
    const changed = own ? changedFiles(own.digests, fresh.digests ?? []) : await shown(site, parts.readFile);
    const reason = `renewed on disk: ${changed}`;
    const asked = { force: false, release: false, unfreeze: false, reason, by: 'controller' };
    proposed = (await pipeline.propose({ ...written, ...asked })).id;
    again.later();
    return true;
  }

  return {
    async look() {
      try {
        await look();
      } catch (error) {
        const why = `a renewed certificate is not used: ${messageOf(error)}`;
        if (trouble[0] !== why) log.warn(why);
        trouble = [why];
      }
    },
    trouble() {
      const change = last();
      if (!change || change.state === 'promoted' || !finalStates.includes(change.state)) return trouble;
      const why = `a renewed certificate is not used: change ${change.id} is ${change.state}: ${change.why}`;
      return trouble.length > 0 ? trouble : [why];
    },
  };
}

/** When a renewal that a gate refused is proposed again. One that traffic spoke against is for people. */
function secondTries(clock: Clock) {
  let tries = 0;
  let dueAtMs = Number.POSITIVE_INFINITY;
  const later = () => {
    dueAtMs = clock.monotonicMs() + Math.min(againMsMax, againMs * 2 ** tries);
    tries += 1;
  };
  return {
    later,
    forget() {
      tries = 0;
      dueAtMs = Number.POSITIVE_INFINITY;
    },
    isDue: () => clock.monotonicMs() >= dueAtMs,
    /** @param state of the change that was proposed last */
    mayTry(state: ChangeState | undefined): boolean {
      if (tries === 0 || state === 'refused') return true;
      if (state && !finalStates.includes(state)) later();
      else dueAtMs = Number.POSITIVE_INFINITY;
      return false;
    },
  };
}

function pathsOf(site: Site): string[] {
  // A folder of certificates changes with what is put there.
  if (site.own)
    return [
      ...new Set(
        [...site.own.digests, ...site.own.certificates.map((c) => ({ path: c.certificate }))].map(
          ({ path }) => path,
        ),
      ),
    ];
  const { certificates, authorities, keys } = pemFiles(site);
  return [...certificates, ...authorities, ...keys];
}

function changedFiles(before: readonly FileDigest[], after: readonly FileDigest[]): string {
  const known = new Map(before.map(({ path, sha256 }) => [path, sha256]));
  const changed = after.filter(({ path, sha256 }) => known.get(path) !== sha256).map(({ path }) => path);
  const gone = before.filter(({ path }) => after.every((one) => one.path !== path)).map(({ path }) => path);
  return [...changed, ...gone].join(', ');
}

/** `cert.pem (shop.example, until 2027-02-01)` */
async function shown(site: Site, readFile: ReadFile): Promise<string> {
  const contents = await readCertificates(site, readFile);
  const said = Object.entries(contents).map(([path, content]) => {
    const facts = certificateFacts(content);
    const until = facts ? ` (${facts.names.join(', ')}, until ${day(facts.validTo)})` : '';
    return `${path}${until}`;
  });
  return said.join(', ');
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
