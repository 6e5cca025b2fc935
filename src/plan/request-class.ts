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
    ...(hostnames.length > 0 ? [some(hostnames.map((name) => isIn('host', hostLanguage(name))))] : []),
    ...(path ? [isIn('path', pathLanguage(path))] : []),
    ...(methods.length > 0 ? [some(methods.map((method) => isIn('method', exactly(method))))] : []),
    ...(scheme ? [isIn('scheme', exactly(scheme))] : []),
    ...(from.length > 0 ? [{ kind: 'from', networks: from } as const] : []),
  ]);
}

function exactly(text: string): meaning.Language {
  return { kind: 'is', text, ignoreCase: false };
}

/** `*.shop.example` takes one label or more; a port behind the name does not matter. */
function hostLanguage(name: string): meaning.Language {
  const source = name.startsWith('*.') ? `[^:]+${quoted(name.slice(1))}` : quoted(name);
  return expression(`^${source}(?::[0-9]*)?$`, true);
}

function pathLanguage({ type, value }: NonNullable<RequestClass['path']>): meaning.Language {
  if (type === 'Exact') return exactly(value);
  if (type === 'RegularExpression') return expression(`^(?:${value})$`, false);
  const prefix = value.replace(/\/$/, '');
  const below: meaning.Language = { kind: 'begins', text: `${prefix}/`, ignoreCase: false };
  return prefix === '' ? below : { kind: 'union', of: [exactly(prefix), below] };
}

function expression(source: string, ignoreCase: boolean): meaning.Language {
  return { kind: 'matches', regex: { source, ignoreCase, syntax: 'pcre' } };
}

function quoted(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, (sign) => `\\${sign}`);
}
