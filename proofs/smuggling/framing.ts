/** A request whose end two readers find at different places: lengths, codings, chunks. */
import { type Attempt, attempt, chunkedEmpty, host, posted, smuggled } from './attempt.ts';

/** A Transfer-Encoding that one reads and another does not, before a length that covers what is hidden. */
function hiddenCoding(id: string, field: string): Attempt {
  return attempt(
    `te-te-${id}`,
    'TE.TE',
    posted([`Content-Length: ${chunkedEmpty.length}`, field], chunkedEmpty),
  );
}

function oddLength(id: string, ...fields: readonly string[]): Attempt {
  return attempt(`cl-${id}`, 'CL.CL', posted(fields, smuggled));
}

function chunks(id: string, body: string): Attempt {
  return attempt(`chunk-${id}`, 'chunks', posted(['Transfer-Encoding: chunked'], body));
}

const classic: readonly Attempt[] = [
  attempt(
    'cl-te',
    'CL.TE',
    posted([`Content-Length: ${chunkedEmpty.length}`, 'Transfer-Encoding: chunked'], chunkedEmpty),
  ),
  attempt('cl-te-short', 'CL.TE', posted(['Content-Length: 5', 'Transfer-Encoding: chunked'], chunkedEmpty)),
  attempt(
    'te-cl',
    'TE.CL',
    posted(
      ['Transfer-Encoding: chunked', 'Content-Length: 4'],
      `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
    ),
  ),
  attempt(
    'te-cl-zero',
    'TE.0',
    posted(
      ['Transfer-Encoding: chunked', 'Content-Length: 0'],
      `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
    ),
  ),
  attempt('cl-ignored', 'CL.0', posted([`Content-Length: ${smuggled.length}`], smuggled)),
  attempt(
    'zero-cl',
    '0.CL',
    `GET / HTTP/1.1\r\n${host}\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  ),
  attempt(
    'zero-cl-expect',
    '0.CL, Expect',
    posted(['Expect: 100-continue', `Content-Length: ${smuggled.length}`], smuggled),
  ),
  attempt(
    'expect-odd',
    '0.CL, Expect',
    posted(['Expect: y 100-continue', `Content-Length: ${smuggled.length}`], smuggled),
  ),
  attempt(
    'expect-folded',
    '0.CL, Expect',
    posted(['Expect:', ' 100-continue', `Content-Length: ${smuggled.length}`], smuggled),
  ),
  attempt(
    'head-body',
    'CL.0',
    `HEAD / HTTP/1.1\r\n${host}\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  ),
  attempt(
    'te-get',
    'TE.0',
    `GET / HTTP/1.1\r\n${host}\r\nTransfer-Encoding: chunked\r\n\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
  ),
  attempt(
    'options-te',
    'TE.0',
    `OPTIONS / HTTP/1.1\r\n${host}\r\nTransfer-Encoding: chunked\r\n\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
  ),
  attempt(
    'te-http10',
    'TE under HTTP/1.0',
    `POST / HTTP/1.0\r\n${host}\r\nConnection: keep-alive\r\nContent-Length: ${chunkedEmpty.length}\r\nTransfer-Encoding: chunked\r\n\r\n${chunkedEmpty}`,
  ),
  attempt(
    'te-http10-alone',
    'TE under HTTP/1.0',
    `POST / HTTP/1.0\r\n${host}\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n${chunkedEmpty}`,
  ),
];

const codings: readonly Attempt[] = [
  hiddenCoding('x', 'Transfer-Encoding: xchunked'),
  hiddenCoding('suffix', 'Transfer-Encoding: chunkedx'),
  hiddenCoding('space-before-colon', 'Transfer-Encoding : chunked'),
  hiddenCoding('tab-before-colon', 'Transfer-Encoding\t: chunked'),
  hiddenCoding('tab', 'Transfer-Encoding:\tchunked'),
  hiddenCoding('vertical-tab', 'Transfer-Encoding: \x0bchunked'),
  hiddenCoding('form-feed', 'Transfer-Encoding:\x0cchunked'),
  hiddenCoding('zero', 'Transfer-Encoding: chunked\0'),
  hiddenCoding('zero-before', 'Transfer-Encoding: \0chunked'),
  hiddenCoding('quoted', 'Transfer-Encoding: "chunked"'),
  hiddenCoding('single-quoted', "Transfer-Encoding: 'chunked'"),
  hiddenCoding('semicolon', 'Transfer-Encoding: chunked;q=1'),
  hiddenCoding('comma-before', 'Transfer-Encoding: ,chunked'),
  hiddenCoding('comma-behind', 'Transfer-Encoding: chunked,'),
  hiddenCoding('identity', 'Transfer-Encoding: identity'),
  hiddenCoding('identity-chunked', 'Transfer-Encoding: identity, chunked'),
  hiddenCoding('chunked-identity', 'Transfer-Encoding: chunked, identity'),
  hiddenCoding('gzip-chunked', 'Transfer-Encoding: gzip, chunked'),
  hiddenCoding('twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: x'),
  hiddenCoding('twice-other-order', 'Transfer-Encoding: x\r\nTransfer-Encoding: chunked'),
  hiddenCoding('twice-same', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'),
  hiddenCoding('empty', 'Transfer-Encoding:'),
  hiddenCoding('folded', 'Transfer-Encoding:\r\n chunked'),
  hiddenCoding('folded-tab', 'Transfer-Encoding:\r\n\tchunked'),
  hiddenCoding('hidden-by-fold', 'X-A: b\r\n Transfer-Encoding: chunked'),
  hiddenCoding('underscore', 'Transfer_Encoding: chunked'),
  hiddenCoding('bytes', 'Transfer-Encoding: \xa0chunked\xa0'),
  hiddenCoding('bytes-in-name', 'Transfer-Encoding\xa0: chunked'),
  hiddenCoding('behind-return', 'X-A: b\rTransfer-Encoding: chunked'),
  hiddenCoding('behind-line-feed', 'X-A: b\nTransfer-Encoding: chunked'),
  hiddenCoding('behind-zero', 'X-A: b\0Transfer-Encoding: chunked'),
  hiddenCoding('space-before-name', ' Transfer-Encoding: chunked'),
  hiddenCoding('zero-in-name', 'Transfer-Encoding\0: chunked'),
  hiddenCoding('line-feed-behind', 'Transfer-Encoding: chunked\n'),
  hiddenCoding('connection-named', 'Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding'),
];

const lengths: readonly Attempt[] = [
  oddLength('twice', 'Content-Length: 0', `Content-Length: ${smuggled.length}`),
  oddLength('twice-other-order', `Content-Length: ${smuggled.length}`, 'Content-Length: 0'),
  oddLength('list', `Content-Length: 0, ${smuggled.length}`),
  oddLength('list-same', `Content-Length: ${smuggled.length}, ${smuggled.length}`),
  oddLength('plus', `Content-Length: +${smuggled.length}`),
  oddLength('minus', 'Content-Length: -1'),
  oddLength('zero-prefixed', `Content-Length: 00${smuggled.length}`),
  oddLength('hexadecimal', `Content-Length: 0x${smuggled.length.toString(16)}`),
  oddLength('underscore', 'Content-Length: 1_0'),
  oddLength('space-in', 'Content-Length: 1 0'),
  oddLength('fraction', `Content-Length: ${smuggled.length}.0`),
  oddLength('exponent', 'Content-Length: 1e1'),
  oddLength('letter', `Content-Length: ${smuggled.length}x`),
  oddLength('empty', 'Content-Length:'),
  oddLength('overflow', `Content-Length: ${2n ** 64n + BigInt(smuggled.length)}`),
  oddLength('overflow-32', `Content-Length: ${2 ** 32 + smuggled.length}`),
  oddLength('space-before-colon', `Content-Length : ${smuggled.length}`),
  oddLength('folded', 'Content-Length:', ` ${smuggled.length}`),
  oddLength('vertical-tab', `Content-Length: \x0b${smuggled.length}`),
  oddLength('zero', `Content-Length: ${smuggled.length}\0`),
  oddLength('behind-return', `X-A: b\rContent-Length: ${smuggled.length}`),
  oddLength('behind-line-feed', `X-A: b\nContent-Length: ${smuggled.length}`),
  oddLength('space-first', ` Content-Length: ${smuggled.length}`),
  oddLength('connection-named', `Content-Length: ${smuggled.length}`, 'Connection: Content-Length'),
];

const chunkTricks: readonly Attempt[] = [
  chunks('extension-line-feed', `2;\nxx\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`),
  chunks('extension-return', `2;\rxx\r\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('extension-quoted-line', `2;a="\r\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('extension-zero', `2;a=\0\r\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('size-line-feed', `2\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('size-return', `2\rab\r\n0\r\n\r\n${smuggled}`),
  chunks('size-prefix', `0x2\r\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('size-plus', `+2\r\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('size-minus', `-2\r\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('size-underscore', `0_2e\r\n\r\n${smuggled}`),
  chunks('size-space-before', ` 2\r\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('size-space-behind', `2 \r\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('size-tab-behind', `2\t\r\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('size-letters', `2z\r\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('size-empty', `\r\n${smuggled}`),
  chunks('size-overflow', `10000000000000002\r\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('size-overflow-32', `100000002\r\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('size-many-zeros', `${'0'.repeat(40)}2\r\nab\r\n0\r\n\r\n`),
  chunks('end-two-bytes', `2\r\nabXX0\r\n\r\n${smuggled}`),
  chunks('end-line-feed', `2\r\nab\n0\r\n\r\n${smuggled}`),
  chunks('end-missing', `2\r\nab0\r\n\r\n${smuggled}`),
  chunks('last-line-feed', `2\r\nab\r\n0\n\n${smuggled}`),
  chunks('last-return', `2\r\nab\r\n0\r\r${smuggled}`),
  chunks('last-zeros', `2\r\nab\r\n000\r\n\r\n`),
  chunks('last-extension', `2\r\nab\r\n0;a=b\r\n\r\n`),
  chunks('trailer-length', `0\r\nContent-Length: ${smuggled.length}\r\n\r\n`),
  chunks('trailer-coding', '0\r\nTransfer-Encoding: chunked\r\n\r\n'),
  chunks('trailer-no-colon', `0\r\n${smuggled}\r\n\r\n`),
  chunks('trailer-line-feed', `0\r\nX-A: b\n\n${smuggled}`),
  chunks('trailer-folded', '0\r\nX-A: b\r\n c\r\n\r\n'),
  chunks('trailer-host', '0\r\nHost: b.example\r\nX-Injected: 1\r\n\r\n'),
];

export const framing: readonly Attempt[] = [...classic, ...codings, ...lengths, ...chunkTricks];
