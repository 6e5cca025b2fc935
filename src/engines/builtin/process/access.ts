import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { type Access, type FixedAnswer, mayAsk, type Rate, refusals } from '#routing';
import type { Exchange } from './exchange.ts';
import { matchesHash } from './sha-crypt.ts';

/** Says what a request is refused with, or null. One for a generation: it counts. */
export class AccessKeeper {
  readonly #sources = new WeakMap<Access, (address: string) => boolean>();
  readonly #buckets = new Map<string, Buckets>();
  readonly #passwords = new Passwords();

  async refusal(access: Access, exchange: Exchange, nowMs: number): Promise<FixedAnswer | null> {
    const { rate, basicAuth, bodyBytesMax } = access;
    const { address } = exchange.facts.client;
    if (!this.#sourceMayAsk(access, address)) return refusals.network;
    if (rate && !this.#bucketsOf(rate).take(clientOf(address), nowMs)) return refusals.rate;
    if (basicAuth && !(await this.#passwords.known(basicAuth.users, exchange.request.headers.authorization)))
      return refusals.password(basicAuth.realm);
    return bodyBytesMax === null ? null : bodyRefusal(exchange, bodyBytesMax);
  }

  #sourceMayAsk(access: Access, address: string): boolean {
    const known = this.#sources.get(access);
    const check = known ?? mayAsk(access);
    if (!known) this.#sources.set(access, check);
    return check(address);
  }

  #bucketsOf(rate: Rate): Buckets {
    const known = this.#buckets.get(rate.name);
    const buckets = known ?? new Buckets(rate);
    if (!known) this.#buckets.set(rate.name, buckets);
    return buckets;
  }
}

function bodyRefusal({ head, request }: Exchange, bytesMax: number): FixedAnswer | null {
  if (!head?.hasBody) return null;
  const length = request.headers['content-length'];
  if (length === undefined) return refusals.lengthUntold;
  return Number(length) > bytesMax ? refusals.tooLong : null;
}

/** Who has one IPv6 address has all of its /64. */
export function clientOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [before = '', behind = ''] = address.split('::');
  const [head, tail] = [before, behind].map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = Array<string>(Math.max(0, 8 - (head?.length ?? 0) - (tail?.length ?? 0))).fill('0');
  return [...(head ?? []), ...(address.includes('::') ? zeros : []), ...(tail ?? [])].slice(0, 4).join(':');
}

const clientsMax = 100_000;

/** Each client has as many requests at once as the rate says, and gets them back evenly. */
class Buckets {
  readonly #rate: Rate;
  /** In the order of last use: whoever was not here for longest is forgotten first. */
  readonly #clients = new Map<string, { left: number; atMs: number }>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  take(client: string, nowMs: number): boolean {
    const { requests, perMs } = this.#rate;
    const known = this.#clients.get(client) ?? { left: requests, atMs: nowMs };
    this.#clients.delete(client);
    const left = Math.min(requests, known.left + ((nowMs - known.atMs) * requests) / perMs);
    const may = left >= 1;
    this.#clients.set(client, { left: may ? left - 1 : left, atMs: nowMs });
    if (this.#clients.size > clientsMax) {
      const [oldest] = this.#clients.keys();
      if (oldest !== undefined) this.#clients.delete(oldest);
    }
    return may;
  }
}

type Users = NonNullable<Access['basicAuth']>['users'];

const waitingMax = 64;
const rememberedMax = 1_000;

/** One password at a time is tried, since each costs milliseconds; what was right is remembered, not in the clear. */
class Passwords {
  readonly #right = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  async known(users: Users, header: string | undefined): Promise<boolean> {
    const [, encoded] = /^basic +([A-Za-z0-9+/=]+)$/i.exec(header ?? '') ?? [];
    const given = Buffer.from(encoded ?? '', 'base64').toString('utf8');
    const colon = given.indexOf(':');
    const user = users.find(({ name }) => name === given.slice(0, colon));
    if (colon < 0 || !user) return false;
    const mark = createHash('sha256').update(`${user.passwordHash} ${given}`).digest('base64');
    if (this.#right.has(mark)) return true;
    if (this.#waiting >= waitingMax) return false;
    const right = await this.#inTurn(() => matchesHash(given.slice(colon + 1), user.passwordHash));
    if (right && this.#right.size < rememberedMax) this.#right.add(mark);
    return right;
  }

  #inTurn(work: () => Promise<boolean>): Promise<boolean> {
    this.#waiting += 1;
    const turn = this.#last.then(work).finally(() => {
      this.#waiting -= 1;
    });
    this.#last = turn.catch(() => {});
    return turn;
  }
}
