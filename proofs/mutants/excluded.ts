/** Where nothing is planted, because no answer of an engine can depend on it; other tests hold it. */
export const excluded: readonly { readonly path: string; readonly why: string }[] = [
  { path: 'src/routing/meaning/difference/', why: 'compares two texts: test/routing, prove:corpus' },
  { path: 'src/routing/meaning/automata/', why: 'compares two texts: test/routing, prove:corpus' },
  { path: 'src/routing/meaning/findings/', why: 'rules that nobody comes to: test/routing' },
  { path: 'src/routing/meaning/fate/describe.ts', why: 'words for people' },
  {
    path: 'src/routing/meaning/fate/candidates.ts',
    why: 'a shortcut for many requests, of comparisons alone',
  },
  { path: 'src/dialects/haproxy/lift/settings.ts', why: 'settings that change no decision' },
  { path: 'src/dialects/haproxy/lift/told.ts', why: 'settings that change no decision' },
  { path: 'src/dialects/haproxy/lift/values.ts', why: 'settings that change no decision' },
  { path: 'src/dialects/nginx/lift/settings.ts', why: 'settings that change no decision' },
  { path: 'src/dialects/nginx/lift/units.ts', why: 'settings that change no decision' },
  { path: 'src/dialects/nginx/lift/vocabulary.ts', why: 'which words are known at all' },
  { path: 'src/dialects/nginx/lift/stream.ts', why: 'texts with stream {} are not drawn yet' },
];

/** Mutants that do the same as what they were made from, by their file, their line as it stands, and their rule. */
export const equivalent: readonly {
  readonly file: string;
  readonly text: string;
  readonly rule: string;
  readonly why: string;
}[] = [];
