import type { Path, SourceText } from './yaml.ts';

/**
 * A text's mistakes are looked for in what is built of it, too: of the same part at the same place of the same text it is
 * built once. Only for what depends on nothing else.
 */
export function builtOnce<P extends object, T>(): (
  part: P,
  index: number,
  placeOf: SourceText['placeOf'],
  build: () => T,
) => T {
  const known = new WeakMap<P, Built<T>>();
  return (part, index, placeOf, build) => {
    const before = known.get(part);
    if (before?.index === index && before.placeOf === placeOf) return before.made;
    const made = build();
    known.set(part, { index, placeOf, made });
    return made;
  };
}

interface Built<T> {
  readonly index: number;
  readonly placeOf: (path: Path) => unknown;
  readonly made: T;
}
