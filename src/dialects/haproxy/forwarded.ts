import { certificateHeaders, type Forwarded, type RoutedListener } from '#routing';
import { sourceLines } from './access.ts';
import { ours, word } from './vocabulary.ts';

/** What servers are told about the client. Public listeners only: for what a neighbour sends, it has said so. */
export function forwardedLines({ forwarded, scheme, port }: RoutedListener): string[] {
  const { policy, trusted, also } = forwarded;
  if (policy === 'off') return everyHeader.map((header) => `http-request del-header ${header}`);
  const others = policy === 'append' ? ` unless ${acl}` : '';
  /** One value, which a trusted proxy may have said. */
  const one = (header: string, value: string) =>
    policy === 'append'
      ? [
          `http-request set-header ${header} ${value} unless ${acl}`,
          `http-request set-header ${header} ${value} unless { req.fhdr(${header}) -m found }`,
        ]
      : [`http-request set-header ${header} ${value}`];
  return [
    ...(policy === 'append' ? sourceLines(acl, trusted) : []),
    // Together what `set-header` with `%[src]` does, at a third of its cost.
    `http-request del-header X-Forwarded-For${others}`,
    'option forwardfor',
    ...one('X-Forwarded-Proto', scheme),
    ...(also.includes('X-Forwarded-Host') ? one('X-Forwarded-Host', '%[req.fhdr(host)]') : []),
    ...(also.includes('X-Forwarded-Port') ? one('X-Forwarded-Port', String(port)) : []),
    ...(also.includes('Forwarded') ? rfc7239Lines(scheme, others) : []),
  ];
}

const acl = `${ours.prefix}trusted`;

const everyHeader: readonly string[] = [
  'X-Forwarded-For',
  'X-Forwarded-Proto',
  'X-Forwarded-Host',
  'X-Forwarded-Port',
  'Forwarded',
] satisfies readonly (Forwarded['also'][number] | `X-Forwarded-${string}`)[];

function rfc7239Lines(scheme: string, others: string): string[] {
  return [
    `http-request del-header Forwarded${others}`,
    `http-request add-header Forwarded 'for=%[src];proto=${scheme}' if { src 0.0.0.0/0 }`,
    `http-request add-header Forwarded 'for="[%[src]]";proto=${scheme}' unless { src 0.0.0.0/0 }`,
  ];
}

/** Whose certificate the client has shown. One that is wrong has ended the handshake. */
export function certificateLines({ clientCertificate }: RoutedListener): string[] {
  if (clientCertificate === undefined) return [];
  const { verify, subject } = certificateHeaders;
  // Some servers take `_` for `-`.
  const names = [verify, subject].map((name) => name.toLowerCase().replaceAll('-', '[-_]'));
  return [
    `http-request del-header ${word(`^(${names.join('|')})$`)} -m reg`,
    ...(clientCertificate === 'told'
      ? [
          `http-request set-header ${verify} NONE unless { ssl_c_used }`,
          `http-request set-header ${verify} SUCCESS if { ssl_c_used }`,
          `http-request set-header ${subject} %[ssl_c_s_dn(,0,rfc2253)] if { ssl_c_used }`,
        ]
      : []),
  ];
}

/** After everything else, also for answers of HAProxy itself. */
export function hstsLines({ hsts }: RoutedListener): string[] {
  return hsts === null ? [] : [`http-after-response set-header Strict-Transport-Security '${hsts}'`];
}
