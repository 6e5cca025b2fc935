import type { CircuitBreaker as Limits } from '#model';

/** `trial`: while it is open, to find out whether it may close. */
type Pass = 'usual' | 'trial';

/** Whether a pool is asked at all. In each worker for itself, since each sees its share of the requests. */
export class CircuitBreaker {
  readonly #limits: Limits;
  #from = 0;
  #requests = 0;
  #failed = 0;
  /** Null: closed, everybody may pass. */
  #openUntil: number | null = null;
  /** One request is under way that decides. */
  #trying = false;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Null: answer 503. Who passes says afterwards how it went. */
  pass(nowMs: number): Pass | null {
    if (this.#openUntil === null) return 'usual';
    if (nowMs < this.#openUntil || this.#trying) return null;
    this.#trying = true;
    return 'trial';
  }

  /** `failed`: null when nobody knows, because the client has left. */
  heard(pass: Pass, failed: boolean | null, nowMs: number): void {
    if (pass === 'trial') this.#decide(failed, nowMs);
    // What was under way when it opened says nothing new.
    if (pass === 'trial' || failed === null || this.#openUntil !== null) return;
    const { requests, failuresShare, windowMs, openMs } = this.#limits;
    if (nowMs - this.#from > windowMs) this.#begin(nowMs);
    this.#requests += 1;
    if (failed) this.#failed += 1;
    if (this.#requests >= requests && this.#failed / this.#requests >= failuresShare)
      this.#openUntil = nowMs + openMs;
  }

  #decide(failed: boolean | null, nowMs: number): void {
    this.#trying = false;
    if (failed === null) return;
    this.#openUntil = failed ? nowMs + this.#limits.openMs : null;
    this.#begin(nowMs);
  }

  #begin(nowMs: number): void {
    this.#from = nowMs;
    this.#requests = 0;
    this.#failed = 0;
  }
}
