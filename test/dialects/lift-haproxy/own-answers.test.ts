import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { meaning } from '#routing';
import { lift } from '../../../src/dialects/haproxy/lift/index.ts';

const files: Readonly<Record<string, string>> = {
  '/e/ok': 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nsorry',
  '/e/moved': 'HTTP/1.0 302 Found\r\nLocation: https://sorry.example/\r\n\r\n',
  '/e/empty': '',
};

/** What the engine answers of itself, in a few words. */
function answered(lines: string, path = '/', back = ''): string {
  const text = `${lines}\nbackend b\n  mode http\n  ${back}\n  server s 10.0.0.1:80\n`;
  const what = lift({
    file: 'haproxy.cfg',
    text,
    read: (name) => files[name] ?? null,
    environment: () => null,
  });
  return meaning
    .fateOf(what, meaning.requestOf({ path }))
    .ways.map(({ fate }) => {
      if (fate.kind === 'answer') return `${fate.status}`;
      if (fate.kind === 'redirect') return `${fate.status} ${String(fate.location)}`;
      return fate.kind;
    })
    .join(' | ');
}

const front = (lines: string) => `frontend f\n  mode http\n  bind :80\n  ${lines.split('\n').join('\n  ')}`;

describe('an answer of its own is what an errorfile says', () => {
  test('its status, its redirect, and nothing of an empty one; one that cannot be read says what it is for', () => {
    const denied = (line: string) => answered(front(`${line}\nhttp-request deny`));
    assert.equal(denied('errorfile 403 /e/ok'), '200');
    assert.equal(denied('errorfile 403 /e/moved'), '302 https://sorry.example/');
    assert.equal(denied('errorfile 403 /e/empty'), 'reject');
    assert.equal(denied('errorfile 403 /dev/null'), 'reject');
    assert.equal(denied('errorfile 403 /e/none'), '403');
    assert.equal(denied('errorfile 503 /e/ok'), '403');
    assert.equal(denied('errorloc 403 http://a/'), '302 http://a/');
    assert.equal(denied('errorloc303 403 http://a/'), '303 http://a/');
    assert.equal(denied('http-error status 403 content-type text/plain string no'), '403');
    assert.equal(denied('errorfile 403 /e/moved\nerrorfile 403 /e/ok'), '200');
  });

  test('of a backend before its frontend, of defaults for both', () => {
    const rule = 'http-request deny deny_status 404';
    const to = front('errorfile 404 /e/moved\ndefault_backend b');
    assert.equal(answered(to, '/', rule), '302 https://sorry.example/');
    assert.equal(answered(to, '/', `errorfile 404 /e/ok\n  ${rule}`), '200');
    const inherited = `defaults\n  errorfile 404 /e/ok\n${front(`${rule}`)}`;
    assert.equal(answered(inherited), '200');
  });

  test('only where a rule says no more than a status', () => {
    const own = (line: string) => answered(front(`errorfile 404 /e/ok\nerrorfile 403 /e/ok\n${line}`));
    assert.equal(own('http-request deny deny_status 404 if TRUE'), '200');
    assert.equal(own('http-request deny status 404'), '404');
    assert.equal(own('http-request deny hdr x-a b'), '403');
    assert.equal(own('http-request return status 404 default-errorfiles'), '200');
    assert.equal(own('http-request return status 404'), '404');
    assert.equal(own('http-request return status 503 errorfile /e/moved'), '302 https://sorry.example/');
  });

  test('of a section of errors', () => {
    const errors = 'http-errors site\n  errorfile 403 /e/ok\n  errorfile 404 /e/moved\n';
    const of = (lines: string) => answered(`${errors}${front(lines)}`);
    assert.equal(of('errorfiles site\nhttp-request deny'), '200');
    assert.equal(of('errorfiles site 404\nhttp-request deny'), '403');
    assert.equal(of('http-request deny errorfiles site'), '200');
    assert.equal(of('http-request deny status 404 errorfiles site'), '302 https://sorry.example/');
    assert.equal(of('http-request deny status 405 errorfiles site'), '405');
  });

  test('of whoever watches, and where there is no backend', () => {
    assert.equal(
      answered(front('monitor-uri /up\nerrorfile 200 /e/moved'), '/up'),
      '302 https://sorry.example/',
    );
    assert.equal(answered(front('errorfile 503 /e/ok')), '200');
    assert.equal(answered(front('http-request auth\nerrorfile 401 /e/ok')), '200');
  });
});
