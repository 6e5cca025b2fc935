import { addressOf } from './address.ts';
import { type Line, type Section, settingOf } from './sections.ts';
import { inAddress, type Word } from './words.ts';

/** A `server` or `server-template` line; `unseen` says why a probe cannot ask it the way the engine does. */
export interface ServerLine {
  readonly section: Section;
  readonly line: Line;
  readonly names: readonly string[];
  /** Its address as a word of the line. */
  readonly address: Word;
  readonly host: string;
  readonly port: number;
  readonly unix: string | null;
  readonly weight: number;
  readonly check: boolean;
  /** A plain HTTP request is not what it expects. */
  readonly wrapped: boolean;
  readonly out: boolean;
  readonly unseen: string | null;
}

export const withValue = new Set(
  `weight cookie inter fastinter downinter rise fall maxconn minconn maxqueue slowstart addr port agent-addr
  agent-inter agent-port agent-send ca-file ca-verify-file crl-file crt sni alpn npn ciphers ciphersuites resolvers init-addr
  on-error observe on-marked-down on-marked-up error-limit track source verify verifyhost id namespace pool-max-conn
  pool-low-conn pool-purge-delay proto redir tcp-ut ssl-min-ver ssl-max-ver check-sni check-proto check-alpn socks4
  resolve-net resolve-prefer resolve-opts proxy-v2-options set-proxy-v2-tlv-fmt log-proto max-reuse hash-key ws guid force-proxy`.split(
    /\s+/,
  ),
);
const wrapping =
  /^(?:ssl|check-ssl|send-proxy.*|check-send-proxy|check-via-socks4|check-alpn|check-proto|addr|port|socks4)$/;
const templatesMax = 1_000;

export function serverLines(sections: readonly Section[]): readonly ServerLine[] {
  return sections
    .filter(({ kind }) => kind === 'backend' || kind === 'listen')
    .flatMap((section) =>
      section.lines.flatMap((line) => {
        const keyword = line.words[0]?.value;
        if (keyword === 'server') return serverOf(section, line, 2, [line.words[1]?.value ?? '']);
        return keyword === 'server-template' ? serverOf(section, line, 3, templateNames(line)) : [];
      }),
    );
}

export function templateNames({ words }: Line): readonly string[] {
  const prefix = words[1]?.value ?? '';
  const [, from, to] = /^(\d+)(?:-(\d+))?$/.exec(words[2]?.value ?? '') ?? [];
  if (from === undefined) return [];
  const first = to === undefined ? 1 : Number(from);
  const count = Math.min(templatesMax, Number(to ?? from) - first + 1);
  return Array.from({ length: Math.max(0, count) }, (_, index) => `${prefix}${first + index}`);
}

function serverOf(section: Section, line: Line, at: number, names: readonly string[]): ServerLine[] {
  const given = line.words[at];
  if (given === undefined) return [];
  const address = inAddress(given, line.environment);
  const parsed = addressOf(address.value);
  const options = optionsOf(section, line.words.slice(at + 1));
  const port = parsed.kind === 'inet' ? parsed.port : null;
  const weight = Number(options.get('weight') ?? 1);
  return [
    {
      section,
      line,
      names,
      address: given,
      host: parsed.kind === 'inet' ? parsed.host : '',
      port: port ?? 0,
      unix: parsed.kind === 'unix' ? parsed.path : null,
      weight,
      check: options.has('check'),
      wrapped: [...options.keys()].some((option) => wrapping.test(option)),
      out: options.has('disabled') || weight === 0,
      unseen: whyUnseen(),
    },
  ];

  function whyUnseen(): string | null {
    if (line.conditional) return 'it stands inside .if';
    if (address.unknown.length > 0) return `only the environment knows ${address.unknown.join(', ')}`;
    if (parsed.kind === 'other') return parsed.what;
    if (parsed.kind === 'unix') return 'it is a Unix socket';
    if (options.has('resolvers')) return 'the engine asks its own name servers for it';
    if (parsed.host === '0.0.0.0' || parsed.host === '::') return "its address is the client's, or a rule's";
    if (parsed.port === null || parsed.port === 0) return "its port is the client's";
    return null;
  }
}

/** The line's own options over those of `default-server`, of the section and of its defaults. */
function optionsOf(section: Section, own: readonly Word[]): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  for (const words of [...defaultServers(section), own]) {
    for (let index = 0; index < words.length; index += 1) {
      const option = words[index]?.value ?? '';
      const undone = /^no-(.+)$/.exec(option)?.[1];
      if (undone !== undefined) options.delete(undone);
      if (option === 'enabled') options.delete('disabled');
      options.set(option, withValue.has(option) ? (words[index + 1]?.value ?? '') : '');
      if (withValue.has(option)) index += 1;
    }
  }
  return options;
}

function defaultServers(section: Section): readonly (readonly Word[])[] {
  const inherited = section.defaults ? defaultServers(section.defaults) : [];
  const own = section.lines.filter(({ words }) => words[0]?.value === 'default-server');
  return [...inherited, ...own.map(({ words }) => words.slice(1))];
}

/** The check that a probe can repeat: `GET PATH`, one expected status, nothing else said. Null: a connection is enough. */
export function plainCheck(
  section: Section,
): { readonly path: string; readonly expectStatus: number } | null {
  const option = settingOf(section, 'option', 'httpchk')?.words.slice(2) ?? null;
  const others = ['connect', 'send', 'send-state', 'comment', 'set-var', 'set-var-fmt', 'unset-var'];
  if (option === null || others.some((what) => settingOf(section, 'http-check', what))) return null;
  const [method, path, version] = option.map(({ value }) => value);
  const expect = settingOf(section, 'http-check', 'expect')
    ?.words.slice(2)
    .map(({ value }) => value);
  const [what, status, more] = expect ?? [];
  if (method !== 'GET' || !path?.startsWith('/') || version !== undefined) return null;
  if (what !== 'status' || !/^\d{3}$/.test(status ?? '') || more !== undefined) return null;
  return { path, expectStatus: Number(status) };
}
