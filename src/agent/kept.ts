import { join } from 'node:path';
import { assert, labelOfFolder, messageOf, writeFolderDurably } from '#base';
import type { SiteText } from '#contract';
import { type Installed, pickEngine } from '#engines';
import { type EngineName, isStream, type Site } from '#model';
import type { Fleet } from './fleet.ts';
import { prepareFolder } from './folders.ts';
import { type Good, loadGood, saveGood, siteOf } from './good.ts';

const refreshAfterMs = 100;

/** What is good: on disk, with its site read, and with the folder that the next boot uses. */
export class Kept {
  readonly #fleet: Fleet;
  #refresh: NodeJS.Timeout | null = null;
  #known: { good: Good; site: Site } | null = null;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  get good(): Good {
    assert(this.#known, 'the agent has begun');
    return this.#known.good;
  }

  get site(): Site {
    assert(this.#known, 'the agent has begun');
    return this.#known.site;
  }

  /** The engine that runs what is good: another one than the site's own while that one is broken. @throws Failure HF301 */
  get runner(): Installed {
    const { carried } = this.good;
    if (!carried) return this.#fleet.engineFor(this.site);
    return pickEngine(carried.by, this.#fleet.options.installed());
  }

  /** The engine that the site should run on. */
  get own(): EngineName {
    return this.good.carried?.instead ?? this.#fleet.nameFor(this.site);
  }

  /** `first`: for when nothing was proven good yet. */
  begin(first: SiteText): void {
    const kept = loadGood(this.#fleet.options.state, this.#fleet.options.files);
    if (kept) {
      this.#known = { good: kept, site: siteOf(kept.current) };
      // Set by hand, or promoted, and not yet in the text when the agent before was killed.
      const isWritten = labelOfFolder(this.#bootFolder) === labelOf(kept);
      if (!isWritten || this.#fleet.kept.all.length > 0) this.refreshBoot();
    } else this.keep({ current: first, previous: null, change: null, carried: null });
  }

  keep(good: Good): void {
    const { state, files } = this.#fleet.options;
    saveGood(state, good, files);
    const site = siteOf(good.current);
    this.#known = { good, site };
    this.#fleet.certificates.keepOnly(good.previous ? [good.current, good.previous] : [good.current]);
    this.refreshBoot();
  }

  /** After something was set by hand: scripts set much in a row. An agent that is killed before it leaves it to the next one. */
  refreshBootSoon(): void {
    this.#refresh ??= setTimeout(() => {
      this.#refresh = null;
      this.refreshBoot();
    }, refreshAfterMs);
  }

  /** The folder of the next boot, with what is good and what was set by hand. */
  refreshBoot(): void {
    try {
      const fill = (folder: string) => this.writeBoot(folder);
      writeFolderDurably(this.#bootFolder, { label: labelOf(this.good), fill });
    } catch (error) {
      const { log } = this.#fleet.options;
      log.error('what the next boot would use could not be written', { error: messageOf(error) });
    }
  }

  get #bootFolder(): string {
    return join(this.#fleet.options.state, 'last-good');
  }

  /** The same elsewhere, to compare it with: byte by byte, as it is called what that of the next boot is called. */
  writeBoot(folder: string): void {
    const { site } = this;
    const { balancer } = this.#fleet.options;
    const { engine, binary } = this.#fleet.engineFor(site);
    prepareFolder({
      site,
      balancer,
      engine,
      folder,
      named: this.#bootFolder,
      identity: null,
      generation: 0,
      threads: 1,
      ticketKeys: null,
      purpose: 'boot',
      settings: this.#fleet.kept.all,
      ...(binary.streamModules && site.listeners.some(isStream) ? { modules: binary.streamModules } : {}),
      servers: null,
      pems: this.#fleet.certificates.of(this.good.current, site),
    });
  }
}

function labelOf({ current }: Good): string {
  return current.hash.slice(0, 12);
}
