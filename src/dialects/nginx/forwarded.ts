import { certificateHeaders, type RoutedListener, sameForServers } from '#routing';
import { networkMap } from './access.ts';
import { map, type Value } from './maps.ts';

/** What servers are told about the client, and HSTS: variables that look at the door a request came in by. */
export interface Edge {
  readonly maps: readonly string[];
  /** What the edge tells servers; the whole list again wherever one line more is said, as NGINX wants it. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly hsts: boolean;
}

export function edgeOf(listeners: readonly RoutedListener[], addressOf: (index: number) => string): Edge {
  const more = listeners.some(({ forwarded: { policy, also } }) => policy === 'off' || also.length > 0);
  const hsts = listeners.some((listener) => listener.hsts !== null);
  const certificates = listeners.some(({ clientCertificate }) => clientCertificate !== undefined);
  return {
    maps: [
      ...originalMaps,
      ...map(
        '$holdfast_at',
        '$holdfast_door',
        listeners.map((_, index) => [`~${addressOf(index)}`, `${index}`] as const),
        '',
      ),
      ...trustedMaps(listeners),
      ...valueMap(listeners, 'for', 'x_forwarded_for', {
        own: '$remote_addr',
        trusted: '$proxy_add_x_forwarded_for',
      }),
      ...valueMap(listeners, 'proto', 'x_forwarded_proto', { own: '$scheme', trusted: null }),
      ...(more ? moreMaps(listeners) : []),
      ...(certificates ? certificateMaps(listeners) : []),
      ...(hsts ? hstsMap(listeners) : []),
    ],
    headers: [
      ['Host', '$holdfast_host'],
      // Only a neighbour may say how a request was, and servers need not know.
      ['holdfast-host', '""'],
      ['holdfast-target', '""'],
      ['holdfast-added', '""'],
      ['X-Forwarded-For', '$holdfast_for'],
      ['X-Forwarded-Proto', '$holdfast_proto'],
      ...(more
        ? ([
            ['X-Forwarded-Host', '$holdfast_fhost'],
            ['X-Forwarded-Port', '$holdfast_fport'],
            ['Forwarded', '$holdfast_forwarded'],
          ] as const)
        : []),
      ...(certificates ? certificateValues : []),
      ['Connection', '$holdfast_connection'],
      ['Upgrade', '$holdfast_upgrade'],
    ],
    hsts,
  };
}

/** The request as its client sent it, also where another engine's net has rewritten it before. */
const originalMaps = [
  ...map('', '$holdfast_nothing', [], ''),
  ...map(
    '$holdfast_side:$http_holdfast_target',
    '$holdfast_target',
    [['~^e:(?<holdfast_t>/.*)$', { raw: '$holdfast_t' }]],
    { raw: '$request_uri' },
  ),
  ...map(
    '$holdfast_side:$http_holdfast_host',
    '$holdfast_host',
    [['~^e:(?<holdfast_h>.+)$', { raw: '$holdfast_h' }]],
    { raw: '$http_host' },
  ),
];

/** `$holdfast_trusted` is 1 for a proxy whose word counts at this door. */
function trustedMaps(listeners: readonly RoutedListener[]): string[] {
  const appending = listeners.flatMap(({ forwarded }, index) =>
    forwarded.policy === 'append' ? [{ index, networks: forwarded.trusted }] : [],
  );
  return [
    ...appending.flatMap(({ index, networks }) => networkMap(`$holdfast_trusts${index}`, networks, '0')),
    ...map(
      '$holdfast_door',
      '$holdfast_trusted',
      appending.map(({ index }) => [`${index}`, { raw: `$holdfast_trusts${index}` }] as const),
      '0',
    ),
  ];
}

interface Values {
  readonly own: string;
  /** What a trusted proxy's request gets; null: what it said, or else our own. */
  readonly trusted: string | null;
}

/** Subject: side, door, whether it is trusted, and what came. */
function valueMap(
  listeners: readonly RoutedListener[],
  name: string,
  came: string,
  { own, trusted }: Values,
  also?: RoutedListener['forwarded']['also'][number],
): string[] {
  const raw = (value: string): Value => ({ raw: value });
  return map(
    `$holdfast_side$holdfast_door:$holdfast_trusted:$http_${came}`,
    `$holdfast_${name}`,
    [
      ['~^e', raw(`$http_${came}`)],
      ...listeners.flatMap(({ forwarded }, index): (readonly [string, Value])[] => {
        if (forwarded.policy === 'off') return [[`~^p${index}:`, '']];
        if (also && !forwarded.also.includes(also)) return [[`~^p${index}:`, raw(`$http_${came}`)]];
        if (forwarded.policy !== 'append') return [];
        return trusted === null
          ? [[`~^p${index}:1:.`, raw(`$http_${came}`)]]
          : [[`~^p${index}:1:`, raw(trusted)]];
      }),
    ],
    raw(own),
  );
}

function moreMaps(listeners: readonly RoutedListener[]): string[] {
  return [
    ...map(
      '$holdfast_door',
      '$holdfast_port',
      listeners.map(({ port }, index) => [`${index}`, `${port}`] as const),
      '',
    ),
    ...map('$remote_addr', '$holdfast_element', [['~:', { raw: 'for=\\"[$remote_addr]\\";proto=$scheme' }]], {
      raw: 'for=$remote_addr;proto=$scheme',
    }),
    ...map('$http_forwarded', '$holdfast_elements', [['', { raw: '$holdfast_element' }]], {
      raw: '$http_forwarded, $holdfast_element',
    }),
    ...valueMap(
      listeners,
      'fhost',
      'x_forwarded_host',
      { own: '$http_host', trusted: null },
      'X-Forwarded-Host',
    ),
    ...valueMap(
      listeners,
      'fport',
      'x_forwarded_port',
      { own: '$holdfast_port', trusted: null },
      'X-Forwarded-Port',
    ),
    ...valueMap(
      listeners,
      'forwarded',
      'forwarded',
      { own: '$holdfast_element', trusted: '$holdfast_elements' },
      'Forwarded',
    ),
  ];
}

const certificateValues: Edge['headers'] = [
  [certificateHeaders.verify, '$holdfast_verified'],
  [certificateHeaders.subject, '$holdfast_subject'],
  ...Object.values(certificateHeaders).flatMap((name) =>
    sameForServers(name)
      .slice(1)
      .map((other) => [other, '""'] as const),
  ),
];

/** A certificate that is wrong, or missing where it is required, has been answered 400. */
function certificateMaps(listeners: readonly RoutedListener[]): string[] {
  const told = listeners.flatMap(({ clientCertificate }, index) =>
    clientCertificate === 'told' ? [index] : [],
  );
  const of = (variable: string, came: string, shown: Value, none: Value) =>
    map(
      '$holdfast_side$holdfast_door:$ssl_client_verify',
      variable,
      [
        ['~^e', { raw: came }],
        ...told.flatMap((index): (readonly [string, Value])[] => [
          [`p${index}:SUCCESS`, shown],
          [`p${index}:NONE`, none],
        ]),
      ],
      '',
    );
  return [
    ...of('$holdfast_verified', '$http_x_ssl_client_verify', 'SUCCESS', 'NONE'),
    ...of('$holdfast_subject', '$http_x_ssl_client_dn', { raw: '$ssl_client_s_dn' }, ''),
  ];
}

function hstsMap(listeners: readonly RoutedListener[]): string[] {
  return map(
    '$holdfast_side$holdfast_door',
    '$holdfast_hsts',
    listeners.flatMap(({ hsts }, index) => (hsts === null ? [] : [[`p${index}`, hsts] as const])),
    { raw: '$upstream_http_strict_transport_security' },
  );
}

/** Of the server, and of every location that names one such line itself. */
export const hstsLines = {
  add: 'add_header Strict-Transport-Security $holdfast_hsts always;',
  hide: 'proxy_hide_header Strict-Transport-Security;',
} as const;
