import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type LoggedRequest, type TrafficOptions, trafficOf } from '#plan';

const options = { host: null, queryValues: false, requestsMax: 1_000 };
const one = (line: string, over: Partial<TrafficOptions> = {}): LoggedRequest | undefined =>
  trafficOf(line, 'access.log', { ...options, ...over }).requests[0];

describe('recent requests out of a log', () => {
  it('the combined form of NGINX and Apache, which names no host', () => {
    const line =
      '203.0.113.7 - - [22/Nov/2026:10:00:00 +0000] "GET /cart?id=7&x HTTP/1.1" 200 512 "-" "curl/8.0"';
    assert.deepEqual(one(line), {
      host: null,
      scheme: null,
      method: 'GET',
      path: '/cart',
      query: 'id=&x',
      sourceAddress: '203.0.113.7',
    });
    assert.equal(one(line, { queryValues: true })?.query, 'id=7&x');
  });

  it('a host in front, as vhost_combined has it', () => {
    const line = 'shop.example:443 203.0.113.7 - - [x] "POST /pay HTTP/2.0" 302 0 "-" "-"';
    assert.equal(one(line)?.host, 'shop.example');
    assert.equal(one(line)?.sourceAddress, '203.0.113.7');
  });

  it('HAProxy with the host captured', () => {
    const line =
      'Nov 22 10:00:00 lb haproxy[7]: 198.51.100.9:51234 [22/Nov/2026:10:00:00.001] http web/web-1 0/0/1/2/3 200 512 - - ---- 1/1/0/0/0 0/0 {Shop.Example|Mozilla/5.0} "GET /a HTTP/1.1"';
    assert.equal(one(line)?.host, 'shop.example');
    assert.equal(one(line)?.sourceAddress, '198.51.100.9');
  });

  it('one JSON object a line, by the names that people use', () => {
    const haproxy = '{"client":"198.51.100.9","method":"GET","target":"/a?b=1","host":"shop.example"}';
    assert.deepEqual(one(haproxy), {
      host: 'shop.example',
      scheme: null,
      method: 'GET',
      path: '/a',
      query: 'b=',
      sourceAddress: '198.51.100.9',
    });
    const nginx = '{"remote_addr":"::1","request":"PUT /x HTTP/1.1","http_host":"a.example:8080"}';
    assert.deepEqual([one(nginx)?.method, one(nginx)?.host], ['PUT', 'a.example']);
  });

  it('an absolute target names its host and scheme itself', () => {
    const asked = one('::1 - - [x] "GET https://b.example/c?d=e HTTP/1.1" 200 1 "-" "-"');
    assert.deepEqual(
      [asked?.host, asked?.scheme, asked?.path, asked?.query],
      ['b.example', 'https', '/c', 'd='],
    );
  });

  it('a host for lines that name none', () => {
    assert.equal(one('::1 - - [x] "GET / HTTP/1.1" 200 1', { host: 'Shop.Example' })?.host, 'shop.example');
  });

  it('keeps the newest, in their order, and counts what was no request', () => {
    const line = (path: string) => `::1 - - [x] "GET ${path} HTTP/1.1" 200 1`;
    const text = [line('/1'), 'garbage', line('/2'), '{"half":', line('/3'), ''].join('\n');
    const all = trafficOf(text, 'access.log', options);
    assert.deepEqual(
      all.requests.map(({ path }) => path),
      ['/1', '/2', '/3'],
    );
    assert.equal(all.unread, 2);
    const two = trafficOf(text, 'access.log', { ...options, requestsMax: 2 });
    assert.deepEqual(
      two.requests.map(({ path }) => path),
      ['/2', '/3'],
    );
  });

  it('a line of a million characters is no request, and costs nothing', () => {
    assert.equal(one(`::1 - - "GET /${'a'.repeat(1_000_000)} HTTP/1.1"`), undefined);
  });
});
