import { exactly, hostLanguage, pathLanguage } from '#dialects';
import { meaning } from '#routing';
import type { RequestClass } from './policy-file.ts';

/** The requests that a policy speaks of, as a condition on a request as it came. */
export function conditionOf({ hostnames, path, methods, scheme, from }: RequestClass): meaning.Condition {
  const { all, some, field } = meaning;
  const isIn = (
    kind: 'host' | 'path' | 'method' | 'scheme',
    language: meaning.Language,
  ): meaning.Condition => ({
    kind: 'in',
    value: field(kind),
    language,
  });
  return all([
    ...(hostnames.length > 0 ? [some(hostnames.map((name) => isIn('host', hostOf(name))))] : []),
    ...(path ? [isIn('path', pathLanguage(pathMatches[path.type], path.value))] : []),
    ...(methods.length > 0 ? [some(methods.map((method) => isIn('method', exactly(method))))] : []),
    ...(scheme ? [isIn('scheme', exactly(scheme))] : []),
    ...(from.length > 0 ? [{ kind: 'from', networks: from } as const] : []),
  ]);
}

const pathMatches = { Exact: 'exact', PathPrefix: 'prefix', RegularExpression: 'regex' } as const;

/** `*.shop.example` takes one label or more. */
function hostOf(name: string): meaning.Language {
  return name.startsWith('*.') ? hostLanguage('suffix', name.slice(1)) : hostLanguage('exact', name);
}
