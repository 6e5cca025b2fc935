import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { filesAround } from '#model';
import { sampleWritten, trafficOf } from '#plan';
import { fourServers, shop, siteText } from '../world/changes.ts';

const withApi = (path: string) =>
  shop(fourServers)
    .replace(
      'routes:\n',
      `routes:\n  - { name: api, matches: [{ path: { type: PathPrefix, value: ${path} } }], pool: api }\n`,
    )
    .replace('pools:\n', 'pools:\n  - { name: api, servers: ["10.0.1.1:80"] }\n');

const wanted = {
  sample: 3,
  accessLog: null,
  host: null,
  queryValues: false,
  clientAddresses: false,
  exceptPaths: ['/cron'],
};
const line = (path: string, method = 'GET') =>
  JSON.stringify({ method, host: 'shop.example', path, client: '192.0.2.7' });

function sample(lines: readonly string[], over: Partial<typeof wanted> = {}) {
  const options = { host: null, queryValues: over.queryValues ?? false, requestsMax: 1_000 };
  const traffic = trafficOf(lines.join('\n'), 'access.log', options);
  const [before, after] = [siteText(withApi('/api')), siteText(withApi('/apis'))];
  return sampleWritten(before, after, filesAround, { traffic, wanted: { ...wanted, ...over } });
}

describe('a sample of recent requests', () => {
  it('has some of every kind, each with what both texts make of it', () => {
    const { requests } = sample(['/a', '/a', '/b', '/c', '/api/cart'].map((path) => line(path)));
    assert.deepEqual(
      requests.map(({ witness, before, after, same }) => [
        witness.path,
        before.kind === 'pool' && before.pool,
        after.kind === 'pool' && after.pool,
        same,
      ]),
      [
        ['/a', 'web', 'web', true],
        ['/api/cart', 'api', 'web', false],
        ['/b', 'web', 'web', true],
      ],
    );
  });

  it('has nothing that is not safe to ask again, and no values or addresses', () => {
    const lines = [
      line('/buy', 'POST'),
      line('/cron/run'),
      line('/cronjob?token=secret'),
      '{"path":"/x","method":"GET"}',
    ];
    const { requests, leftOut } = sample(lines);
    assert.deepEqual(
      requests.map(({ witness: { path, query, sourceAddress, headers } }) => [
        path,
        query,
        sourceAddress,
        headers,
      ]),
      [['/cronjob', 'token=', null, { 'user-agent': 'holdfast-rehearsal' }]],
    );
    assert.equal(leftOut, 3);
  });

  it('has them where the owner says so', () => {
    const { requests } = sample([line('/a?token=1')], { queryValues: true, clientAddresses: true });
    assert.deepEqual(
      [requests[0]?.witness.query, requests[0]?.witness.sourceAddress],
      ['token=1', '192.0.2.7'],
    );
  });
});
