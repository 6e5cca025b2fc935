/** Mutants that nobody could find, each by a rule and with its reason: they are drawn, told, and not counted. */
import type { Mutant } from './mutants.ts';

interface Exclusion {
  readonly why: string;
  readonly is: (mutant: Mutant) => boolean;
}

/** A choice between sentences: three words or more. */
const sentences = /[?:] ['`][^'`]*[a-z"}] [a-z"$][^'`]*[a-z"}] [a-z"$][^'`]*['`]/;

const rules: readonly Exclusion[] = [
  {
    why: 'words for people',
    is: ({ file, text }) =>
      /\/(?:describe|description|predicates|terminal|markdown)\.ts$/.test(file) || sentences.test(text),
  },
  {
    why: 'one more or less than a named limit',
    is: ({ rule, text }) =>
      rule === 'off by one' &&
      (/\b\w+Max\b/.test(text) ||
        /> [\d_]+\b.*new TooComplex/.test(text) ||
        /#depth > /.test(text) ||
        /\bleft <=? 0\b/.test(text)),
  },
  {
    why: 'a closer look than is needed, which is only slower',
    is: ({ rule, was, text }) => rule === 'a flag turned' && was === 'false' && /\bbyChoices\b/.test(text),
  },
  {
    why: 'letters that are the same, large and small: there are none, or NGINX and HAProxy write them themselves',
    is: ({ rule, was, text }) =>
      rule === 'a flag turned' &&
      was === 'false' &&
      (/text: '[^'A-Za-z]*', ignoreCase: false/.test(text) ||
        /field\('scheme'\).*ignoreCase: false/.test(text)),
  },
  {
    why: 'a byte more than there is: nobody asks what becomes of it',
    is: ({ rule, was, text }) => rule === 'off by one' && was === ' < ' && /\bcode < 256;/.test(text),
  },
  {
    why: 'not remembered, which is only slower',
    is: ({ was }) => /^(?:this\.#)?(?:known|memo|lastMatches)\.set\(.*\);$/.test(was),
  },
  {
    why: 'which of two ways an expression is followed, which both say the same',
    is: ({ file, inside }) =>
      file.endsWith('/automata/run.ts') && ['isRisky', 'hasNested', 'count', 'isEndless'].includes(inside),
  },
  {
    why: 'a step that is only told: what it changes is in those behind it',
    is: ({ was }) => /^flow\.change\(.*\);$/.test(was),
  },
];

/** The same by another way, where no rule says so: by the line as it stands and what is done to it. */
const equivalent: readonly (Pick<Mutant, 'file' | 'inside' | 'rule' | 'text'> & { readonly why: string })[] =
  [
    {
      file: 'src/dialects/haproxy/lift/match.ts',
      inside: 'inRanges',
      rule: 'equal or not',
      text: "sample.kind === 'bool' || (sample.kind === 'value' && ['field', 'text', 'chosen'].includes(value.kind));",
      why: 'digits are taken out of what is digits alone',
    },
    {
      file: 'src/dialects/haproxy/lift/redirect.ts',
      inside: 'redirectOf',
      rule: 'off by one',
      text: 'for (; at < words.length; at += 1) {',
      why: 'one step further there is no word, which ends it',
    },
    {
      file: 'src/dialects/haproxy/lift/behind.ts',
      inside: 'addBehind',
      rule: 'and, or',
      text: 'if (!front.isHttp || !back.isHttp) return;',
      why: 'an engine takes no frontend and backend of two modes',
    },
    {
      file: 'src/dialects/haproxy/lift/switching.ts',
      inside: 'possibleNames',
      rule: 'equal or not',
      text: "if (name.kind === 'joined' && name.parts.length === 1 && name.parts[0])",
      why: 'names that a value cannot have are asked for in vain',
    },
    {
      file: 'src/dialects/haproxy/lift/pools.ts',
      inside: 'sharedServers',
      rule: 'first, last',
      text: "work.notes.shared.servers.set(source.at(-1) ?? '', { source, line: section.head.number, servers });",
      why: 'what two texts share is kept under another line, compared whole, and read again where it is not found',
    },
    {
      file: 'src/dialects/nginx/lift/shared.ts',
      inside: 'of',
      rule: 'equal or not',
      text: "if (source === undefined || source.includes('include')) return make(lifting);",
      why: 'what two texts share is made twice, which is only slower',
    },
    {
      file: 'src/plan/words.ts',
      inside: 'percent',
      rule: 'off by one',
      text: 'const digits = share < 0.1 ? 2 : 3;',
      why: 'of 10 % itself two digits say as much as three',
    },
  ];

/** Null: it is to be found. */
export function whyExcluded(mutant: Mutant): string | null {
  const named = equivalent.find(
    ({ file, inside, rule, text }) =>
      file === mutant.file && inside === mutant.inside && rule === mutant.rule && text === mutant.text,
  );
  return named ? `the same: ${named.why}` : (rules.find(({ is }) => is(mutant))?.why ?? null);
}
