import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BuiltinText, builtinDialect, haproxyDialect, type Placement } from '#dialects';
import { poolOf, siteOf } from '../world/sites.ts';

const placement: Placement = {
  generation: 2,
  threads: 1,
  listeners: { http: { kind: 'fd', fd: 3 } },
  control: '/run/x/control.sock',
  entrance: '/run/x/entrance.sock',
  neighbour: '/run/x/neighbour.sock',
  certificates: {},
  ticketKeys: null,
  servers: null,
};

function withNet(net: boolean) {
  const site = siteOf({ pools: [poolOf('web', [8_001])] });
  return { ...site, guard: { ...site.guard, net } };
}

test("guard.net: false leaves the net out of HAProxy's text, and the take-back in", () => {
  const [on, off] = [true, false].map((net) => haproxyDialect.lower(withNet(net), placement).split('\n'));
  assert.ok(on && off);
  const left = on.filter((line) => !off.includes(line));
  assert.equal(left.length, 1);
  assert.match(left[0] ?? '', /^ {2}server \S+ unix@\/run\/x\/neighbour\.sock .*backup/);
  assert.ok(
    off.some((line) => line.includes('use_backend')),
    'the take-back needs the neighbour too',
  );
});

test("guard.net: false leaves the net out of the built-in engine's text, and the neighbour in", () => {
  const read = (net: boolean) => JSON.parse(builtinDialect.lower(withNet(net), placement)) as BuiltinText;
  assert.deepEqual({ ...read(true), net: false }, read(false));
  assert.equal(read(true).net, true);
  assert.equal(read(false).neighbour, placement.neighbour);
});

test('without a neighbour there is no net, whatever the site says', () => {
  const alone = { ...placement, neighbour: null };
  const builtin = JSON.parse(builtinDialect.lower(withNet(true), alone)) as BuiltinText;
  assert.equal(builtin.net, false);
  assert.doesNotMatch(haproxyDialect.lower(withNet(true), alone), /backup/);
});
