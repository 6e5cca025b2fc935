import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { liftOwn } from '#dialects';
import { askedRequest, explain, planOf } from '#plan';

const files = { find: () => [], read: () => null, environment: () => null };
const haproxy = (text: string) => liftOwn({ file: 'a.cfg', folder: '/', text }, 'haproxy', files);
const nginx = (text: string) => liftOwn({ file: 'a.conf', folder: '/', text }, 'nginx', files);
const told = (text: ReturnType<typeof haproxy>, request: string) =>
  explain(text, askedRequest({ request, headers: [], from: null }, text));

const www = `frontend www
  mode http
  bind :8080
  use_backend api if { path_beg /api }
  default_backend web
backend web
  mode http
  server w1 10.0.0.1:80
backend api
  mode http
  server a1 10.0.0.2:80
`;

describe('explain', () => {
  it('names the line that took what no rule took', () => {
    const { rule, action, because } = told(haproxy(www), 'GET http://shop.example:8080/cart');
    assert.deepEqual(rule, { file: 'a.cfg', line: 5, text: 'default_backend web' });
    assert.equal(action.kind === 'pool' && action.pool, 'web');
    assert.deepEqual(
      because.map(({ line, held, why }) => [line, held, why]),
      [
        [4, false, 'needs: path begins with "/api"'],
        [5, true, 'whatever no rule took'],
      ],
    );
  });

  it('takes the only port that speaks the scheme where the URL names none', () => {
    const text = haproxy(www);
    assert.equal(told(text, 'http://shop.example/').listener, 'www *:8080');
    assert.equal(told(text, 'http://shop.example:80/').listener, null, 'a port that is named is meant');
    assert.equal(told(text, 'https://shop.example/').listener, null, 'nobody speaks TLS');
    const two = haproxy(`${www}frontend admin\n  mode http\n  bind :8081\n  default_backend api\n`);
    assert.equal(told(two, 'http://shop.example/').listener, null, 'which of two is not guessed');
  });
});

describe('an index that another location could take', () => {
  const conf = (more: string) => `http {
  server {
    listen 80;
    location /static/ { root /var/www; }
    ${more}
    location / { return 204; }
  }
}
`;
  const plan = (before: string, after: string) =>
    planOf(
      { file: 'a.conf', dialect: 'nginx', meaning: nginx(before) },
      { file: 'a.conf', dialect: 'nginx', meaning: nginx(after) },
      { traffic: null, policies: [] },
    );

  it('is no difference where it does not, and no rule is called dead for it', () => {
    const { differences, unreachable } = plan(conf(''), conf('location ~ ^/a+b { return 403; }'));
    assert.deepEqual(
      differences.map(({ witness }) => witness.path),
      ['/ab'],
    );
    assert.deepEqual(unreachable, []);
  });

  it('is one where it does', () => {
    const { differences } = plan(conf(''), conf('location ~ \\.html$ { return 403; }'));
    assert.ok(differences.some(({ witness }) => witness.path === '/static/'));
  });
});
