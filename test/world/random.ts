/** Chance with a seed (xoshiro128**, Blackman and Vigna), so that a simulation that fails can be run again. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer in [0, below). */
  integer(below: number): number;
  /** How many of `n` independent trials come true with chance `p`. */
  binomial(n: number, p: number): number;
  poisson(mean: number): number;
}

export function seededRandom(seed: number): Random {
  const state = new Uint32Array(4);
  // SplitMix32 spreads small seeds over the whole state.
  let mixed = seed >>> 0;
  for (let i = 0; i < 4; i += 1) {
    mixed = (mixed + 0x9e3779b9) >>> 0;
    let word = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    state[i] = word ^ (word >>> 15);
  }

  function bits(): number {
    const [a = 0, b = 0, c = 0, d = 0] = state;
    const word = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const c2 = c ^ a;
    const d2 = d ^ b;
    state[0] = a ^ d2;
    state[1] = b ^ c2;
    state[2] = c2 ^ (b << 9);
    state[3] = rotate(d2, 11);
    return word;
  }

  const next = () => bits() / 2 ** 32;

  /** Waiting times between successes: costs as much as there are successes. */
  function binomial(n: number, p: number): number {
    if (n <= 0 || p <= 0) return 0;
    if (p >= 1) return n;
    if (p > 0.5) return n - binomial(n, 1 - p);
    const logMiss = Math.log1p(-p);
    let hits = 0;
    let at = Math.floor(Math.log1p(-next()) / logMiss);
    while (at < n) {
      hits += 1;
      at += 1 + Math.floor(Math.log1p(-next()) / logMiss);
    }
    return hits;
  }

  /** Product of uniforms (Knuth), in pieces small enough for a double. */
  function poisson(mean: number): number {
    if (mean > 30) return poisson(30) + poisson(mean - 30);
    const end = Math.exp(-mean);
    let count = -1;
    for (let product = 1; product > end || count < 0; product *= 1 - next()) count += 1;
    return count;
  }

  return { next, integer: (below) => Math.floor(next() * below), binomial, poisson };
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
