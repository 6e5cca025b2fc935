/**
 * What HAProxy 2.6 lets pass and a server may read in another way, or what asks for more than a site is for. Public
 * listeners only: a neighbour has refused it already.
 */
export const strictRules: readonly string[] = [
  // A reverse proxy opens no tunnels to anywhere.
  'http-request deny deny_status 405 if METH_CONNECT',
  // A host that is none, or none at all: HTTP/1.0 alone may leave it out. `txn.host` is not set yet.
  "http-request deny deny_status 400 if !{ req.fhdr(host) -m reg -- '^(\\[[0-9a-fA-F:.]+\\]|[A-Za-z0-9._~!$&()*+;=%-]+)(:[0-9]{1,5})?$' } !{ req.ver 1.0 }",
  // HTTP/0.9 that says so, which HAProxy would say to the server; 2.0 is what HTTP/2 is called here.
  'http-request deny deny_status 400 if !{ req.ver 1.1 1.0 2.0 }',
  // `chunked,` is chunked for HAProxy, and need not be for the server that it is passed on to.
  'http-request deny deny_status 501 if { req.fhdr(transfer-encoding) -m found } !{ req.fhdr(transfer-encoding) -m str -i chunked }',
  // Zero and other control bytes, which a server may take for the end of the line.
  "http-request deny deny_status 400 if { req.hdrs -m reg -- '[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]' }",
  // A tunnel of HTTP/2 over plain text would pass every rule by.
  'http-request del-header Upgrade if { req.fhdr(upgrade) -m found } !{ req.fhdr(upgrade) -i websocket }',
  // Absolute form becomes a path: the host in it and the one of the header agree by now.
  'http-request set-uri %[pathq] if !{ url -m beg / } { fc_http_major 1 } { pathq -m beg / }',
];

/** HTTP/2 is for TLS, as with the other engines. */
export const strictDefaults: readonly string[] = ['option disable-h2-upgrade'];
