import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Dialect, haproxyDialect } from '#dialects';
import { parseSite, type Site } from '#model';

/** Whether a running HAProxy can be told of a change is decided by the difference of the two sites. */
const servers = ['{ name: a, address: "10.0.0.1:80" }', '{ name: b, address: "10.0.0.2:80" }'];

function site(list: readonly string[], more = 'healthCheck: { path: /health, host: shop }'): Site {
  const text = `site: t
listeners: [{ name: http, address: "*:80" }]
routes: [{ name: web, pool: web }]
pools: [{ name: web, servers: [${list.join(', ')}], ${more} }]
balancers: [{ name: lb-1, address: 127.0.0.1 }]
`;
  const { site: read, diagnostics } = parseSite(text, 'site.yaml', '/');
  if (!read) throw new Error(JSON.stringify(diagnostics));
  return read;
}

const { inPlace } = haproxyDialect as Required<Dialect>;

function found(before: Site, after: Site) {
  const { changes } = inPlace(before, after);
  return changes?.map(({ kind, server }) => `${kind} ${server}`) ?? null;
}

describe('a running HAProxy can be told', () => {
  const c = '{ name: c, address: "10.0.0.3:80", weight: 7, connectionsMax: 9 }';

  test('of a server that comes, with all that its line says', () => {
    const { changes } = inPlace(site(servers), site([...servers, c]));
    assert.equal(changes?.length, 1);
    const [add] = changes ?? [];
    assert.ok(add?.kind === 'add');
    assert.match(add.words, /^10\.0\.0\.3:80 maxconn 9 weight 7 check inter 2000ms .*pool-max-conn -1$/);
  });

  test('of one that goes, and of several at once: first who comes', () => {
    assert.deepEqual(found(site(servers), site(servers.slice(0, 1))), ['remove b']);
    assert.deepEqual(found(site(servers), site([c, ...servers.slice(0, 1)])), ['add c', 'remove b']);
  });

  test('of a spare server, and of one that serves beside the others under another name', () => {
    const spare = [...servers, '{ name: c, address: "10.0.0.3:80", spare: true }'];
    const joined = [...servers, '{ name: c-joined, address: "10.0.0.3:80" }'];
    assert.deepEqual(found(site(servers), site(spare)), ['add c']);
    assert.deepEqual(found(site(spare), site(joined)), ['add c-joined', 'remove c']);
    assert.deepEqual(found(site(joined), site(spare)), ['add c', 'remove c-joined']);
  });

  test('of weight and maintenance', () => {
    const changed = [
      '{ name: a, address: "10.0.0.1:80", weight: 3, maintenance: true }',
      ...servers.slice(1),
    ];
    assert.deepEqual(found(site(servers), site(changed)), ['weight a', 'maintenance a']);
  });

  test('nothing, where only the order and the places differ', () =>
    assert.deepEqual(found(site(servers), site(servers.toReversed())), []));
});

describe('a running HAProxy cannot be told', () => {
  const refused = (why: RegExp, before: Site, after: Site) => {
    const said = inPlace(before, after);
    assert.equal(said.changes, null);
    assert.match(said.changes === null ? said.why : '', why);
  };

  test('of an address, a name, a sticky cookie', () => {
    const moved = ['{ name: a, address: "10.0.0.9:80" }', ...servers.slice(1)];
    refused(/"a" changes in more than its weight/, site(servers), site(moved));
    const named = [...servers, '{ name: c, address: "c.example:80" }'];
    refused(/"c\.example" is a name/, site(servers), site(named));
    const sticky = 'stickyCookie: { name: S }, healthCheck: { path: /health, host: shop }';
    refused(/has "cookie"/, site(servers, sticky), site(servers.slice(1), sticky));
  });

  test('of a pool whose servers are asked by the name of its first one', () => {
    const asked = 'healthCheck: { path: /health }';
    refused(/lines of the text/, site(servers, asked), site(servers.slice(1), asked));
  });

  test('of who comes where their order decides', () =>
    refused(
      /order in the text/,
      site(servers, 'algorithm: source'),
      site(servers.slice(1), 'algorithm: source'),
    ));

  test('of anything else', () =>
    refused(/more than servers/, site(servers), site(servers, 'healthCheck: { path: /alive, host: shop }')));
});
