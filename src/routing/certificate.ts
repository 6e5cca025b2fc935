/** In which servers are told of a client's certificate: `SUCCESS` or `NONE`; and its subject, as RFC 2253 writes it, where there is one. */
export const certificateHeaders = { verify: 'X-SSL-Client-Verify', subject: 'X-SSL-Client-DN' } as const;

/** All names, in lower case, that a server which takes `_` for `-` may read as this one; itself first. */
export function sameForServers(name: string): string[] {
  return name
    .toLowerCase()
    .split('-')
    .reduce<string[]>(
      (names, part, index) =>
        index === 0 ? [part] : ['-', '_'].flatMap((sign) => names.map((n) => `${n}${sign}${part}`)),
      [],
    );
}
