import type { z } from 'zod';
import { type Diagnostic, didYouMean } from '#base';
import { diagnosticsMax } from './limits.ts';
import { mistake, type Path, type SourceText, shortPath } from './yaml.ts';

type Issue = z.core.$ZodIssue;

/** What a document must look like: `json` is the same as JSON Schema, for the keys that a place may have. */
export interface Shape {
  read(value: unknown): z.ZodSafeParseResult<unknown>;
  json(): object;
}

/** Everything in the text that has the wrong shape, as an operator reads it. Empty when the shape is right. */
export function shapeMistakes(source: SourceText, shape: Shape): Diagnostic[] {
  const result = shape.read(source.value);
  if (result.success) return [];
  const told = new Set<string>();
  return result.error.issues
    .slice(0, diagnosticsMax)
    .flatMap((issue) => unfold(issue, []))
    .flatMap((issue) => {
      // A pattern and a finer check of one value would say the same thing twice.
      const key = `${issue.code === 'unrecognized_keys'} ${pathText(issue.path)}`;
      if (told.has(key)) return [];
      told.add(key);
      return diagnosticsOf(issue, source, shape);
    })
    .slice(0, diagnosticsMax);
}

/** `routes[3].pool` */
export function pathText(path: Path): string {
  const text = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
  return shortPath(text.replace(/^\./, ''));
}

interface PlacedIssue {
  readonly code: Issue['code'];
  readonly path: Path;
  readonly message: string;
  readonly words: readonly string[];
}

/** Of alternatives, the one that the value was meant to be: it fits at the top and fails further down. */
function unfold(issue: Issue, above: Path): PlacedIssue[] {
  const path = [...above, ...issue.path] as Path;
  if (issue.code === 'invalid_union') {
    const meant =
      issue.errors.find((branch) => !branch.some((i) => i.code === 'invalid_type' && i.path.length === 0)) ??
      issue.errors.at(-1) ??
      [];
    return meant.flatMap((inner) => unfold(inner, path));
  }
  const words =
    issue.code === 'unrecognized_keys'
      ? issue.keys
      : issue.code === 'invalid_value'
        ? issue.values.map(String)
        : [];
  return [{ code: issue.code, path, message: issue.message, words }];
}

function diagnosticsOf(issue: PlacedIssue, source: SourceText, shape: Shape): Diagnostic[] {
  const { code, path, message } = issue;
  if (code === 'unrecognized_keys') {
    const known = knownKeys(shape, path);
    return issue.words.slice(0, diagnosticsMax).map((key) => {
      const place = source.keyPlaceOf([...path, key]);
      const keyPath = pathText([...path, key]);
      return mistake(
        'HF010',
        place,
        keyPath,
        `expected one of ${listed(known)}, got ${shown(key)}`,
        meant(key, known),
      );
    });
  }
  const value = valueAt(source.value, path);
  const place = source.placeOf(path);
  const expected = issue.words.length > 0 ? `one of ${listed(issue.words)}` : message;
  if (value === undefined) return [mistake('HF012', place, pathText(path), `missing, expected ${expected}`)];
  const wrongType = code === 'invalid_type' || (code === 'invalid_value' && typeof value !== 'string');
  const similar = typeof value === 'string' ? meant(value, issue.words) : '';
  const remedy = wrongType ? remedyForType(value, shape, path) : similar;
  const expectation = `expected ${expected}, got ${shown(value)}`;
  return [mistake(wrongType ? 'HF011' : 'HF013', place, pathText(path), expectation, remedy)];
}

/** A number where text is expected is mostly a word without its quotes, or a duration without its unit. */
function remedyForType(value: unknown, shape: Shape, path: Path): string {
  if (typeof value !== 'number' && typeof value !== 'boolean') return '';
  const fits = (word: string) =>
    schemaAt(shape, path).some((node) => node.pattern !== undefined && new RegExp(node.pattern).test(word));
  // Nobody waits for 100 seconds: such a number was meant in milliseconds.
  const unit = Number(value) >= 100 ? 'ms' : 's';
  if (fits(`${value}${unit}`) && !fits(String(value))) return `Add the unit, such as ${value}${unit}`;
  return fits(String(value)) ? `Put it in quotes: "${value}"` : '';
}

const wordMax = 64;

export function meant(word: string, known: readonly string[]): string {
  return word.length <= wordMax ? didYouMean(word, known) : '';
}

const listedMax = 12;

/** `"api", "web"`, and how many more when they are many. */
export function listed(words: readonly string[]): string {
  const some = words.slice(0, listedMax).map((word) => JSON.stringify(word));
  const rest = words.length - some.length;
  return some.join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

/** A value as it is told to a person: short, on one line. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'a map of keys';
  if (typeof value === 'string')
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
  return `the ${typeof value} ${String(value)}`;
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, step) => {
    if (at === null || typeof at !== 'object') return undefined;
    return (at as Readonly<Record<string | number, unknown>>)[step];
  }, value);
}

interface SchemaNode {
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

/** The editor's schema at a path: it lists the keys that a place may have. */
function schemaAt(shape: Shape, path: Path): readonly SchemaNode[] {
  const alternatives = (node: SchemaNode | undefined) => (node ? [node, ...(node.anyOf ?? [])] : []);
  return path.reduce<readonly SchemaNode[]>(
    (nodes, step) =>
      nodes.flatMap((node) =>
        alternatives(typeof step === 'number' ? node.items : node.properties?.[String(step)]),
      ),
    alternatives(shape.json() as SchemaNode),
  );
}

function knownKeys(shape: Shape, path: Path): readonly string[] {
  return schemaAt(shape, path).flatMap((node) => Object.keys(node.properties ?? {}));
}
