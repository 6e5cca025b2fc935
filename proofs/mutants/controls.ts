/**
 * Without them "found" would say nothing: the model with nothing planted in it, loaded as mutants are, in which nothing may be
 * found; and one plain mistake of each area, which has to be.
 */
import { type Area, type Mutant, mutantsIn, rootPath } from './mutants.ts';

/** `where`: one place of the file, in which `was` stands. */
interface Plain {
  readonly area: Area;
  readonly file: string;
  readonly was: string;
  readonly is: string;
}

/** What anybody would call wrong. */
const plain: readonly Plain[] = [
  {
    area: 'HAProxy lift',
    file: 'src/dialects/haproxy/lift/switching.ts',
    was: 'flow.decide(when, targets.named(name.value, line), line);',
    is: 'flow.decide(meaning.not(when), targets.named(name.value, line), line);',
  },
  {
    area: 'NGINX lift',
    file: 'src/dialects/nginx/lift/locations.ts',
    was: '.toSorted((a, b) => b.name.length - a.name.length)',
    is: '.toSorted((a, b) => a.name.length - b.name.length)',
  },
  {
    area: 'difference',
    file: 'src/routing/meaning/difference/difference.ts',
    was: 'if (isWrittenAlike(before, after, keys))',
    is: 'if (!isWrittenAlike(before, after, keys))',
  },
  {
    area: 'meaning',
    file: 'src/routing/meaning/fate/fate.ts',
    was: 'fate = firstOf(here, world, depth, walked) ?? rules.otherwise;',
    is: 'fate = rules.otherwise;',
  },
  {
    area: 'plan',
    file: 'src/plan/risk.ts',
    was: "if (isServed(before) && !isServed(after)) return 'lost';",
    is: "if (!isServed(before) && isServed(after)) return 'lost';",
  },
];

export interface Controls {
  readonly nothing: readonly Mutant[];
  readonly wrong: readonly Mutant[];
}

/** @throws Error where the model has changed, so that a mistake has no place any more. */
export function controls(only: string): Controls {
  const wrong = plain.filter(({ file }) => file.startsWith(only)).map(planted);
  return { wrong, nothing: wrong.map((one) => ({ ...one, rule: 'nothing planted', is: one.was })) };
}

function planted({ area, file, was, is }: Plain): Mutant {
  const [found, ...more] = mutantsIn(area, rootPath(file), (text) =>
    [...text.matchAll(new RegExp(RegExp.escape(was), 'g'))].map(({ index }) => ({
      rule: 'a plain mistake',
      at: index,
      was,
      is,
    })),
  );
  if (found === undefined || more.length > 0)
    throw new Error(`${file} does not have this once, which is to be changed: ${was}`);
  return found;
}
