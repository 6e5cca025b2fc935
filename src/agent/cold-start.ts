import { Failure, messageOf } from '#base';
import type { Installed } from '#engines';
import type { EngineName } from '#model';
import type { Fleet, Launched } from './fleet.ts';
import type { Kept } from './kept.ts';
import { anyServerAnswers } from './proof.ts';

/** An engine that has not started by then gets company: another one starts beside it, for the case that it never does. */
const spareAfterMsMin = 250;
const spareAfterMsMax = 1_000;
/** An engine that needs this many times its longest start here does not start any more. */
const patience = 3;
const patienceMsMin = 1_000;
/** 10,000 servers took 1.8 s; a start that was slower was the machine's doing. */
const patienceMsMax = 6_000;
/** An engine that never started here. At a boot the machine is busy, and our own engine's code not compiled yet. */
const unknownMsMax = 20_000;

export interface Served {
  readonly launched: Launched;
  /** Null: the engine that was to run it does. Else why it does not, and since when that is clear, on the monotonic clock. */
  readonly instead: { readonly of: EngineName; readonly because: string; readonly failedAtMs: number } | null;
}

interface Failed {
  readonly error: unknown;
}

/**
 * The third and the fourth rung: something that serves the last good text, from nothing. First the engine that was to
 * run it; when that fails though a server answers, the next one that is here and can say the same.
 */
export class ColdStart {
  readonly #fleet: Fleet;
  readonly #kept: Kept;

  constructor(fleet: Fleet, kept: Kept) {
    this.#fleet = fleet;
    this.#kept = kept;
  }

  /**
   * `activate` makes it the active one; an engine that does not follow has failed. `givenUp`: why the engine that was to
   * run it is not even tried.
   * @throws Failure with everyone's reason when nobody serves.
   */
  async serve(activate: (next: Launched) => Promise<unknown>, givenUp: string | null): Promise<Served> {
    const own = givenUp === null ? this.#try(() => this.#kept.runner, activate) : refused(givenUp);
    const { clock } = this.#fleet.options;
    const early = await Promise.race([own, clock.sleep(this.#spareAfterMs()).then(() => null)]);
    if (early && 'launched' in early) return { launched: early.launched, instead: null };
    const name = this.#name();
    const spare = this.#startSpare(name);
    const proof = anyServerAnswers(this.#kept.site, clock);
    const first = await own;
    if ('launched' in first) {
      void spare.then((found) => this.#discard(found));
      return { launched: first.launched, instead: null };
    }
    const failedAtMs = clock.monotonicMs();
    const because = givenUp ?? `${name}: ${messageOf(first.error)}`;
    if (!(await proof)) {
      void spare.then((found) => this.#discard(found));
      throw new Failure('HF303', `${because}\nNo server answers either: the engine stays what it is.`);
    }
    const found = await spare;
    // What was begun of the broken engine meanwhile may accept connections, and keep them.
    if (givenUp === null) await this.#fleet.discardStandbys((engine) => engine === name);
    const launched = await this.#takeSpare(found, activate, because);
    return { launched, instead: { of: name, because, failedAtMs } };
  }

  /** A spare that is not needed takes its share of the machine from the one that is. */
  #spareAfterMs(): number {
    const known = this.#fleet.startMsMost(this.#name());
    return known === null
      ? spareAfterMsMax
      : Math.min(spareAfterMsMax, Math.max(spareAfterMsMin, 1.5 * known));
  }

  #name(): EngineName {
    return this.#kept.good.carried?.by ?? this.#kept.own;
  }

  async #try(
    by: () => Installed,
    activate: (next: Launched) => Promise<unknown>,
  ): Promise<{ launched: Launched } | Failed> {
    try {
      const launched = await this.#launch(by());
      await activate(launched).catch((error) => {
        this.#discard({ launched });
        throw error;
      });
      return { launched };
    } catch (error) {
      return { error };
    }
  }

  async #launch(by: Installed): Promise<Launched> {
    const { good, site } = this.#kept;
    const known = this.#fleet.startMsMost(by.engine.name);
    const usual = Math.min(patienceMsMax, Math.max(patienceMsMin, patience * (known ?? 0)));
    const withinMs = known === null ? unknownMsMax : Math.round(usual);
    const plan = { text: good.current, site, role: 'standby', change: null, by, withinMs } as const;
    return await this.#fleet.launch(plan);
  }

  /** The first of the others that starts. */
  async #startSpare(than: EngineName): Promise<{ launched: Launched } | Failed> {
    const others = this.#fleet.othersFor(this.#kept.site, than);
    const reasons: string[] = [];
    for (const by of others) {
      try {
        return { launched: await this.#launch(by) };
      } catch (error) {
        const why = `${by.engine.name}: ${messageOf(error)}`;
        this.#fleet.options.log.error('could not take the place of another engine', { why });
        reasons.push(why);
      }
    }
    const nobody = this.#kept.site.own
      ? 'a text in the words of one engine cannot be carried by another'
      : 'no other engine is here that can say the same';
    const why = others.length === 0 ? nobody : reasons.join('\n');
    return { error: new Failure('HF303', why) };
  }

  async #takeSpare(
    spare: { launched: Launched } | Failed,
    activate: (next: Launched) => Promise<unknown>,
    because: string,
  ): Promise<Launched> {
    if (!('launched' in spare)) throw new Failure('HF303', `${because}\n${messageOf(spare.error)}`);
    try {
      await activate(spare.launched);
    } catch (error) {
      this.#discard(spare);
      throw error;
    }
    return spare.launched;
  }

  #discard(found: { launched: Launched } | Failed): void {
    if ('launched' in found) void this.#fleet.discard(found.launched.generation);
  }
}

function refused(because: string): Promise<Failed> {
  return Promise.resolve({ error: new Failure('HF303', because) });
}
