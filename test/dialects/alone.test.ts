import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nginxDialect, type Placement } from '#dialects';
import { listenerOf, noFilters, poolOf, routeTo, siteOf } from '../world/sites.ts';

test('NGINX: the text of the next boot has no private socket, which a crash would leave behind', () => {
  const mirror = { pool: 'copy', percent: 100, place: { file: 'site.yaml', line: 1, column: 1 } };
  const site = siteOf({
    listeners: [listenerOf('http', 8080)],
    pools: [poolOf('web', [8081]), poolOf('copy', [8082])],
    routes: [routeTo('web', {}, { filters: { ...noFilters, mirror } })],
  });
  const beside: Placement = {
    generation: 0,
    threads: 1,
    listeners: { http: { kind: 'address', host: '127.0.0.1', port: 8080 } },
    control: '/run/g/control.sock',
    entrance: '/run/g/entrance.sock',
    neighbour: null,
    certificates: {},
    ticketKeys: null,
    servers: null,
  };
  const [led, alone] = [beside, { ...beside, alone: true } as const].map(
    (placement) => nginxDialect.lower(site, placement).match(/listen "?unix:.*/g) ?? [],
  );
  assert.equal(led?.length, 3);
  assert.deepEqual(alone, []);
});
