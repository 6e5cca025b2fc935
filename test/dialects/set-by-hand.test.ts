import assert from 'node:assert/strict';
import { test } from 'node:test';
import { haproxyDialect } from '#dialects';

const text = `backend web
  default-server weight 20
  server a 10.0.0.1:80 # weight 3
  server b 10.0.0.2:80 weight 10 disabled
listen other
  server a 10.0.0.3:80
`;
const after = (...commands: string[]) =>
  (haproxyDialect.withSettings?.(text, commands) ?? '').split('\n').flatMap((line) => {
    const [, server, words] = /^ {2}server (\w) \S+ ?(.*)$/.exec(line) ?? [];
    return server === undefined ? [] : [`${server} ${words}`.trim()];
  });

test('what nobody set is as the text has it', () => {
  assert.equal(haproxyDialect.withSettings?.(text, []), text);
  assert.equal(haproxyDialect.withSettings?.(text, ['disable server web/none', 'clear counters']), text);
});

test('state: the last word counts, for that server alone', () => {
  assert.deepEqual(after('disable server web/a', 'set server web/b state ready'), [
    'a disabled # weight 3',
    'b weight 10 disabled enabled',
    'a',
  ]);
  assert.deepEqual(after('set  server web/a  state drain ', 'enable server other/a'), [
    'a weight 0 enabled # weight 3',
    'b weight 10 disabled',
    'a enabled',
  ]);
});

test('weight: a number, or a share of what the text says', () => {
  assert.deepEqual(after('set server web/a weight 7', 'set weight web/b 50%', 'set weight other/a 50%'), [
    'a weight 7 # weight 3',
    'b weight 10 disabled weight 5',
    'a weight 0',
  ]);
  assert.deepEqual(after('set server web/a weight 50%')[0], 'a weight 10 # weight 3');
  assert.deepEqual(
    after('set weight web/a 9', 'set server web/a state drain')[0],
    'a weight 0 enabled # weight 3',
  );
});

test('most connections', () => {
  assert.deepEqual(after('set maxconn server web/a 30')[0], 'a maxconn 30 # weight 3');
});
