import { changed } from '../site.ts';
import type { Mistake } from './mistake.ts';

/** Expressions and paths. */
export const expressionMistakes: readonly Mistake[] = [
  {
    what: 'a regular expression that is tried in more ways than anybody can wait for',
    text: changed('value: /api', 'type: RegularExpression, value: "/(?!x)(a+)+b"'),
    told: [
      'HF019 site.yaml:5:70 routes[0].matches[0].path.value: expected an expression that is decided in one pass over the value, got an assertion beside several repetitions. Write several matches, or repeat less',
    ],
  },
  {
    what: 'an unfinished regular expression',
    text: changed('value: /api', 'type: RegularExpression, value: "/(api"'),
    told: [
      'HF019 site.yaml:5:70 routes[0].matches[0].path.value: expected a regular expression, got unterminated group',
    ],
  },
  {
    what: 'a POSIX class',
    text: changed('value: /api', 'type: RegularExpression, value: "/[[:alpha:]]+"'),
    told: [
      'HF019 site.yaml:5:70 routes[0].matches[0].path.value: expected a regular expression, got lone quantifier brackets',
    ],
  },
  {
    what: 'an inline flag',
    text: changed('value: /api', 'type: RegularExpression, value: "(?i)/api"'),
    told: [
      'HF019 site.yaml:5:70 routes[0].matches[0].path.value: expected a regular expression, got invalid group',
    ],
  },
  {
    what: 'an atomic group',
    text: changed('value: /api', 'type: RegularExpression, value: "/(?>a+)b"'),
    told: [
      'HF019 site.yaml:5:70 routes[0].matches[0].path.value: expected a regular expression, got invalid group',
    ],
  },
  {
    what: 'an escape of one dialect only',
    text: changed('value: /api', "type: RegularExpression, value: '/\\h+'"),
    told: [
      'HF019 site.yaml:5:70 routes[0].matches[0].path.value: expected a regular expression, got invalid escape',
    ],
  },
  {
    what: 'a back reference',
    text: changed('value: /api', "type: RegularExpression, value: '/(a)\\1'"),
    told: [
      'HF019 site.yaml:5:70 routes[0].matches[0].path.value: expected what PCRE and JavaScript read alike, got the back reference \\1. Write the group again',
    ],
  },
  {
    what: 'a line break that would become a line of the engine',
    text: changed('value: /api', 'value: "/api\\nserver evil 10.0.0.9:80"'),
    told: [
      'HF013 site.yaml:5:45 routes[0].matches[0].path.value: expected a path without spaces and control characters, such as "/cart", got "/api\\nserver evil 10.0.0.9:80"',
    ],
  },
  {
    what: 'a space in a path',
    text: changed('value: /api', 'value: "/a pi"'),
    told: [
      'HF013 site.yaml:5:45 routes[0].matches[0].path.value: expected a path without spaces and control characters, such as "/cart", got "/a pi"',
    ],
  },
  {
    what: 'a quote in a path',
    text: changed('value: /api', "value: '/a\"pi'"),
    told: [
      'HF013 site.yaml:5:45 routes[0].matches[0].path.value: expected a path as it stands in a URL, got "/a\\"pi". Write "/a%22pi"',
    ],
  },
  {
    what: 'a path that does not begin with a slash',
    text: changed('value: /api', 'value: api'),
    told: [
      'HF013 site.yaml:5:45 routes[0].matches[0].path.value: expected a path that begins with "/", got "api". Write "/api"',
    ],
  },
  {
    what: 'a path that clients rewrite',
    text: changed('value: /api', 'value: /a/../b'),
    told: [
      'HF013 site.yaml:5:45 routes[0].matches[0].path.value: expected a path without "//", "/./" and "/../", got "/a/../b"',
    ],
  },
  {
    what: 'a bare star',
    text: changed('"*:8080"', '*:8080'),
    told: [
      'HF001 site.yaml:3:28 listeners[0].address: *:8080 is an alias of an anchor that does not exist. Text that begins with * needs quotes: "*:8080"',
    ],
  },
  {
    what: 'a query value that cannot stand in a URL',
    text: changed('path: { value: /api }', 'queryParams: [{ name: q, value: a&b }]'),
    told: [
      'HF013 site.yaml:5:62 routes[0].matches[0].queryParams[0].value: expected a value as it stands in a URL, got "a&b". Write "a%26b"',
    ],
  },
];
