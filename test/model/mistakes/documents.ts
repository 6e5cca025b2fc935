import { changed, validText } from '../site.ts';
import type { Mistake } from './mistake.ts';

/** The text as such: YAML, its size, depth and aliases. */
export const documentMistakes: readonly Mistake[] = [
  {
    what: 'a text that is not YAML',
    text: 'site: [a, b\nlisteners: }',
    told: [
      'HF001 site.yaml:2:1 expected YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
      'HF001 site.yaml:2:12 expected YAML: Unexpected flow-map-end token in YAML stream: "}"',
    ],
  },
  {
    what: 'two documents',
    text: `${validText}---\n${validText}`,
    told: ['HF001 site.yaml:12:1 expected one document, got several. Remove what follows the second ---'],
  },
  {
    what: 'an empty file',
    text: '',
    told: ['HF011 site.yaml:1:1 expected a site: site, listeners, routes, pools, balancers, got nothing'],
  },
  {
    what: 'a list',
    text: '- a\n- b\n',
    told: ['HF011 site.yaml:1:1 expected a site: site, listeners, routes, pools, balancers, got a list of 2'],
  },
  {
    what: 'a tag',
    text: changed('site: shop', 'site: !!binary aGVsbG8='),
    told: ['HF001 site.yaml:1:7 expected YAML: Unresolved tag: tag:yaml.org,2002:binary'],
  },
  {
    what: 'a key twice',
    text: changed('site: shop', 'site: shop\nsite: shop'),
    told: ['HF015 site.yaml:2:1 site: expected each key once, got "site" again. Remove one'],
  },
  {
    what: 'a merge key',
    text: changed('site: shop', 'site: shop\n<<: { a: 1 }'),
    told: [
      'HF010 site.yaml:2:1 <<: expected one of "site", "listeners", "routes", "pools", "balancers", "timeouts", "accessLog", "errorPages", "expect", "policies", "guard", got "<<"',
    ],
  },
  {
    what: 'a key of JavaScript',
    text: changed('site: shop', 'site: shop\n__proto__: { a: 1 }'),
    told: [
      'HF010 site.yaml:2:1 __proto__: expected one of "site", "listeners", "routes", "pools", "balancers", "timeouts", "accessLog", "errorPages", "expect", "policies", "guard", got "__proto__"',
    ],
  },
  {
    what: 'a value inside itself',
    text: 'site: &a [*a]\n',
    told: ['HF002 site.yaml:1:1 expected values that end, got an alias inside the very value it repeats'],
  },
  {
    what: 'an alias bomb',
    text: `${Array.from(
      { length: 10 },
      (_, i) =>
        `k${i}: &a${i} [${
          i === 0
            ? '1'
            : Array(9)
                .fill(`*a${i - 1}`)
                .join(', ')
        }]`,
    ).join('\n')}\n`,
    told: ['HF002 site.yaml:1:1 expected at most 1000000 values with aliases in place, got more'],
  },
  {
    what: '101 aliases',
    text: `a: &a 1\nb: [${Array(101).fill('*a').join(', ')}]\n`,
    told: ['HF002 site.yaml:2:405 expected at most 100 aliases, got more'],
  },
  {
    what: '33 levels',
    text: `site: ${'['.repeat(33)}${']'.repeat(33)}\n`,
    told: ['HF002 site.yaml:1:38 expected at most 32 levels, got more'],
  },
  {
    what: '33 levels of blocks',
    text: `${'- '.repeat(33)}a\n`,
    told: ['HF002 site.yaml:1:65 expected at most 32 levels, got more'],
  },
  {
    what: 'more than 16 MiB',
    text: `${validText}#${' '.repeat(16 * 1024 * 1024)}\n`,
    told: ['HF002 site.yaml:1:1 expected at most 16777216 bytes, got more'],
  },
  {
    what: 'more than 4 MiB with something in it that is not plain',
    text: `${validText}#\t${' '.repeat(4 * 1024 * 1024)}\n`,
    told: ['HF002 site.yaml:1:1 expected at most 4194304 bytes, or 16777216 of plain YAML, got more'],
  },
  {
    what: 'everything at once',
    text: 'site: [1]\nlisteners: x\nrouts: []\n',
    told: [
      'HF012 site.yaml:1:1 routes: missing, expected a list of routes',
      'HF012 site.yaml:1:1 pools: missing, expected a list of pools',
      'HF012 site.yaml:1:1 balancers: missing, expected a list of balancers',
      'HF011 site.yaml:1:7 site: expected a name of letters, digits, "-", "_" and ".", at most 64, beginning with a letter or digit, got a list of 1',
      'HF011 site.yaml:2:12 listeners: expected a list of listeners, got "x"',
      'HF010 site.yaml:3:1 routs: expected one of "site", "listeners", "routes", "pools", "balancers", "timeouts", "accessLog", "errorPages", "expect", "policies", "guard", got "routs". Did you mean "routes"?',
    ],
  },
];
