import { createHash } from 'node:crypto';
import {
  type Access,
  type ErrorPage,
  type FixedAnswer,
  type Rate,
  type RoutedListener,
  refusals,
  withPage,
} from '#routing';
import type { Placement } from '../dialect.ts';
import { answerName } from './answers.ts';
import type { Section } from './section.ts';
import { milliseconds, ours, word } from './vocabulary.ts';

/** Limits of access. Each refusal is a backend, like every answer, so that the take-back comes before them. */

const wordsOfLine = 32;

/** A limit where it holds: `acl` tells its conditions apart, `counter` is the stick counter of its rate (0 to 2). */
export interface AccessPlace {
  readonly access: Access;
  readonly acl: string;
  readonly counter: 0 | 1;
  /** Conditions under which it holds; empty: always. */
  readonly when: string;
  readonly pages: readonly ErrorPage[];
}

/** What counts and prepares: before every `use_backend`. `counted` is the condition under which a request counts. */
export function accessSetup(
  { access, acl, counter }: Omit<AccessPlace, 'when' | 'pages'>,
  counted: string,
): string[] {
  const { rate } = access;
  return [
    ...sourceLines(`${acl}.deny`, access.deny),
    ...sourceLines(`${acl}.allow`, access.allow),
    ...(rate
      ? [
          `http-request track-sc${counter} src,ipmask(32,64) table ${rateName(rate)}${counted === '' ? '' : ` if ${counted}`}`,
        ]
      : []),
  ];
}

export function accessUses({ access, acl, counter, when, pages }: AccessPlace): string[] {
  const { deny, allow, rate, basicAuth, bodyBytesMax } = access;
  const use = (answer: FixedAnswer, condition: string) =>
    `use_backend ${answerName(withPage(answer, pages))} if ${[when, condition].filter((part) => part !== '').join(' ')}`;
  return [
    ...(deny.length > 0 ? [use(refusals.network, `${acl}.deny`)] : []),
    ...(allow.length > 0 ? [use(refusals.network, `!${acl}.allow`)] : []),
    ...(rate
      ? [use(refusals.rate, `{ sc_http_req_rate(${counter},${rateName(rate)}) gt ${rate.requests} }`)]
      : []),
    ...(basicAuth
      ? [use(refusals.password(basicAuth.realm), `!{ http_auth(${usersName(basicAuth)}) }`)]
      : []),
    ...(bodyBytesMax === null
      ? []
      : [
          use(refusals.lengthUntold, '{ req.fhdr(transfer-encoding) -m found }'),
          use(refusals.tooLong, `{ req.body_size gt ${bodyBytesMax} }`),
        ]),
  ];
}

export function sourceLines(acl: string, networks: readonly string[]): string[] {
  const lines: string[] = [];
  for (let i = 0; i < networks.length; i += wordsOfLine)
    lines.push(
      `acl ${acl} src ${networks
        .slice(i, i + wordsOfLine)
        .map(word)
        .join(' ')}`,
    );
  return lines;
}

/** With its length in it: what is counted over another time is another table, also among peers. */
function rateName({ name, perMs }: Rate): string {
  return `${ours.rate}${name}-${milliseconds(perMs)}`;
}

function usersName(auth: NonNullable<Access['basicAuth']>): string {
  return `${ours.prefix}users-${createHash('sha256').update(JSON.stringify(auth.users)).digest('hex').slice(0, 8)}`;
}

const clientsMax = 100_000;

/** Tables of rates and lists of users, each once. */
export function accessSections(routed: readonly RoutedListener[], peers: Placement['peers']): Section[] {
  const sections = new Map<string, readonly string[]>();
  for (const { rate, basicAuth } of limitsOf(routed)) {
    if (rate)
      sections.set(`backend ${rateName(rate)}`, [
        `stick-table type ipv6 size ${clientsMax} expire ${milliseconds(rate.perMs * 2)} store http_req_rate(${rate.perMs})${peers ? ` peers ${ours.peers}` : ''}`,
      ]);
    if (basicAuth)
      sections.set(
        `userlist ${usersName(basicAuth)}`,
        basicAuth.users.map(({ name, passwordHash }) => `user ${word(name)} password ${word(passwordHash)}`),
      );
  }
  return [
    ...(peers ? [peersSection(peers)] : []),
    ...[...sections].map(([head, lines]) => ({ head, lines })),
  ];
}

/** Something of each client is counted, so there is something to share. */
export function countsClients(routed: readonly RoutedListener[]): boolean {
  return limitsOf(routed).some(({ rate }) => rate !== null);
}

/** A generation that starts learns from whoever lives, and tells them what it counts, until it is drained. */
function peersSection({ sockets }: NonNullable<Placement['peers']>): Section {
  return {
    head: `peers ${ours.peers}`,
    lines: Object.entries(sockets).map(([peer, path]) => `peer ${peer} ${word(`unix@${path}`)}`),
  };
}

/** What the limits answer with. */
export function refusalsOf(routed: readonly RoutedListener[], pages: readonly ErrorPage[]): FixedAnswer[] {
  const all = limitsOf(routed).flatMap(({ deny, allow, rate, basicAuth, bodyBytesMax }) => [
    ...(deny.length + allow.length > 0 ? [refusals.network] : []),
    ...(rate ? [refusals.rate] : []),
    ...(basicAuth ? [refusals.password(basicAuth.realm)] : []),
    ...(bodyBytesMax === null ? [] : [refusals.lengthUntold, refusals.tooLong]),
  ]);
  return all.map((answer) => withPage(answer, pages));
}

function limitsOf(routed: readonly RoutedListener[]): Access[] {
  return routed.flatMap(({ access, rules }) =>
    [access, ...rules.map((rule) => rule.filters?.access ?? null)].filter((limit) => limit !== null),
  );
}
