/** The ways an engine misbehaves, by name. */

interface Way {
  readonly what: string;
  /** A change may be promoted on it: Holdfast does not use what is broken. */
  readonly harmless?: true;
}

const ways = {
  'never starts': { what: 'ends at once, its check too' },
  'refuses what its check passes': { what: 'the check says yes, the start says no' },
  'crashes after 3 s': { what: 'serves, and dies three seconds later, every time' },
  'hangs at start': { what: 'neither ends nor listens' },
  'accepts, never answers': { what: 'its statistics socket answers, requests do not' },
  '503 to everyone': { what: 'answers every request with 503, at once' },
  'answers nonsense': { what: 'what it answers is no HTTP' },
  'leaks memory': { what: '200 MB a second; at 1.2 GB the kernel ends it' },
  'ignores SIGTERM': { what: 'goes on', harmless: true },
  'ignores SIGTTOU': { what: 'cannot be parked' },
  'mute statistics socket': { what: 'takes the connection, writes nothing' },
  'reload broken after a failure': {
    what: 'after a start that failed, a reload ends the old process and starts none (as HAProxy issue 3229)',
    harmless: true,
  },
} as const satisfies Record<string, Way>;

export type Misbehaviour = keyof typeof ways;
export const misbehaviours: Readonly<Record<Misbehaviour, Way>> = ways;
