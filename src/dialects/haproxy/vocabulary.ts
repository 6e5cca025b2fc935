import { assert } from '#base';

/**
 * Words and limits of HAProxy's text (2.6). Everything that Holdfast adds is named `holdfast:...`: names of a site
 * have no colon in that place, so nothing of ours can meet a listener, pool or server of theirs.
 */
export const ours = {
  prefix: 'holdfast:',
  entrance: 'holdfast:entrance',
  neighbour: 'holdfast:neighbour',
  net: 'holdfast:net',
  /** Of TCP and TLS listeners: the entrance, where the take-back leads, and what closes a connection. */
  streamEntrance: 'holdfast:entrance-tcp',
  streamNeighbour: 'holdfast:neighbour-tcp',
  refused: 'holdfast:refused',
  /** The backends of fixed answers begin so. */
  answer: 'holdfast:answer-',
  /** The generations that share what they count of each client. */
  peers: 'holdfast:peers',
  /** Tables of rates begin so. */
  rate: 'holdfast:rate-',
  /** The ring buffer that holds the error log: `show events errors`. */
  errors: 'errors',
  /** What a net says, as the unique id of the PROXY protocol, of a request that came by a private entrance. */
  led: 'holdfast:led',
  /** Set to 1 over the control socket, requests of every connection go to the neighbour. */
  takeBack: 'proc.takeback',
  /** Which filters a request gets: its pool's section reads it. */
  filtersVariable: 'txn.filters',
  filters: 'var(txn.filters)',
  /** Headers in which a net tells its neighbour how a request was before it was rewritten. */
  originalPrefix: 'holdfast-',
  originalHost: 'holdfast-host',
  originalTarget: 'holdfast-target',
  /** Which headers were added before already: `,x-via,x-b,`. The entrance keeps it in a variable. */
  added: 'holdfast-added',
  addedVariable: 'txn.added',
} as const;

/** What a site does not say, in HAProxy's own units. */
export const defaults = {
  /** Bounds what HAProxy takes from a very high limit of the system; a lower limit wins. */
  descriptorsMax: 65_536,
  connectTimeoutMs: 5_000,
  serverTimeoutMs: 60_000,
  tunnelTimeoutMs: 3_600_000,
  retries: 3,
  errorsInARow: 3,
  /** How long a control connection may be idle; a draining HAProxy waits for it to end. */
  controlTimeoutMs: 10_000,
  errorLogBytes: 262_144,
} as const;

const nameShape = /^[A-Za-z0-9_.:-]+$/;

/** A name of the site where HAProxy expects a name. The parser of the site has refused all others. */
export function name(text: string): string {
  assert(nameShape.test(text) && !text.startsWith(ours.prefix), `a name that HAProxy cannot have: ${text}`);
  return text;
}

const plainShape = /^[A-Za-z0-9_.:/@,=+()-]+$/;

/** One word of a line, whatever it holds: quoted so that nothing in it is read as quote, escape, variable or comment. */
export function word(text: string): string {
  if (plainShape.test(text)) return text;
  // Only the single quote ends a string in single quotes; it and control characters stand outside, escaped.
  const parts = text.split(/('|\p{Cc})/u).filter((part) => part !== '');
  return parts.length === 0 ? "''" : parts.map(partOfWord).join('');
}

function partOfWord(part: string): string {
  if (part === "'") return "\\'";
  return /^\p{Cc}$/u.test(part) ? [...Buffer.from(part)].map(escaped).join('') : `'${part}'`;
}

/** An argument between parentheses. It is read twice: as part of a word (see `word`), and then as an argument. */
export function argument(text: string): string {
  if (/^[A-Za-z0-9_-]+$/.test(text)) return text;
  return text
    .split("'")
    .map((part) => (part === '' ? '' : `'${part}'`))
    .join(`"'"`);
}

/** Text where HAProxy expects a log format: nothing in it is a variable. */
export function format(text: string): string {
  return text.replaceAll('%', '%%');
}

/** A regular expression that matches exactly this text, byte for byte. */
export function literally(text: string): string {
  return [...Buffer.from(text, 'utf8')]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      if (/[A-Za-z0-9_/-]/.test(char)) return char;
      return /[\x21-\x7e]/.test(char) && char !== "'" ? `\\${char}` : escaped(byte);
    })
    .join('');
}

function escaped(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}

/** A comment, on one line whatever it holds. */
export function comment(text: string): string {
  return `# ${text.replace(/\p{Cc}+/gu, ' ')}`;
}

export function milliseconds(ms: number): string {
  return `${Math.max(1, Math.round(ms))}ms`;
}
