/** What HAProxy passes on unread. */
import { hosts, type Ink, indented, networks, paths } from './ink.ts';

const tcpPools = 3;

/** TLS that goes through unread: only its names are seen. */
export function passed(ink: Ink): readonly string[] {
  const { chance, prefix, words } = ink;
  const named = (at: number) => {
    const host = chance.pick(hosts);
    words.hosts.push(host);
    const asks = chance.pick([
      `req.ssl_sni -i ${host}`,
      `req.ssl_sni ${host}`,
      `req.ssl_sni -m end -i .${host.split('.').slice(1).join('.')}`,
      `req_ssl_sni -m beg ${host.slice(0, 3)}`,
      `req.ssl_sni -m reg ^(www|api)\\.`,
      'req.ssl_sni -m found',
      'req.payload(0,1) -m bin 16',
      'req.payload(0,3) -m str GET',
      'req.len gt 0',
      'req.ssl_hello_type 1',
      'req_ssl_hello_type 1 2',
      'req.proto_http',
      'method GET',
      `dst_port 8443`,
      `src ${chance.pick(networks)}`,
    ]);
    return `use_backend ${prefix}q${at} if ${chance.percent(20) ? '!' : ''}{ ${asks} }`;
  };
  const refused = chance.percent(25)
    ? [
        `tcp-request content reject if { req.ssl_sni -i ${chance.pick(hosts)} } { src ${chance.pick(networks)} }`,
      ]
    : [];
  const lines = [
    'mode tcp',
    'BIND 8443',
    ...(chance.percent(85) ? ['tcp-request inspect-delay 20s'] : []),
    ...refused,
    'tcp-request content accept if { req.ssl_hello_type 1 }',
    ...Array.from({ length: 1 + chance.below(3) }, (_, at) => named(at)),
    ...(chance.percent(80) ? [`default_backend ${prefix}q0`] : []),
  ];
  return [`frontend ${prefix}t`, ...indented(lines)];
}

export function tcpBackends({ prefix }: Ink): readonly string[] {
  return Array.from({ length: tcpPools }, (_, number) => [
    `backend ${prefix}q${number}`,
    ...indented(['mode tcp', `SERVER ${number}`]),
  ]).flat();
}

/** TLS ends here, or none was spoken, and what comes in it is passed on as it is. */
export function unread(ink: Ink): readonly string[] {
  const { chance, prefix, words } = ink;
  const host = chance.pick(hosts);
  const path = chance.pick(paths);
  words.hosts.push(host);
  words.paths.push(path);
  const isWaited = chance.percent(70);
  const asks = () =>
    chance.pick([
      ...[
        `ssl_fc_sni -i ${host}`,
        `ssl_fc_sni_end -i .${host.split('.').at(-1)}`,
        `src ${chance.pick(networks)}`,
      ],
      ...['ssl_fc', 'dst_port 8444', 'ssl_fc_has_sni'],
      ...(isWaited
        ? [
            `hdr(host) -i ${host}`,
            `path_beg ${path}`,
            'req.proto_http',
            'method GET HEAD',
            `req.hdr(host),lower -m end .test`,
          ]
        : []),
      ...(isWaited ? ['req.payload(0,3) -m str GET', 'req.len gt 0', 'url_beg /a', 'query -m found'] : []),
    ]);
  const term = () => `${chance.percent(20) ? '!' : ''}{ ${asks()} }`;
  const waits = isWaited
    ? [
        'tcp-request inspect-delay 20s',
        chance.pick(['tcp-request content accept if HTTP', 'tcp-request content reject if !HTTP']),
      ]
    : [];
  const rules = chance.percent(40) ? [`tcp-request content reject if ${term()} ${term()}`] : [];
  const first = chance.percent(30) ? [rejected(chance.pick(networks))] : [];
  const uses = Array.from(
    { length: 1 + chance.below(3) },
    (_, at) => `use_backend ${prefix}q${at} if ${term()}`,
  );
  const last = chance.percent(80) ? [`default_backend ${prefix}q0`] : [];
  return [
    `frontend ${prefix}e`,
    ...indented(['mode tcp', 'BIND 8444', 'BIND 8081', ...first, ...waits, ...rules, ...uses, ...last]),
  ];
}

/** Of the connection: here a PROXY header is read between it and the session. */
export const rejected = (network: string) =>
  `tcp-request connection reject if { src ${network} }\ttcp-request session reject if { src ${network} }`;
