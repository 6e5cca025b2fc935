import type { Diagnostic } from '#base';
import { expressionTrouble } from './expression.ts';
import { pathText, shown } from './mistakes.ts';
import { listOf, sectionOf } from './parts.ts';
import { repeated } from './references.ts';
import type { MatchPart } from './schema.ts';
import { matchSchema } from './schema-routes.ts';
import { shaped } from './shaped.ts';
import { mistake, type Path, type SourceText } from './yaml.ts';

/** Values that no request can have, or that engines would read differently. Looks at every match of the right shape. */
export function matchMistakes(source: SourceText): Diagnostic[] {
  return sectionOf(source, 'routes').flatMap((route, index) => {
    const read = shaped.routes(route).data?.matches;
    return listOf(route, 'matches').flatMap((item, i) => {
      const match = read?.[i] ?? matchSchema.safeParse(item).data;
      const above: Path = ['routes', index, 'matches', i];
      return match ? [...pathMistakes(match, above, source), ...valueMistakes(match, above, source)] : [];
    });
  });
}

function pathMistakes({ path }: MatchPart, above: Path, source: SourceText): Diagnostic[] {
  if (path === undefined) return [];
  const at: Path = [...above, 'path', 'value'];
  return path.type === 'RegularExpression'
    ? expressionMistake(path.value, at, source)
    : plainPathMistake(path.value, at, source);
}

function valueMistakes(match: MatchPart, above: Path, source: SourceText): Diagnostic[] {
  const headers = match.headers.map(({ name }) => name.toLowerCase());
  const params = match.queryParams.map(({ name }) => name);
  const values = (['headers', 'queryParams'] as const).flatMap((kind) =>
    match[kind].flatMap(({ type, value }, i) => {
      const at: Path = [...above, kind, i, 'value'];
      if (type === 'RegularExpression') return expressionMistake(value, at, source);
      return kind === 'queryParams' ? plainQueryMistake(value, at, source) : [];
    }),
  );
  return [
    ...repeated(headers, [...above, 'headers'], source),
    ...repeated(params, [...above, 'queryParams'], source),
    ...values,
  ];
}

function expressionMistake(value: string, path: Path, source: SourceText): Diagnostic[] {
  const trouble = expressionTrouble(value);
  if (trouble === null) return [];
  return [mistake('HF019', source.placeOf(path), pathText(path), trouble.message, trouble.remedy)];
}

/** As the Gateway API has it: a path that a browser would rewrite before it asks can never be matched. */
function plainPathMistake(value: string, path: Path, source: SourceText): Diagnostic[] {
  const wrong = (message: string, remedy: string) => [
    mistake('HF013', source.placeOf(path), pathText(path), `${message}, got ${shown(value)}`, remedy),
  ];
  if (!value.startsWith('/')) return wrong('expected a path that begins with "/"', `Write "/${value}"`);
  if (/[?#]/.test(value))
    return wrong('expected a path without "?" and "#"', 'Match the query with queryParams');
  if (/\/\/|\/\.\.?(?:\/|$)/.test(value)) return wrong('expected a path without "//", "/./" and "/../"', '');
  if (!/^[A-Za-z0-9._~!$&'()*+,;=:@%/-]*$/.test(value)) {
    return wrong('expected a path as it stands in a URL', `Write "${encodeURI(value)}"`);
  }
  return [];
}

function plainQueryMistake(value: string, path: Path, source: SourceText): Diagnostic[] {
  if (/^[A-Za-z0-9._~!$'()*+,;=:@%/?-]+$/.test(value)) return [];
  const message = `expected a value as it stands in a URL, got ${shown(value)}`;
  const remedy = `Write "${encodeURIComponent(value)}"`;
  return [mistake('HF013', source.placeOf(path), pathText(path), message, remedy)];
}
