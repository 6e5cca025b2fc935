import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, messageOf, writeDurably } from '#base';
import type { InPlaceResult, SiteText } from '#contract';
import type { ServerChange } from '#dialects';
import { engines, type ServerCommand } from '#engines';
import { meaningOf, type Site } from '#model';
import type { Fleet } from './fleet.ts';
import { siteOf } from './good.ts';
import type { HeldGeneration } from './holder/protocol.ts';
import { deleting, doing, inWords, undoing } from './in-place-words.ts';
import type { Kept } from './kept.ts';

const tellMsMax = 10_000;
const deleteEveryMs = 100;
const retryEveryMs = 500;

/** A change that the running generations are told of. On disk before the first one hears it, until all is done or undone. */
export interface Intent {
  readonly change: string;
  readonly text: SiteText;
  readonly before: SiteText;
  readonly changes: readonly ServerChange[];
}

/**
 * Changes without a new generation. Whoever dies half-way: either the last good text is the new one, then all that it
 * says is told once more; or it is not, then all is taken back.
 */
export class InPlace {
  readonly #fleet: Fleet;
  readonly #kept: Kept;
  #ending: Intent | null = null;
  #retryAtMs: number | null = null;

  constructor(fleet: Fleet, kept: Kept) {
    this.#fleet = fleet;
    this.#kept = kept;
  }

  /** What would be told to the running generations, for people. */
  async plan(text: SiteText, site: Site): Promise<InPlaceResult> {
    const found = await this.#changes(text, site);
    if (typeof found === 'string') return { changes: null, why: found };
    const refused = await this.#tried(found);
    return refused === null ? { changes: found.map(inWords) } : { changes: null, why: refused };
  }

  /**
   * Whoever comes is added to the parked generation, in maintenance, and deleted again: what the engine refuses there it
   * would refuse in the middle of the change. Null: it takes them all.
   */
  async #tried(changes: readonly ServerChange[]): Promise<string | null> {
    const adds = changes.flatMap((one) => (one.kind === 'add' ? [{ ...one, maintenance: true }] : []));
    const { generations } = await this.#fleet.status();
    const parked = generations.find(({ role }) => role === 'standby');
    if (adds.length === 0 || !parked) return null;
    try {
      await this.#tell(parked, adds.map(doing));
      await this.#tell(parked, adds.map(deleting));
      return null;
    } catch (error) {
      return `${parked.engine} does not take it while it runs: ${messageOf(error)}`;
    }
  }

  /** The changes, or why they need a new generation. */
  async #changes(text: SiteText, site: Site): Promise<readonly ServerChange[] | string> {
    const { good, site: before } = this.#kept;
    const status = await this.#fleet.status();
    const active = status.generations.find((g) => g.generation === status.active);
    if (!active || active.siteHash !== good.current.hash || good.carried)
      return 'what runs is not what is to run';
    if (this.#retryAtMs !== null || this.#ending)
      return 'the change before has not ended on every generation';
    if (this.#fleet.nameFor(site) !== active.engine) return 'the engine changes';
    const found = engines[active.engine].dialect.inPlace?.(before, site);
    if (!found) return `${active.engine} cannot be told of servers while it runs`;
    if (found.changes === null) return found.why;
    if (found.changes.length === 0) return 'no server changes';
    const { certificates } = this.#fleet;
    if (meaningOf(certificates.take(text, site)) !== meaningOf(certificates.of(good.current, before)))
      return 'a certificate changes';
    const byHand = found.changes.find((c) => this.#fleet.kept.concerns(`${c.pool}/${c.server}`));
    return byHand ? `${byHand.pool}/${byHand.server} was set by hand` : found.changes;
  }

  /** It is on disk from here on. @throws Failure HF105 when it needs a new generation. */
  async begin(text: SiteText, site: Site, change: string): Promise<Intent> {
    const changes = await this.#changes(text, site);
    if (typeof changes === 'string')
      throw new Failure('HF105', `it cannot go without a new generation: ${changes}`);
    return this.write({ change, text, before: this.#kept.good.current, changes });
  }

  write(intent: Intent): Intent {
    writeDurably(this.#file, JSON.stringify(intent));
    return intent;
  }

  /** Every living generation, the active one last: that the engine takes it is seen on the others. */
  async do(intent: Intent): Promise<void> {
    for (const generation of await this.#living(intent))
      await this.#tell(generation, intent.changes.map(doing)).catch(async (error: unknown) => {
        if (generation.role === 'active') throw error;
        // One that is still starting, say. Another takes its place when the change has ended.
        await this.#fleet.retire(generation.generation);
      });
  }

  /** The text is good now: generations bear its name, and who goes is deleted in his time. */
  async keep(intent: Intent): Promise<void> {
    try {
      // Whoever has started meanwhile was not told yet.
      await this.do(intent);
      await this.#label(intent, intent.text.hash);
      this.#endWith(intent, 'remove');
    } catch (error) {
      this.#unfinished(error);
      throw error;
    }
  }

  #unfinished(error: unknown): void {
    this.#retryAtMs = this.#fleet.options.clock.monotonicMs() + retryEveryMs;
    this.#fleet.options.log.error('a change without a new generation is tried again', {
      error: messageOf(error),
    });
  }

  /** Whether something was begun that could not be ended: to be tried again, by `recover`. */
  get due(): boolean {
    return this.#retryAtMs !== null && this.#fleet.options.clock.monotonicMs() >= this.#retryAtMs;
  }

  /** As it was before. A generation that does not take it is replaced. */
  async undo(intent: Intent): Promise<void> {
    try {
      await this.#undo(intent);
    } catch (error) {
      this.#unfinished(error);
      throw error;
    }
  }

  async #undo(intent: Intent): Promise<void> {
    const commands = intent.changes.toReversed().map(undoing);
    const living = await this.#living(intent);
    const told = await Promise.allSettled(living.map((generation) => this.#tell(generation, commands)));
    const deaf = living.filter((_, index) => told[index]?.status === 'rejected');
    await this.#label(intent, intent.before.hash);
    for (const { generation, role } of deaf) {
      this.#fleet.options.log.error('a generation does not take a change back', { generation, role });
      // The active one is replaced as soon as it is seen not to bear the name of what is good.
      if (role !== 'active') await this.#fleet.retire(generation);
      else await this.#fleet.holder.call('label', { generation, siteHash: '', change: intent.change });
    }
    this.#endWith(intent, 'add');
  }

  /** After this agent's predecessor died in the middle of such a change. Resolves with the change that was taken back. */
  async recover(): Promise<string | null> {
    this.#retryAtMs = null;
    const intent = this.#read();
    if (!intent) return null;
    if (this.#kept.good.current.hash === intent.text.hash) {
      await this.keep(intent);
      return null;
    }
    await this.undo(intent);
    return intent.change;
  }

  async #living({ text, before }: Intent): Promise<readonly HeldGeneration[]> {
    await this.#fleet.ensureHolder();
    const { generations, active } = await this.#fleet.status();
    const named = generations.filter(
      ({ role, siteHash }) => role !== 'draining' && (siteHash === text.hash || siteHash === before.hash),
    );
    return named.toSorted((a, b) => Number(a.generation === active) - Number(b.generation === active));
  }

  async #tell(generation: HeldGeneration, commands: readonly ServerCommand[]): Promise<void> {
    await this.#fleet.withOwnControl(generation, async (control) => {
      if (!control.commandServers)
        throw new Failure('HF405', `${generation.engine} has no commands of its own`);
      await control.commandServers(commands, tellMsMax);
    });
    if (commands.some(({ kind }) => kind === 'add' || kind === 'delete'))
      this.#fleet.forget(generation.generation);
  }

  async #label(intent: Intent, siteHash: string): Promise<void> {
    for (const { generation, change } of await this.#living(intent))
      await this.#fleet.holder.call('label', { generation, siteHash, change });
  }

  /** Those of that kind get no request any more; they are deleted when they have answered everybody, or the limit is over. */
  #endWith(intent: Intent, kind: 'add' | 'remove'): void {
    this.#ending = intent;
    const gone = intent.changes.filter((change) => change.kind === kind);
    this.#deleteAll(intent, gone)
      .catch((error) =>
        this.#fleet.options.log.warn('a server that went is still there', { error: messageOf(error) }),
      )
      .finally(() => {
        if (this.#ending !== intent) return;
        this.#ending = null;
        rmSync(this.#file, { force: true });
      });
  }

  async #deleteAll(intent: Intent, gone: readonly ServerChange[]): Promise<void> {
    const { clock } = this.#fleet.options;
    const deadline = clock.monotonicMs() + this.#kept.site.guard.drainTimeoutMs;
    for (;;) {
      try {
        for (const generation of gone.length === 0 ? [] : await this.#living(intent))
          await this.#tell(generation, gone.map(deleting));
        return;
      } catch (error) {
        // The next generation does not know it.
        if (clock.monotonicMs() > deadline) throw error;
        await clock.sleep(deleteEveryMs);
      }
    }
  }

  get #file(): string {
    return join(this.#fleet.options.state, 'in-place.json');
  }

  #read(): Intent | null {
    try {
      return JSON.parse(readFileSync(this.#file, 'utf8')) as Intent;
    } catch {
      return null;
    }
  }
}

/** What going back from `current` to `previous` undoes; null when running generations cannot be told so. */
export function between(
  previous: SiteText,
  current: SiteText,
  change: string,
  by: HeldGeneration,
): Intent | null {
  const found = engines[by.engine].dialect.inPlace?.(siteOf(previous), siteOf(current));
  return found?.changes ? { change, text: current, before: previous, changes: found.changes } : null;
}
