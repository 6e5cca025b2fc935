import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Condition, holds, type Request } from '#routing';

const plain: Request = {
  method: 'GET',
  scheme: 'http',
  host: 'shop.example',
  port: 80,
  path: '/',
  query: '',
  headers: {},
};

/** Each condition with requests that it takes and requests that it does not. */
const meanings: readonly {
  readonly condition: Condition;
  readonly takes: readonly Partial<Request>[];
  readonly leaves: readonly Partial<Request>[];
}[] = [
  {
    condition: { kind: 'host', match: 'exact', value: 'shop.example' },
    takes: [{ host: 'shop.example' }, { host: 'SHOP.Example' }, { host: 'shop.example:8080' }],
    leaves: [{ host: 'www.shop.example' }, { host: 'shop.example.net' }, { host: '' }],
  },
  {
    condition: { kind: 'host', match: 'suffix', value: '.shop.example' },
    takes: [{ host: 'www.shop.example' }, { host: 'a.b.shop.example:1' }],
    leaves: [{ host: 'shop.example' }, { host: '.shop.example' }, { host: 'workshop.example' }],
  },
  {
    condition: { kind: 'path', match: 'prefix', value: '/foo' },
    takes: [{ path: '/foo' }, { path: '/foo/' }, { path: '/foo/x' }, { path: '/foo//x' }],
    leaves: [{ path: '/foobar' }, { path: '/' }, { path: '/FOO' }, { path: '/%66oo' }, { path: '//foo' }],
  },
  {
    condition: { kind: 'path', match: 'prefix', value: '/' },
    takes: [{ path: '/' }, { path: '/anything' }, { path: '*' }],
    leaves: [],
  },
  {
    condition: { kind: 'path', match: 'exact', value: '/foo' },
    takes: [{ path: '/foo' }, { path: '/foo', query: 'a=b' }],
    leaves: [{ path: '/foo/' }, { path: '/foo/x' }],
  },
  {
    condition: { kind: 'path', match: 'regex', value: '/a|/b' },
    takes: [{ path: '/a' }, { path: '/b' }],
    leaves: [{ path: '/ab' }, { path: '/a/b' }, { path: '/x/b' }],
  },
  {
    condition: { kind: 'method', value: 'GET' },
    takes: [{ method: 'GET' }],
    leaves: [{ method: 'HEAD' }, { method: 'get' }],
  },
  {
    condition: { kind: 'header', name: 'x-group', match: 'exact', value: 'Beta' },
    takes: [{ headers: { 'X-Group': 'Beta' } }, { headers: { 'x-group': 'Beta' } }],
    leaves: [{ headers: { 'x-group': 'beta' } }, { headers: { 'x-group': 'Beta, x' } }, {}],
  },
  {
    condition: { kind: 'header', name: 'x-group', match: 'regex', value: '.*' },
    takes: [{ headers: { 'x-group': '' } }, { headers: { 'x-group': 'a' } }],
    leaves: [{}],
  },
  {
    condition: { kind: 'query', name: 'q', match: 'exact', value: 'a%20b' },
    takes: [{ query: 'q=a%20b' }, { query: 'x=1&q=a%20b&q=2' }],
    leaves: [
      { query: 'q=a b' },
      { query: 'q=2&q=a%20b' },
      { query: 'x=1;q=a%20b' },
      { query: 'Q=a%20b' },
      {},
    ],
  },
  {
    condition: { kind: 'query', name: 'q', match: 'regex', value: '.*' },
    takes: [{ query: 'q' }, { query: 'q=' }, { query: 'q=a=b' }],
    leaves: [{ query: 'qq=1' }, { query: '' }],
  },
];

for (const { condition, takes, leaves } of meanings) {
  const { kind, value } = condition;
  test(`${kind} ${'match' in condition ? condition.match : ''} ${value} takes what it says and no more`, () => {
    for (const request of takes) assert(holds(condition, { ...plain, ...request }), JSON.stringify(request));
    for (const request of leaves)
      assert(!holds(condition, { ...plain, ...request }), JSON.stringify(request));
  });
}
