import {
  type Alphabet,
  constant,
  languageMachine,
  machineOf,
  product,
  withoutBudget,
} from '../automata/index.ts';
import type { Field, Value } from '../value.ts';

/** What a request consists of, as far as a condition looks at it: `host`, `header:x-a`, `from`, `unknown:...`. */
export type FieldKey = string;

export function keyOfField(field: Field): FieldKey {
  return field.kind === 'header' ? `header:${field.name}` : field.kind;
}

const first = [
  'scheme',
  'localAddress',
  'localPort',
  'host',
  'sni',
  'path',
  'normalisedPath',
  'method',
  'query',
];

/** In which order a request is told apart: what most conditions look at first. */
export function rankOf(key: FieldKey): number {
  const known = first.indexOf(key);
  if (known >= 0) return known;
  if (key.startsWith('header:')) return 20;
  return key.startsWith('unknown:') || key.startsWith('whether:') ? 40 : 30;
}

/** The fields that a value is made of. */
export function fieldsOf(value: Value, into = new Set<FieldKey>()): Set<FieldKey> {
  switch (value.kind) {
    case 'text':
    case 'absent':
      break;
    case 'field':
      into.add(keyOfField(value.field));
      break;
    case 'unknown':
      into.add(unknownKey(value));
      break;
    case 'joined':
      for (const part of value.parts) fieldsOf(part, into);
      break;
    case 'chosen':
      fieldsOf(value.then, into);
      fieldsOf(value.otherwise, into);
      break;
    case 'orElse':
    case 'mapped':
      fieldsOf(value.of, into);
      fieldsOf(value.otherwise, into);
      break;
    default:
      fieldsOf(value.of, into);
  }
  return into;
}

export const unknownKey = ({ text, why }: { readonly text: string; readonly why: string }): FieldKey =>
  `unknown:${why}\n${text}`;

const label = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
const hosts = ['www.example.com', 'shop.example', 'other.example.net', 'a.b.example.org', '192.0.2.1'];
const headerWords = `^(?:[!-~\\x80-\\xff](?:[\\t -~\\x80-\\xff]*[!-~\\x80-\\xff])?)?$`;
const segment = '[a-z0-9][a-z0-9._-]*';

interface Words {
  readonly natural: string;
  readonly possible: string;
  readonly tried: readonly (string | null)[];
  readonly absent: boolean;
}

const words: Readonly<Record<string, Words>> = {
  host: {
    natural: `^${label}(?:\\.${label})+$`,
    // No comma: `withoutItems` of terms.ts counts on it.
    possible: '^[!-+.-~\\x80-\\xff-]*$',
    tried: hosts,
    absent: true,
  },
  sni: { natural: `^${label}(?:\\.${label})+$`, possible: '^[!-~]+$', tried: hosts, absent: true },
  path: {
    natural: `^/(?:${segment}(?:/${segment})*/?)?$`,
    // NGINX takes bytes past ASCII as they are.
    possible: '^/[!"$->@-~\\x80-\\xff]*$',
    tried: ['/', '/index.html', '/a', '/a/b'],
    absent: false,
  },
  method: {
    natural: '^(?:GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS)$',
    possible: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
    tried: ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS'],
    absent: false,
  },
  query: {
    natural: '^[a-z0-9_=&.-]*$',
    possible: '^[!"$-~\\x80-\\xff]*$',
    tried: [null, 'a=1', 'q=a'],
    absent: true,
  },
  version: {
    natural: '^1\\.1$',
    possible: '^(?:0\\.9|1\\.[01]|[23]\\.0)$',
    tried: ['1.1', '2.0', '1.0'],
    absent: false,
  },
  scheme: { natural: '^https?$', possible: '^https?$', tried: ['http', 'https'], absent: false },
  sourcePort: { natural: '^[1-5][0-9]{4}$', possible: '^[1-9][0-9]{0,4}$', tried: ['40000'], absent: false },
  unknown: { natural: '^[a-z0-9./-]*$', possible: '', tried: [], absent: true },
  header: { natural: '^[A-Za-z0-9._/-]+$', possible: headerWords, tried: [null, '1', 'a'], absent: true },
};

const known = new Map<string, Alphabet>();

/** @param only words that the field can have here, such as the listener's port; null: as the field is. */
export function alphabetOf(key: FieldKey, only: readonly string[] | null): Alphabet {
  return withoutBudget(() => alphabet(key, only));
}

function alphabet(key: FieldKey, only: readonly string[] | null): Alphabet {
  if (only !== null) {
    const language = machineOf({
      kind: 'union',
      of: only.map((text) => ({ kind: 'is', text, ignoreCase: false }) as const),
    });
    return { natural: language, possible: language, tried: only };
  }
  const kind = key === 'normalisedPath' ? key : key in words ? key : (key.split(':')[0] ?? key);
  const made =
    known.get(kind) ?? (kind === 'normalisedPath' ? normalAlphabet() : made_(words[kind] ?? words.header));
  known.set(kind, made);
  return made;
}

function made_(of: Words | undefined): Alphabet {
  if (!of) return { natural: constant(1, 1), possible: constant(1, 1), tried: [] };
  const possible = of.possible === '' ? constant(1, 0) : wholly(of.possible);
  return {
    natural: wholly(of.natural),
    possible: { ...possible, absent: of.absent ? 1 : 0 },
    tried: of.tried,
  };
}

/** `$` would take a line feed behind it. */
const wholly = (source: string) => languageMachine(source.replace(/\$$/, '\\z'));

/** What a normalised path can be. Its raw form is its encoded one; there is none for a raw path such as `/..`. */
function normalAlphabet(): Alphabet {
  const path = alphabetOf('path', null);
  const and = (a: number, b: number) => a & b;
  const merged = languageMachine('^/[^\\x00]*$');
  const odd = machineOf({
    kind: 'complement',
    of: { kind: 'matches', regex: { source: '//|/\\.\\.?(?:/|\\z)', ignoreCase: false, syntax: 'pcre' } },
  });
  const possible = product(merged, { ...odd, absent: 0 }, and);
  return { natural: path.natural, possible: { ...possible, absent: 1 }, tried: path.tried };
}
