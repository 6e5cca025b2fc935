/** Structures as numbers: the same content, the same number, wherever it stands in a text. Places do not count. */
export class Keys {
  readonly #numbers = new Map<string, number>();
  readonly #known = new Map<object, number>();

  of(part: object): number {
    const known = this.#known.get(part);
    if (known !== undefined) return known;
    let key = '';
    if (Array.isArray(part)) for (const one of part as readonly unknown[]) key += `${this.#word(one)},`;
    else
      for (const [name, one] of Object.entries(part))
        if (name !== 'place' && one !== undefined) key += `${name}:${this.#word(one)},`;
    const number = this.#numbers.get(key) ?? this.#numbers.size;
    this.#numbers.set(key, number);
    this.#known.set(part, number);
    return number;
  }

  /** Whether two have the same number, where that is told by looking at a few parts; else null. */
  quickly(one: object, other: object): boolean | null {
    const looks = { left: looksMax };
    const same = isAlike(one, other, looks);
    return looks.left < 0 ? null : same;
  }

  /** A text with its length in front, so that no two things are written alike. */
  #word(part: unknown): string {
    if (typeof part === 'string') return `${part.length}'${part}`;
    return typeof part === 'object' && part !== null ? `#${this.of(part)}` : String(part);
  }
}

/** Parts may stand in others again and again: past that, numbers are quicker. */
const looksMax = 5_000;

function isAlike(one: unknown, other: unknown, looks: { left: number }): boolean {
  if (one === other) return true;
  looks.left -= 1;
  if (looks.left < 0) return false;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) || Array.isArray(other)) {
    if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
    return one.every((part, index) => isAlike(part, other[index], looks));
  }
  const [a, b] = [one as Parts, other as Parts];
  for (const name in a) if (name !== 'place' && !isAlike(a[name], b[name], looks)) return false;
  for (const name in b) if (name !== 'place' && a[name] === undefined && b[name] !== undefined) return false;
  return true;
}

type Parts = Readonly<Record<string, unknown>>;
