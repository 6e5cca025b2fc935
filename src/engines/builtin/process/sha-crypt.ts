import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * SHA-crypt, as crypt(3) and `openssl passwd -5` and `-6` do it: https://www.akkadia.org/drepper/SHA-crypt.txt.
 * Slow on purpose; so it gives way to others while it works.
 */
export async function matchesHash(password: string, hash: string): Promise<boolean> {
  const parts = /^\$([56])\$(?:rounds=(\d+)\$)?([^$]{1,16})\$(.+)$/.exec(hash);
  if (!parts) return false;
  const [, kind = '', rounds, salt = '', wanted = ''] = parts;
  const digest = await digestOf(
    kind === '6' ? long : short,
    Buffer.from(password),
    Buffer.from(salt),
    Number(rounds ?? 5_000),
  );
  const found = encoded(digest, kind === '6' ? long.order : short.order);
  return found.length === wanted.length && timingSafeEqual(Buffer.from(found), Buffer.from(wanted));
}

interface Kind {
  readonly name: 'sha256' | 'sha512';
  readonly bytes: number;
  /** Which bytes of the digest make each four characters; -1 stands for none. */
  readonly order: readonly (readonly [number, number, number])[];
}

const short: Kind = { name: 'sha256', bytes: 32, order: orderOf(10, [0, 10, 20], 21, [-1, 31, 30]) };
const long: Kind = { name: 'sha512', bytes: 64, order: orderOf(21, [0, 21, 42], 22, [-1, -1, 63]) };

function orderOf(
  groups: number,
  first: readonly [number, number, number],
  step: number,
  last: readonly [number, number, number],
): Kind['order'] {
  const size = groups === 10 ? 30 : 63;
  const order: [number, number, number][] = [];
  let [a, b, c] = first;
  for (let i = 0; i < groups; i++) {
    order.push([a, b, c]);
    [a, b, c] = [(a + step) % size, (b + step) % size, (c + step) % size];
  }
  return [...order, last];
}

const roundsAtOnce = 500;

async function digestOf(kind: Kind, password: Buffer, salt: Buffer, rounds: number): Promise<Buffer> {
  const hash = (...parts: readonly Buffer[]) => createHash(kind.name).update(Buffer.concat(parts)).digest();
  const b = hash(password, salt, password);
  const bits: Buffer[] = [];
  for (let n = password.length; n > 0; n >>= 1) bits.push(n & 1 ? b : password);
  const a = hash(password, salt, repeated(b, password.length), ...bits);
  const p = repeated(hash(...Array<Buffer>(password.length).fill(password)), password.length);
  const s = repeated(hash(...Array<Buffer>(16 + (a[0] ?? 0)).fill(salt)), salt.length);
  let c = a;
  for (let round = 0; round < rounds; round++) {
    const odd = round % 2 === 1;
    c = hash(odd ? p : c, ...(round % 3 ? [s] : []), ...(round % 7 ? [p] : []), odd ? c : p);
    if (round % roundsAtOnce === roundsAtOnce - 1) await new Promise(setImmediate);
  }
  return c;
}

function repeated(bytes: Buffer, length: number): Buffer {
  return Buffer.alloc(length, bytes);
}

const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function encoded(digest: Buffer, order: Kind['order']): string {
  return order
    .map((three) => {
      const [high, middle, low] = three.map((at) => (at < 0 ? 0 : (digest[at] ?? 0)));
      let word = ((high ?? 0) << 16) | ((middle ?? 0) << 8) | (low ?? 0);
      // Two characters hold one byte, three hold two.
      const characters = 4 - three.filter((at) => at < 0).length;
      let text = '';
      for (let i = 0; i < characters; i++, word >>= 6) text += alphabet[word & 63];
      return text;
    })
    .join('');
}
