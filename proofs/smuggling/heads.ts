/** Lines, fields and targets that two readers take for different ones, and what stands behind a request. */
import { type Attempt, attempt, host, posted, smuggled } from './attempt.ts';

function headed(id: string, way: string, ...lines: readonly string[]): Attempt {
  return attempt(id, way, `${lines.join('\r\n')}\r\n\r\n`);
}

export const heads: readonly Attempt[] = [
  attempt(
    'line-feeds',
    'bare line feeds',
    `POST / HTTP/1.1\n${host}\nContent-Length: ${smuggled.length}\n\n${smuggled}`,
  ),
  // Whoever lets a line feed end a line reads two requests of one client here, and so does every server.
  {
    ...attempt(
      'line-feed-end',
      'bare line feeds',
      `GET / HTTP/1.1\r\n${host}\r\nX-A: b\n\n${smuggled}\r\n\r\n`,
    ),
    requests: 2,
  },
  attempt('returns', 'bare returns', `GET / HTTP/1.1\r${host}\r\r${smuggled}\r\n\r\n`),
  attempt('line-feed-in-line', 'bare line feeds', `GET /\nHTTP/1.1\r\n${host}\r\n\r\n`),
  attempt('return-in-path', 'bare returns', `GET /\rHTTP/1.1 HTTP/1.1\r\n${host}\r\n\r\n`),
  attempt(
    'empty-line-in-value',
    'bare line feeds',
    `GET / HTTP/1.1\r\n${host}\r\nX-A: b\n\nGET /smuggled HTTP/1.1\r\nX: y\r\n\r\n`,
  ),
  headed('http09-prefix', 'versions', `GET / HTTP/0.9`, host),
  attempt('http09', 'versions', `GET /\r\n${smuggled}\r\n\r\n`),
  headed('version-two', 'versions', 'POST / HTTP/2.0', host, 'Content-Length: 0'),
  headed('version-twelve', 'versions', 'POST / HTTP/1.12', host, 'Content-Length: 0'),
  headed('version-space', 'versions', 'GET / HTTP/1.1 ', host),
  headed('version-twice', 'versions', 'GET / HTTP/1.1 HTTP/1.1', host),
  headed('line-two-spaces', 'request line', 'GET  / HTTP/1.1', host),
  headed('line-tab', 'request line', 'GET\t/\tHTTP/1.1', host),
  headed('line-space-first', 'request line', ' GET / HTTP/1.1', host),
  headed('line-vertical-tab', 'request line', 'GET\x0b/ HTTP/1.1', host),
  headed('line-zero', 'request line', 'GET /\0 HTTP/1.1', host),
  headed('line-bytes', 'request line', 'GET /\xa0HTTP/1.1 HTTP/1.1', host),
  headed('method-colon', 'request line', 'GET: / HTTP/1.1', host),
  headed('field-space-first', 'fields', 'GET / HTTP/1.1', ` ${host}`, host),
  headed('field-no-colon', 'fields', 'GET / HTTP/1.1', host, 'GET /smuggled HTTP/1.1'),
  headed('field-no-name', 'fields', 'GET / HTTP/1.1', host, ': Transfer-Encoding: chunked'),
  headed('field-fold-only', 'fields', 'GET / HTTP/1.1', host, 'X-A: b', ' '),
  headed('host-disagrees', 'absolute form', 'GET http://b.example/ HTTP/1.1', host),
  headed('host-disagrees-port', 'absolute form', 'GET http://a.example:81/ HTTP/1.1', host),
  headed('host-user', 'absolute form', 'GET http://b.example@a.example/ HTTP/1.1', host),
  headed('host-backslash', 'absolute form', 'GET http://a.example\\@b.example/ HTTP/1.1', host),
  headed('host-absolute-space', 'absolute form', 'GET http://a.example /smuggled HTTP/1.1', host),
  headed('host-scheme-odd', 'absolute form', 'GET x://b.example/ HTTP/1.1', host),
  headed('host-double-slash', 'absolute form', 'GET //b.example/ HTTP/1.1', host),
  headed('host-twice', 'Host', 'GET / HTTP/1.1', host, 'Host: b.example'),
  headed('host-twice-other-order', 'Host', 'GET / HTTP/1.1', 'Host: b.example', host),
  headed('host-folded', 'Host', 'GET / HTTP/1.1', 'Host: a.example', ' b.example'),
  headed('host-hidden', 'Host', 'GET / HTTP/1.1', host, 'Host : b.example'),
  headed('host-space', 'Host', 'GET / HTTP/1.1', 'Host: a.example b.example'),
  headed('host-missing', 'Host', 'GET / HTTP/1.1'),
  headed('host-named', 'Host', 'GET / HTTP/1.1', host, 'Connection: Host'),
  headed(
    'upgrade-h2c',
    'upgrades',
    'GET / HTTP/1.1',
    host,
    'Connection: Upgrade, HTTP2-Settings',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMAAABkAAQAAP__',
  ),
  headed(
    'upgrade-list',
    'upgrades',
    'GET / HTTP/1.1',
    host,
    'Connection: Upgrade',
    'Upgrade: websocket, h2c',
  ),
  attempt(
    'upgrade-then-request',
    'upgrades',
    `GET / HTTP/1.1\r\n${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 777\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    smuggled,
  ),
  attempt(
    'upgrade-body',
    'upgrades',
    posted(['Connection: Upgrade', 'Upgrade: websocket', `Content-Length: ${smuggled.length}`], smuggled),
  ),
  attempt('connect', 'upgrades', `CONNECT a.example:80 HTTP/1.1\r\nHost: a.example:80\r\n\r\n${smuggled}`),
  attempt('http2-preface', 'upgrades', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  attempt(
    'close-then-request',
    'connections',
    `GET / HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n${smuggled}\r\n\r\n`,
  ),
];
