import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type AnswerHead,
  AnswerParser,
  type AnswerReader,
  BadAnswer,
} from '../../src/engines/builtin/process/answer-parser.ts';

interface Heard {
  readonly head: AnswerHead | null;
  readonly body: string;
  readonly trailers: readonly string[] | null;
  readonly informational: readonly number[];
  readonly keepMs: number;
}

/** What the parser makes of `bytes` that come in these pieces, and then the end of the connection. */
function read(pieces: readonly Buffer[], bodyless = false): Heard {
  let head: AnswerHead | null = null;
  let body = '';
  let trailers: readonly string[] | null = null;
  const informational: number[] = [];
  const reader: AnswerReader = {
    onInformational: ({ status }) => informational.push(status),
    onHead(whole) {
      head = whole;
    },
    onData(bytes) {
      body += bytes.toString('latin1');
    },
    onEnd(fields) {
      trailers = fields;
    },
    onSwitch(whole, first) {
      head = whole;
      body = first.toString('latin1');
      trailers = [];
    },
  };
  const parser = new AnswerParser();
  parser.expect(reader, bodyless);
  for (const piece of pieces) parser.feed(piece);
  parser.finish();
  return { head, body, trailers, informational, keepMs: parser.keepMs };
}

const bytes = (text: string) => Buffer.from(text, 'latin1');

const good: Readonly<Record<string, readonly [text: string, status: number, body: string, kept: boolean]>> = {
  'with a length': ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', 200, 'hello', true],
  'without a reason': ['HTTP/1.1 200\r\ncontent-length:0\r\n\r\n', 200, '', true],
  'in chunks': [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nX-T: 1\r\n\r\n',
    200,
    'hello!',
    true,
  ],
  'until the connection ends': ['HTTP/1.0 200 OK\r\n\r\nhello', 200, 'hello', false],
  'that closes': ['HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 1\r\n\r\nh', 200, 'h', false],
  'behind others': [
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\r\nlink: x\r\n\r\nHTTP/1.1 204 N\r\n\r\n',
    204,
    '',
    true,
  ],
};

const bad: Readonly<Record<string, string>> = {
  'no status line': 'nonsense',
  'another version': 'HTTP/2.0 200 OK\r\n\r\n',
  'a status of two digits': 'HTTP/1.1 20 OK\r\n\r\n',
  'an empty line first': '\r\nHTTP/1.1 200 OK\r\n\r\n',
  'bare line feeds': 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n',
  'a bare carriage return': 'HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n',
  'a folded line': 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n',
  'a space before the colon': 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n',
  'a zero byte': 'HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n',
  'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nh',
  'a list of lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\nh',
  'a signed length': 'HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nh',
  'a length beside chunks':
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'another coding': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  'chunks in HTTP/1.0': 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'a chunk without a size': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n;a\r\nh\r\n',
  'a chunk size with 0x': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nh\r\n',
  'a chunk longer than its size': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nhello\r\n',
  'bytes behind the answer': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nhello',
  'a head without end': `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(70_000)}`,
  'trailers without end': `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ${'a'.repeat(70_000)}`,
  'a chunk extension without end': `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;${'a'.repeat(5_000)}`,
  'informational answers without end': 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(33),
};

describe('answers of servers', () => {
  for (const [name, [text, status, body, kept]] of Object.entries(good))
    test(`one ${name}, in pieces of any size`, () => {
      const check = (pieces: readonly Buffer[]) => {
        const heard = read(pieces);
        assert.deepEqual([heard.head?.status, heard.body], [status, body]);
        assert.notEqual(heard.trailers, null);
        assert.equal(heard.keepMs > 0, kept);
      };
      check([bytes(text)]);
      check([...bytes(text)].map((byte) => Buffer.from([byte])));
      fc.assert(
        fc.property(fc.nat(text.length), fc.nat(text.length), (a, b) => {
          const [from, to] = [Math.min(a, b), Math.max(a, b)];
          const all = bytes(text);
          check(
            [all.subarray(0, from), all.subarray(from, to), all.subarray(to)].filter((p) => p.length > 0),
          );
        }),
      );
    });

  for (const [name, text] of Object.entries(bad))
    test(`refused: ${name}`, () => {
      assert.throws(() => read([bytes(text)]), BadAnswer);
      if (text.length < 1_000)
        assert.throws(() => read([...bytes(text)].map((byte) => Buffer.from([byte]))), BadAnswer);
    });

  test('HEAD, 204 and 304 have no body, whatever their headers say', () => {
    const head = read([bytes('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n')], true);
    assert.deepEqual([head.body, head.trailers, head.keepMs > 0], ['', [], true]);
    for (const status of [204, 304]) {
      const heard = read([bytes(`HTTP/1.1 ${status} x\r\nTransfer-Encoding: chunked\r\n\r\n`)]);
      assert.deepEqual([heard.head?.status, heard.body, heard.trailers], [status, '', []]);
    }
  });

  test('an answer that is cut off is not whole', () => {
    const whole = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
    for (let length = 0; length < whole.length; length += 1) {
      const pieces = length === 0 ? [] : [bytes(whole.slice(0, length))];
      assert.equal(read(pieces).trailers, null, `after ${length} bytes`);
    }
  });

  test('values lose the blanks around them, and nothing else', () => {
    const { head } = read([bytes('HTTP/1.1 200 a b\r\nX:\t a  b \r\nY:\r\n\r\n')]);
    assert.deepEqual(head, { status: 200, reason: 'a b', headers: ['X', 'a  b', 'Y', ''] });
  });

  test('101 hands over what came behind it', () => {
    const { head, body } = read([bytes('HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\nhello')]);
    assert.deepEqual([head?.status, body], [101, 'hello']);
  });

  test('a connection is used a second less long than its server promised', () => {
    const keepMsOf = (promise: string) =>
      read([bytes(`HTTP/1.1 200 OK\r\nKeep-Alive: ${promise}\r\nContent-Length: 0\r\n\r\n`)]).keepMs;
    assert.deepEqual(['timeout=5, max=9', 'timeout=1', 'max=9'].map(keepMsOf), [
      4_000,
      0,
      Number.POSITIVE_INFINITY,
    ]);
  });

  test('any bytes give an answer or a refusal', () => {
    const line = fc.constantFrom(
      'HTTP/1.1 200 OK',
      'content-length: 3',
      'transfer-encoding: chunked',
      '',
      '3',
      'abc',
      '0',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(line, fc.string()), { maxLength: 8 }), (lines) => {
        try {
          read([bytes(lines.join('\r\n'))]);
        } catch (error) {
          assert.ok(error instanceof BadAnswer, String(error));
        }
      }),
    );
  });
});
