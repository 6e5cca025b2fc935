import { Failure, messageOf } from '#base';
import type { Random } from '../world/random.ts';
import type { Scheduler, SimulatedProcess } from './scheduler.ts';

export type Handlers = Readonly<Record<string, (input: never) => unknown>>;

/** Who answers calls under a name; it changes when a process is started anew. */
export interface Endpoint {
  readonly process: SimulatedProcess;
  readonly handlers: Handlers;
}

/** How calls between two names fare now. */
export interface Weather {
  /** Nothing passes: connections neither break nor get anything. */
  readonly cut: boolean;
  /** Of each message. */
  readonly lossShare: number;
  /** Of each request: it is carried out twice, the second time later. */
  readonly twiceShare: number;
  readonly delayMsMax: number;
}

export const fair: Weather = { cut: false, lossShare: 0, twiceShare: 0, delayMsMax: 1 };

/** Calls between processes: each is carried as its JSON, and may be late, lost, cut off or doubled. */
export class Network {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #weather = new Map<string, Weather>();
  /** Told of whatever the weather did. */
  readonly #tell: (what: string) => void;

  constructor(scheduler: Scheduler, random: Random, tell: (what: string) => void) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#tell = tell;
  }

  serve(name: string, endpoint: Endpoint): void {
    this.#endpoints.set(name, endpoint);
  }

  setWeather(name: string, weather: Weather): void {
    this.#weather.set(name, weather);
  }

  /** As a client over a socket sees it: an answer, a Failure of the other side, HF304 where nobody answers. */
  call(
    from: SimulatedProcess,
    to: string,
    name: string,
    input: unknown,
    timeoutMs = 5_000,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (from.isDead) return;
      let settled = false;
      const settle = (act: () => void) => {
        if (settled) return;
        settled = true;
        callOff();
        act();
      };
      const callOff = this.#scheduler.after(timeoutMs, () =>
        from.hears(() => settle(() => reject(silence(to, `no answer to ${name} within ${timeoutMs} ms`)))),
      );
      const answer = (said: Said) =>
        this.#carry(to, `the answer to ${name}`, () =>
          from.hears(() => settle(() => open(to, said, resolve, reject))),
        );
      const text = JSON.stringify(input);
      this.#carry(to, name, () => this.#deliver(to, name, text, answer));
      if (this.#random.next() < this.#weatherOf(to).twiceShare) {
        this.#tell(`${name} comes to ${to} twice`);
        this.#carry(to, name, () => this.#deliver(to, name, text, () => {}));
      }
    });
  }

  #weatherOf(name: string): Weather {
    return this.#weather.get(name) ?? fair;
  }

  #carry(to: string, what: string, arrive: () => void): void {
    const { cut, lossShare, delayMsMax } = this.#weatherOf(to);
    if (cut) return;
    if (lossShare > 0 && this.#random.next() < lossShare) {
      this.#tell(`${what} (${to}) is lost`);
      return;
    }
    this.#scheduler.after(0.1 + this.#random.next() * delayMsMax, arrive);
  }

  #deliver(to: string, name: string, text: string, answer: (said: Said) => void): void {
    const endpoint = this.#endpoints.get(to);
    if (!endpoint || endpoint.process.isDead) {
      answer({ kind: 'refused', why: 'connection refused' });
      return;
    }
    endpoint.process.hears(() => {
      const handler = endpoint.handlers[name];
      if (!handler) {
        answer({ kind: 'failed', error: new Error(`unknown call ${name}`) });
        return;
      }
      Promise.resolve()
        .then(() => handler(JSON.parse(text) as never))
        .then(
          (output) => answer({ kind: 'said', text: JSON.stringify(output ?? null) }),
          (error: unknown) => answer({ kind: 'failed', error }),
        );
    });
  }
}

type Said =
  | { readonly kind: 'said'; readonly text: string }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'refused'; readonly why: string };

function open(
  to: string,
  said: Said,
  resolve: (value: unknown) => void,
  reject: (error: Error) => void,
): void {
  if (said.kind === 'said') resolve(JSON.parse(said.text));
  else if (said.kind === 'refused') reject(silence(to, said.why));
  else {
    const { error } = said;
    const why = `${to}: ${messageOf(error)}`;
    reject(error instanceof Failure ? new Failure(error.code, why, error.remedy) : new Error(why));
  }
}

function silence(to: string, why: string): Failure {
  return new Failure('HF304', `${to} does not answer: ${why}`);
}
