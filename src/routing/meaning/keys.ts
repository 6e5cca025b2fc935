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

  /** A text with its length in front, so that no two things are written alike. */
  #word(part: unknown): string {
    if (typeof part === 'string') return `${part.length}'${part}`;
    return typeof part === 'object' && part !== null ? `#${this.of(part)}` : String(part);
  }
}
