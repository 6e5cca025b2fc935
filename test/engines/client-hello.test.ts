import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clientHello } from '#probe';
import { helloBytesMax, parseClientHello } from '../../src/engines/builtin/process/client-hello.ts';
import { seededRandom } from '../world/random.ts';

function nameIn(bytes: Buffer): string | null {
  const parsed = parseClientHello(bytes);
  assert.equal(parsed.kind, 'whole');
  return parsed.kind === 'whole' ? parsed.value.name : '';
}

const kindOf = (bytes: Buffer) => parseClientHello(bytes).kind;

/** The same message in records of `size` bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    const head = Buffer.from([22, 3, 1, 0, 0]);
    head.writeUInt16BE(part.length, 3);
    records.push(head, part);
  }
  return Buffer.concat(records);
}

describe("the name in a client's first message", async () => {
  const hello = await clientHello('Shop.example');

  test('is found, in lower case', () => assert.equal(nameIn(hello), 'shop.example'));

  test('may not be there', async () => assert.equal(nameIn(await clientHello(null)), null));

  test('is found in a message of several records', () => {
    for (const size of [1, 7, 100, 300]) assert.equal(nameIn(inRecords(hello, size)), 'shop.example');
  });

  test('what comes behind the message is not looked at', () =>
    assert.equal(nameIn(Buffer.concat([hello, Buffer.from('anything')])), 'shop.example'));

  test('every beginning of a message is incomplete', () => {
    for (const bytes of [hello, inRecords(hello, 50)])
      for (let length = 1; length < bytes.length; length += 1)
        assert.equal(kindOf(bytes.subarray(0, length)), 'incomplete', `${length} bytes`);
  });

  const wrong: readonly (readonly [string, Buffer])[] = [
    ['a request over HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
    ['a word of another protocol', Buffer.from('EHLO me\r\n')],
    ['an old version', Buffer.concat([Buffer.from([22, 2]), hello.subarray(2)])],
    ['another message', Buffer.concat([hello.subarray(0, 5), Buffer.from([2]), hello.subarray(6)])],
    ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
    ['a record that is too long', Buffer.from([22, 3, 1, 0x40, 1])],
    ['a message that is too long', Buffer.from([22, 3, 1, 0x40, 0, 1, 0, 0x40, 0])],
    [
      'records of one byte without end',
      inRecords(Buffer.concat([Buffer.alloc(5), Buffer.from([1, 0, 0x3f, 0]), Buffer.alloc(12_000)]), 1),
    ],
  ];
  for (const [what, bytes] of wrong) test(`wrong: ${what}`, () => assert.equal(kindOf(bytes), 'wrong'));

  test('wrong: two names, an empty one, a length that lies', () => {
    const at = hello.indexOf('Shop.example');
    assert.ok(at > 0);
    const changed = (index: number, by: number) => {
      const bytes = Buffer.from(hello);
      bytes.writeUInt8(by, index);
      return bytes;
    };
    assert.equal(kindOf(changed(at, 0)), 'wrong', 'a zero byte in the name');
    assert.equal(kindOf(changed(at - 1, 13)), 'wrong', 'a name longer than its list');
    assert.equal(kindOf(changed(at - 1, 11)), 'wrong', 'a name shorter than its list');
    assert.equal(kindOf(changed(at - 3, 1)), 'wrong', 'a name of another type');
  });

  test('whatever bytes come, it ends, throws nothing, and waits for no more than the limit', () => {
    const random = seededRandom(20_261_122);
    const pick = (below: number) => random.integer(below);
    const seen: Record<string, number> = {};
    for (let round = 0; round < 20_000; round += 1) {
      const bytes = Buffer.from(pick(4) === 0 ? inRecords(hello, 1 + pick(200)) : hello);
      for (let change = pick(6); change > 0; change -= 1) bytes[pick(bytes.length)] = pick(256);
      const cut = pick(3) === 0 ? bytes.subarray(0, pick(bytes.length)) : bytes;
      const parsed = parseClientHello(cut);
      seen[parsed.kind] = (seen[parsed.kind] ?? 0) + 1;
      if (parsed.kind === 'whole' && parsed.value.name !== null)
        assert.match(parsed.value.name, /^[\x21-\x40\x5b-\x7e]+$/);
      // Whatever it was, it does not stay incomplete for ever.
      if (parsed.kind === 'incomplete')
        assert.notEqual(kindOf(Buffer.concat([cut, Buffer.alloc(2 * helloBytesMax, 22)])), 'incomplete');
    }
    assert.deepEqual(Object.keys(seen).toSorted(), ['incomplete', 'whole', 'wrong']);
  });
});
