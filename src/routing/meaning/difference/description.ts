import type { Condition } from '../condition.ts';
import { describe, describeNot } from '../fate/describe.ts';
import { listed } from '../fate/predicates.ts';
import type { FieldClass, FieldClasses } from './classes.ts';
import { type Atom, isMachine, type Terms } from './terms.ts';
import type { Chosen, Group } from './walk.ts';

const samplesShown = 2;
const excludedShown = 3;
/** Past that, the order in which exclusions are told does not matter. */
const greedyMax = 8;

/**
 * A class in words; of several the first ones, and how many more. Of what is asked by mistake alone only where there is
 * nothing else. What is assumed of what is not known is told elsewhere.
 */
export function describeClass({ samples, classes }: Group, terms: Terms): string {
  const natural = samples.filter(isNatural);
  const shown = natural.length > 0 ? natural : samples;
  const told = [
    ...new Map(shown.map((one) => partsOf(one, terms)).map((parts) => [parts.join(), parts])).values(),
  ];
  const more = told.length - samplesShown + Math.max(0, classes - samples.length);
  return `${eitherOf(told.slice(0, samplesShown))}${more > 0 ? `; or ${more} more` : ''}`;
}

function isNatural(sample: Chosen | null): boolean {
  for (let at = sample; at !== null; at = at.rest) if (!at.taken.some(({ natural }) => natural)) return false;
  return true;
}

function partsOf(sample: Chosen | null, terms: Terms): readonly string[] {
  const parts: string[] = [];
  for (let at = sample; at !== null; at = at.rest) parts.push(describeField(at, terms));
  return parts.filter(Boolean);
}

/** What they have in common first. */
function eitherOf(told: readonly (readonly string[])[]): string {
  const [first = [], ...others] = told;
  const common = first.filter((part) => others.every((parts) => parts.includes(part)));
  const rest = told.map((parts) => parts.filter((part) => !common.includes(part)).join(', '));
  if (told.length < 2 || rest.includes('')) return common.join(', ') || 'every request';
  return common.length === 0 ? rest.join('; or ') : `${common.join(', ')}, either ${rest.join('; or ')}`;
}

/** Classes of a field, and which of them an atom holds of. Atoms that hold of all or none say nothing. */
interface Index {
  readonly classes: readonly FieldClass[];
  readonly byAtom: ReadonlyMap<number, readonly FieldClass[]>;
}

const indexes = new WeakMap<FieldClasses, { readonly natural: Index; readonly all: Index }>();

function indexOf(all: FieldClasses, natural: boolean): Index {
  const known = indexes.get(all);
  const made = known ?? {
    natural: indexed(all.classes.filter((one) => one.natural)),
    all: indexed(all.classes),
  };
  indexes.set(all, made);
  return natural ? made.natural : made.all;
}

function indexed(classes: readonly FieldClass[]): Index {
  const byAtom = new Map<number, FieldClass[]>();
  for (const one of classes)
    for (const atom of one.atoms) {
      const there = byAtom.get(atom);
      if (there) there.push(one);
      else byAtom.set(atom, [one]);
    }
  for (const [atom, holding] of byAtom) if (holding.length === classes.length) byAtom.delete(atom);
  return { classes, byAtom };
}

/** What was told of one class of a field: thousands of differences may have the same host. */
const told = new WeakMap<FieldClass, string>();

function describeField(chosen: Chosen, terms: Terms): string {
  const [only, more] = chosen.taken;
  if (only === undefined || more !== undefined) return describeTaken(chosen, terms);
  const known = told.get(only);
  const text = known ?? describeTaken(chosen, terms);
  if (known === undefined) told.set(only, text);
  return text;
}

/** Of what is asked by mistake alone it is told in full, otherwise only of what is natural. */
function describeTaken({ field, taken, all }: Chosen, { atoms }: Terms): string {
  if (field.startsWith('whether:')) return '';
  const natural = taken.filter((one) => one.natural);
  const isNatural = natural.length > 0;
  const index = indexOf(all, isNatural);
  const wanted = new Set(isNatural ? natural : taken);
  if (wanted.size === index.classes.length) return '';
  return describeWanted(wanted, index, nameOf(field), atoms);
}

function nameOf(field: string): string {
  if (field === 'normalisedPath') return 'path';
  return field.startsWith('header:') ? `header ${field.slice('header:'.length)}` : field;
}

type Atoms = readonly (Atom | undefined)[];

function describeWanted(wanted: ReadonlySet<FieldClass>, index: Index, name: string, atoms: Atoms): string {
  const together = cover(wanted, index);
  if (together && (together.taken.length > 0 || wanted.size === 1 || together.not.length <= excludedShown))
    return describeCover(together, name, atoms);
  const left = new Set(wanted);
  const parts: string[] = [];
  const whole: number[] = [];
  for (const atom of atomsOf(wanted, index)) {
    const holding = index.byAtom.get(atom) ?? [];
    if (!holding.every((one) => wanted.has(one)) || !holding.some((one) => left.has(one))) continue;
    whole.push(atom);
    for (const one of holding) left.delete(one);
  }
  if (whole.length > 0) parts.push(describeAny(whole, atoms));
  for (const one of left) {
    const found = cover(new Set([one]), index);
    if (found) parts.push(describeCover(found, name, atoms));
  }
  return listed(parts, 'or');
}

/** The ones that hold of many classes first. */
function atomsOf(wanted: ReadonlySet<FieldClass>, { byAtom }: Index): readonly number[] {
  const size = (atom: number) => byAtom.get(atom)?.length ?? 0;
  return [...new Set([...wanted].flatMap((one) => [...one.atoms]))]
    .filter((atom) => byAtom.has(atom))
    .sort((a, b) => size(b) - size(a));
}

interface Cover {
  readonly taken: readonly number[];
  readonly not: readonly number[];
}

/** What holds of all that is wanted and of nothing else: few atoms, and few that do not hold. Null: there is none. */
function cover(wanted: ReadonlySet<FieldClass>, index: Index): Cover | null {
  const [first, ...others] = wanted;
  const size = (atom: number) => index.byAtom.get(atom)?.length ?? 0;
  const common = [...(first?.atoms ?? [])]
    .filter((atom) => size(atom) > 0 && others.every(({ atoms }) => atoms.has(atom)))
    .sort((a, b) => size(a) - size(b));
  const [rarest] = common;
  const taken = rarest === undefined ? [] : [rarest];
  const near = rarest === undefined ? index.classes : (index.byAtom.get(rarest) ?? []);
  let left = near.filter((one) => !wanted.has(one));
  for (const atom of common.slice(1)) {
    const fewer = left.filter(({ atoms }) => atoms.has(atom));
    if (fewer.length === left.length) continue;
    taken.push(atom);
    left = fewer;
  }
  if (wanted.size === 1 && common.length === 0 && index.byAtom.size > excludedShown)
    return { taken, not: [] };
  const held = new Set([...wanted].flatMap(({ atoms }) => [...atoms]));
  const not: number[] = [];
  while (left.length > 0) {
    const atom = mostIn(not.length < greedyMax ? left : left.slice(0, 1), held);
    if (atom === null) return null;
    not.push(atom);
    left = left.filter(({ atoms }) => !atoms.has(atom));
  }
  return { taken, not };
}

function mostIn(classes: readonly FieldClass[], without: ReadonlySet<number>): number | null {
  const counts = new Map<number, number>();
  for (const { atoms } of classes)
    for (const atom of atoms) if (!without.has(atom)) counts.set(atom, (counts.get(atom) ?? 0) + 1);
  let best: number | null = null;
  for (const [atom, count] of counts) if (best === null || count > (counts.get(best) ?? 0)) best = atom;
  return best;
}

function describeCover({ taken, not }: Cover, name: string, atoms: Atoms): string {
  const yes = taken.map((atom) => describeAtom(atoms[atom], false)).filter(Boolean);
  const exclude = not.map((atom) => describeAtom(atoms[atom], true)).filter(Boolean);
  const isMany = exclude.length === 0 || exclude.length > excludedShown || name === 'host' || name === 'sni';
  if (yes.length === 0) return isMany ? `any other ${name}` : sameSubject(exclude, name);
  const kept = sameSubject(
    yes.toSorted((a, b) => rankOfWords(a) - rankOfWords(b)),
    name,
  );
  if (exclude.length === 0) return kept;
  const rest = exclude.length - excludedShown;
  const told = exclude.slice(0, excludedShown).map((text) => withoutSame(text, kept));
  return `${kept}, but ${told.join(' and ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

/** How it begins comes before how it ends. */
const rankOfWords = (text: string) => (/ (?:is|begins with) /.test(text) ? 0 : 1);

function sameSubject(parts: readonly string[], name: string): string {
  return parts
    .map((part, index) => (index > 0 && part.startsWith(`${name} `) ? part.slice(name.length + 1) : part))
    .join(' and ');
}

/** `path does not begin with "/a/"` behind `path begins with "/a"` is `not with "/a/"`. */
function withoutSame(text: string, before: string): string {
  const [, subject = '', verb = '', rest = ''] =
    /^(.*?) does not (begin|end|match|contain)(.*)$/s.exec(text) ?? [];
  if (subject && before.startsWith(`${subject} ${verb}`)) return `not${rest}`;
  const [, name = ''] = /^(\S+) /.exec(text) ?? [];
  return name && before.startsWith(`${name} `) ? text.slice(name.length + 1) : text;
}

function describeAny(numbers: readonly number[], atoms: Atoms): string {
  const of = numbers.flatMap((number) => {
    const atom = atoms[number];
    return atom ? conditionOf(atom) : [];
  });
  return describe({ kind: 'some', of });
}

function describeAtom(atom: Atom | undefined, no: boolean): string {
  const [condition] = atom ? conditionOf(atom) : [];
  if (!condition) return '';
  return no ? describeNot(condition) : describe(condition);
}

/** None: it has no words. */
function conditionOf(atom: Atom): readonly Condition[] {
  if (atom.kind === 'from') return [{ kind: 'from', networks: atom.networks }];
  if (atom.kind !== 'in' || isMachine(atom.test)) return [];
  return [{ kind: 'in', value: atom.value, language: atom.test }];
}
