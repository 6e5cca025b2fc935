import { holds, isEmptyWord } from './folding.ts';
import { type Condition, field, type Language, some } from './meaning.ts';
import { pcre } from './regex.ts';
import { literal } from './sources.ts';
import type { Server } from './state.ts';
import { hostName } from './variables.ts';

/** A server with the names of it that decide here, in NGINX's order: exact, star in front, star behind, expressions. */
export interface Named {
  readonly server: Server;
  readonly when: Condition;
  /** The expression that took the name, with its mark: `~*` where it has a capital letter, by which NGINX takes any case. */
  readonly regex: string | null;
}

interface Said {
  readonly server: Server;
  readonly name: string;
}

/** Which server takes the name in the Host header, or in the ClientHello. The first word about a name counts. */
export function serversByName(servers: readonly Server[], by: 'host' | 'sni'): readonly Named[] {
  const said = accepted(servers.flatMap((server) => server.names.map((name): Said => ({ server, name }))));
  const bare = said
    .filter(({ name }) => !/^~|\*/.test(name))
    .map((one) => ({ ...one, name: one.name.replace(/^\./, '') }));
  const inFront = said.filter(({ name }) => /^\*?\./.test(name)).toSorted(longest);
  const behind = said.filter(({ name }) => /^[^~].*\.\*$/.test(name)).toSorted(longest);
  const regexes = said.filter(({ name }) => name.startsWith('~'));
  const exactByServer = Map.groupBy(bare, ({ server }) => server);
  return [
    ...[...exactByServer].map(([server, names]) => ({
      server,
      // A ClientHello without a name is not looked for at all.
      when: some(
        names
          .filter(({ name }) => name !== '' || by === 'host')
          .map(({ name }) => holds(field(by), exactly(name))),
      ),
      regex: null,
    })),
    ...inFront.map(({ server, name }) => ({
      server,
      when: suffix(name.replace(/^\*?\./, ''), by),
      regex: null,
    })),
    ...behind.map(({ server, name }) => ({ server, when: prefix(name.slice(0, -2), by), regex: null })),
    ...regexes.map(({ server, name }) => {
      const regex = pcre(name.slice(1), /[A-Z]/.test(name));
      return {
        server,
        when: holds(by === 'host' ? hostName : { kind: 'lower', of: field('sni') }, {
          kind: 'matches',
          regex,
        }),
        regex: `${regex.ignoreCase ? '~*' : '~'}${regex.source}`,
      };
    }),
  ];
}

/** Without those that NGINX ignores because an earlier one is the same: `.a` is `a` and `*.a` (`ngx_hash_add_key`). */
function accepted(said: readonly Said[]): readonly Said[] {
  const [exact, inFront, behind] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const isNew = (set: Set<string>, name: string) => !set.has(name) && Boolean(set.add(name));
  return said.filter(({ name }) => {
    if (name.startsWith('~')) return true;
    if (name.startsWith('*.')) return isNew(inFront, name.slice(2));
    if (name.endsWith('.*')) return isNew(behind, name.slice(0, -2));
    if (!name.startsWith('.')) return isNew(exact, name);
    return isNew(exact, name.slice(1)) && isNew(inFront, name.slice(1));
  });
}

const longest = (a: Said, b: Said) => b.name.replace('*', '').length - a.name.replace('*', '').length;

/** The name, a dot at its end, a port. */
function exactly(name: string): Language {
  if (name === '') return isEmptyWord;
  const forms = [name, `${name}.`];
  return {
    kind: 'union',
    of: [
      ...forms.map((text): Language => ({ kind: 'is', text, ignoreCase: true })),
      ...forms.map((text): Language => ({ kind: 'begins', text: `${text}:`, ignoreCase: true })),
    ],
  };
}

function suffix(name: string, by: 'host' | 'sni'): Condition {
  return holds(field(by), { kind: 'matches', regex: pcre(`^[^:]*\\.${literal(name)}\\.?(?::.*)?$`, true) });
}

function prefix(name: string, by: 'host' | 'sni'): Condition {
  return holds(field(by), {
    kind: 'matches',
    regex: pcre(`^${literal(name)}\\.[^:]*[^:.]\\.?(?::.*)?$`, true),
  });
}

/**
 * NGINX takes it, for a name that no client means: a bracket that does not close, a dot in a port and in
 * front of it, an escaped byte.
 */
export const oddHost: Language = {
  kind: 'matches',
  regex: pcre('^\\[[^\\]]*$|^\\[[^\\]]*\\](?:[^.:]|\\.[^:])|^[^\\[:][^:]*\\.:[^.]*\\.|%'),
};

/** NGINX answers 400 to it. */
export const badHost: Language = {
  kind: 'union',
  of: [
    { kind: 'contains', text: '..', ignoreCase: false },
    { kind: 'matches', regex: pcre('[\\x00-\\x20/\\x7f]|^:|^\\.?(?::[^.]*)?$') },
  ],
};
