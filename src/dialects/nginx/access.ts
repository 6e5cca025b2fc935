import { createHash } from 'node:crypto';
import type { Access, ErrorPage, Rate, RoutedListener } from '#routing';
import { map } from './maps.ts';
import { path, text } from './vocabulary.ts';

/**
 * Limits of access. What decides is a variable for each limit; a location looks at those of its route and of every
 * listener (empty where the request came in by another one). `return` comes before NGINX counts and asks for
 * passwords, so what answers by itself stands behind a location that does both.
 */
export class Limits {
  readonly maps: string[] = [];
  readonly #folder: string;
  readonly #pages: readonly ErrorPage[];
  readonly #known = new Map<string, readonly string[]>();
  readonly #zones = new Set<string>();
  readonly #listeners: readonly { readonly access: Access; readonly index: number }[];

  constructor(listeners: readonly RoutedListener[], pages: readonly ErrorPage[], folder: string) {
    this.#folder = folder;
    this.#pages = pages;
    this.#listeners = listeners.flatMap(({ access }, index) => (access ? [{ access, index }] : []));
    if (this.#listeners.length > 0 || listeners.some(({ rules }) => rules.some((r) => r.filters?.access)))
      this.maps.push(
        // A /64 of IPv6 is one client.
        ...map(
          '$binary_remote_addr',
          '$holdfast_client',
          [['~(?s)^(?<holdfast_net>.{8}).{8}$', { raw: '$holdfast_net' }]],
          {
            raw: '$binary_remote_addr',
          },
        ),
      );
  }

  /** Lines of a location, in the order in which NGINX runs them. */
  linesFor(own: Access | null): string[] {
    return [
      ...this.#listeners.flatMap(({ access, index }) => this.#lines(access, index)),
      ...(own ? this.#lines(own, null) : []),
    ];
  }

  /** Whether there is something that `return` would come before. */
  counts(own: Access | null): boolean {
    return [own, ...this.#listeners.map(({ access }) => access)].some((a) => a?.rate || a?.basicAuth);
  }

  #lines(access: Access, listener: number | null): readonly string[] {
    const key = JSON.stringify([access, listener]);
    const known = this.#known.get(key);
    if (known) return known;
    const number = this.#known.size + 1;
    const at = { number, listener };
    const lines = [
      ...this.#networkLines(access, at),
      ...this.#lengthLines(access, at),
      ...(access.rate ? this.#rateLines(access.rate, at) : []),
      ...this.#passwordLines(access, at),
    ];
    this.#known.set(key, lines);
    return lines;
  }

  /** The variable's value where the limit holds, and nothing where it does not. */
  #where(variable: string, { listener }: At, value: string): string[] {
    return listener === null
      ? map('', variable, [], { raw: value })
      : map('$holdfast_door', variable, [[`${listener}`, { raw: value }]], '');
  }

  #networkLines({ deny, allow }: Access, at: At): string[] {
    if (deny.length + allow.length === 0) return [];
    const n = at.number;
    this.maps.push(
      ...networkMap(`$holdfast_denied${n}`, deny, '0'),
      ...networkMap(`$holdfast_allowed${n}`, allow, allow.length === 0 ? '1' : '0'),
      ...map(`$holdfast_denied${n}$holdfast_allowed${n}`, `$holdfast_stranger${n}`, [['01', '']], '1'),
      ...this.#where(`$holdfast_refused${n}`, at, `$holdfast_stranger${n}`),
    );
    return [`if ($holdfast_refused${n}) { ${this.#refuse(403)} }`, ...this.#page(403)];
  }

  #lengthLines({ bodyBytesMax }: Access, at: At): string[] {
    if (bodyBytesMax === null) return [];
    const n = at.number;
    this.maps.push(
      ...map(
        '$http_transfer_encoding:$content_length',
        `$holdfast_length${n}`,
        [
          ['~^[^:]', '411'],
          [`~:0*(?:${above(bodyBytesMax)})$`, '413'],
        ],
        '',
      ),
      ...this.#where(`$holdfast_body${n}`, at, `$holdfast_length${n}`),
    );
    return [
      `if ($holdfast_body${n} = 411) { return 411 "$holdfast_nothing"; }`,
      `if ($holdfast_body${n} = 413) { ${this.#refuse(413)} }`,
      ...this.#page(413),
      // HTTP/2 need not tell the length: what came is counted.
      ...(at.listener === null ? [`client_max_body_size ${bodyBytesMax};`] : []),
    ];
  }

  #refuse(status: number): string {
    return this.#page(status).length > 0 ? `return ${status};` : `return ${status} "$holdfast_nothing";`;
  }

  #page(status: number): string[] {
    const own = this.#pages.some((page) => page.status === status);
    return own ? [`error_page ${status} = @holdfast.failed.${status};`] : [];
  }

  #rateLines(rate: Rate, at: At): string[] {
    const zone = `holdfast_${createHash('sha256').update(rate.name).digest('hex').slice(0, 12)}`;
    if (!this.#zones.has(zone)) {
      this.#zones.add(zone);
      this.maps.push(
        ...this.#where(`$holdfast_counted${at.number}`, at, '$holdfast_client'),
        `limit_req_zone $holdfast_counted${at.number} zone=${zone}:16m rate=${perMinute(rate)}r/m;`,
      );
    }
    const burst = rate.requests > 1 ? ` burst=${rate.requests - 1} nodelay` : '';
    return [`limit_req zone=${zone}${burst};`, ...this.#page(429)];
  }

  #passwordLines({ basicAuth }: Access, at: At): string[] {
    if (!basicAuth) return [];
    const file = path(`${this.#folder}/${usersFile(basicAuth)}`);
    if (at.listener === null)
      return [`auth_basic ${text(basicAuth.realm)};`, `auth_basic_user_file ${file};`];
    const realm = `$holdfast_realm${at.number}`;
    this.maps.push(...map('$holdfast_door', realm, [[`${at.listener}`, basicAuth.realm]], 'off'));
    return [`auth_basic ${realm};`, `auth_basic_user_file ${file};`];
  }
}

interface At {
  readonly number: number;
  readonly listener: number | null;
}

/** The least that NGINX can say is one in a minute. */
export function perMinute({ requests, perMs }: Rate): number {
  return Math.max(1, Math.ceil((requests * 60_000) / perMs));
}

export function networkMap(variable: string, networks: readonly string[], otherwise: string): string[] {
  return [
    `geo ${variable} {`,
    `  default ${otherwise};`,
    ...networks.map((network) => `  ${network} 1;`),
    '}',
  ];
}

/** An expression for the decimal numbers above this one. */
function above(limit: number): string {
  const digits = [...String(limit)];
  const greater = digits.flatMap((digit, index) => {
    if (digit === '9') return [];
    const same = digits.slice(0, index).join('');
    const rest = digits.length - index - 1;
    return [`${same}[${Number(digit) + 1}-9]${rest > 0 ? `\\d{${rest}}` : ''}`];
  });
  return [...greater, `[1-9]\\d{${digits.length},}`].join('|');
}

type BasicAuth = NonNullable<Access['basicAuth']>;

function usersFile({ users }: BasicAuth): string {
  return `users-${createHash('sha256').update(JSON.stringify(users)).digest('hex').slice(0, 8)}`;
}

/** Files beside the text: names and hashes of passwords. */
export function accessFiles(listeners: readonly RoutedListener[]): Record<string, string> {
  const all = listeners.flatMap(({ access, rules }) => [
    access,
    ...rules.map((rule) => rule.filters?.access),
  ]);
  return Object.fromEntries(
    all.flatMap((access) => {
      if (!access?.basicAuth) return [];
      const lines = access.basicAuth.users.map(({ name, passwordHash }) => `${name}:${passwordHash}\n`);
      return [[usersFile(access.basicAuth), lines.join('')]];
    }),
  );
}
