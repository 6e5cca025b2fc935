/** What one line of HAProxy's command language would do, as far as the admin socket has to know. */
export type Meaning =
  | { readonly kind: 'reads' }
  /** Told to every living generation. With a `key`, also to every later one: the last command of each key counts. */
  | { readonly kind: 'changes'; readonly key: string | null }
  | { readonly kind: 'refused'; readonly why: string };

const reads = ['show', 'get', 'help', 'trace', 'echo'];

/** These would fight with who parks and resumes generations, or open what is nobody's. */
const refused: readonly { readonly shape: RegExp; readonly why: string }[] = [
  {
    shape: /^(?:enable|disable|shutdown) frontend\b/,
    why: 'which generation accepts is decided by Holdfast: holdfast apply, holdfast rollback',
  },
  { shape: /^(?:experimental-mode|expert-mode|debug|_getsocks|reload)\b/, why: 'it is not offered here' },
  { shape: /^set var proc\.takeback\b/, why: 'it is set by Holdfast' },
  {
    shape: /^(?:set|new|add|commit|abort|del) ssl\b|<<\s*$/,
    why: 'certificates and lists are changed on disk, and then: holdfast apply FILE',
  },
  { shape: /^(?:add|del) server\b/, why: 'servers are added and removed in the text: holdfast apply FILE' },
];

/** By what is set: the last of each shape counts, for each name on its own. */
const kept: readonly { readonly shape: RegExp; readonly what: string }[] = [
  { shape: /^(?:enable|disable) server (\S+)$/, what: 'state' },
  { shape: /^set server (\S+) state \S+$/, what: 'state' },
  { shape: /^set server (\S+) weight \S+$/, what: 'weight' },
  { shape: /^set weight (\S+) \S+$/, what: 'weight' },
  { shape: /^(?:enable|disable) health (\S+)$/, what: 'checks' },
  { shape: /^(?:enable|disable) agent (\S+)$/, what: 'agent' },
  { shape: /^set maxconn server (\S+) \d+$/, what: 'maxconn' },
  { shape: /^set maxconn frontend (\S+) \d+$/, what: 'maxconn frontend' },
  { shape: /^set (maxconn global|rate-limit \S+(?: \S+)?) \d+$/, what: '' },
  { shape: /^set server (\S+) (?:addr|fqdn)\b/, what: 'address' },
];

export function meaningOf(line: string): Meaning {
  const command = line.trim().replace(/\s+/g, ' ');
  const [word = ''] = command.split(' ');
  const no = refused.find(({ shape }) => shape.test(command));
  if (no) return { kind: 'refused', why: no.why };
  if (reads.includes(word)) return { kind: 'reads' };
  for (const { shape, what } of kept) {
    const found = shape.exec(command);
    if (found) return { kind: 'changes', key: `${what} ${found[1]}`.trim() };
  }
  return { kind: 'changes', key: null };
}

/** Commands on one line are parted by semicolons; one behind a backslash belongs to the command. */
export function commandsIn(line: string): string[] {
  return line
    .split(/(?<!\\);/)
    .map((command) => command.trim())
    .filter(Boolean);
}
