import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asked } from './asked.ts';

/** What the model once said otherwise than NGINX does (`npm run prove:plan -- --engine nginx`). */
describe('found by the plan proof', () => {
  test('a method that NGINX refuses gets the error page of the server that the Host header names', () => {
    const text = `server { server_name a; error_page 405 =200 /e; location = /e { return 200 page; } }
      server { server_name b; return 200 b; }`;
    assert.equal(asked(text, 'http://a/', { method: 'TRACE' }), '200 page');
    assert.equal(asked(text, 'http://b/', { method: 'TRACE' }), '405');
  });

  test('an empty query loses its question mark where the URI is replaced', () => {
    assert.equal(asked('location / { proxy_pass http://x/new/; }', 'http://h/a?'), 'x:80 x /new/a');
    assert.equal(asked('location / { proxy_pass http://x; }', 'http://h/a?'), 'x:80 x /a?');
  });

  test('a name with a dot in front takes the name without it, for whoever comes later', () => {
    const text = 'server { server_name .b; return 200 first; } server { server_name b; return 200 second; }';
    assert.equal(asked(text, 'http://b/'), '200 first');
    const other = 'server { server_name b; return 200 first; } server { server_name .b; return 200 second; }';
    assert.equal(asked(other, 'http://sub.b/'), '200 first');
  });

  test('the root of a text that names none is not known', () => {
    const text = 'location / { if ($document_root ~ ^html) { return 200 html; } return 200 other; }';
    assert.equal(asked(text, 'http://h/'), '200 html | 200 other');
  });

  test('behind the question mark of a redirect, what was escaped stays so', () => {
    const text = 'location / { rewrite ^/([^/]+)/ https://r.example/$1?w=$1 permanent; }';
    assert.equal(asked(text, 'http://h/a%3Bb%20c/'), '301 https://r.example/a;b%20c?w=a%3Bb%20c');
  });

  test('names of cookies are the same in any case', () => {
    const cookie = (value: string) =>
      asked('return 200 "$cookie_c.";', 'http://h/', { headers: { cookie: value } });
    assert.equal(cookie('d=1; C=a'), '200 a.');
    assert.equal(cookie('dc=1'), '200 .');
  });

  test('a path that a rewrite made is another question about files', () => {
    const text = 'root /r; location / { try_files $uri /a; }';
    assert.equal(asked(text, 'http://h/x'), 'file /r/x | file /r/a | 500');
  });

  test('without a Host header the host is the first name, without a dot in front', () => {
    const text = 'server_name .b.example; return 200 $host;';
    assert.equal(asked(text, 'http:///', { version: '1.0' }), '200 b.example');
  });

  test('an error page is asked for with GET, and $request_method says so', () => {
    const text = 'error_page 405 =200 /e; location = /e { return 200 $request_method; }';
    assert.equal(asked(text, 'http://h/', { method: 'TRACE' }), '200 GET');
  });

  test('a line break at the end of a path is not taken by an expression that ends in $', () => {
    assert.equal(asked('location / { rewrite ^(.*)$ /b$1? redirect; }', 'http://h/a%0a'), '302 http://h/b/a');
  });

  test('try_files below an alias: the location stays in front of what is found', () => {
    const text = 'location /p/ { alias /r/; try_files /there.txt /none; proxy_pass http://x/$uri; }';
    assert.match(asked(text, 'http://h/p/q'), /^x:80 x \/\/p\/\/there.txt \|/);
  });

  test('an if inherits nothing of an if before it', () => {
    const text =
      'location / { if ($arg_a) { proxy_pass http://a; } if ($arg_b) { set $x 1; } proxy_pass http://c; }';
    assert.equal(asked(text, 'http://h/?a=1'), 'a:80 a /?a=1');
    assert.equal(asked(text, 'http://h/?a=1&b=1'), 'c:80 c /?a=1&b=1');
  });

  test('a plus in the path is escaped where what was captured goes behind a question mark', () => {
    const text = 'location / { rewrite ^(.*)$ /q?w=$1 break; proxy_pass http://x; }';
    assert.equal(asked(text, 'http://h/a+/x.php'), 'x:80 x /q?w=/a%2B/x.php');
    assert.equal(asked(text, 'http://h/a;b'), 'x:80 x /q?w=/a;b');
    const redirect = 'rewrite ^(.*)$ https://r.example$1?w=$1 redirect;';
    assert.equal(asked(redirect, 'http://h/a+b'), '302 https://r.example/a+b?w=/a%2Bb');
  });

  test('408, 444 and 499 end the connection, wherever they come from, and no error page is asked for', () => {
    const text = `error_page 408 444 /e; location = /e { return 200 page; } location / { try_files $uri =444; }
      location /late { return 408; } location /told { return 444 word; } location /shut { try_files $uri =499; }`;
    assert.equal(asked(text, 'http://h/late'), 'reject close');
    assert.equal(asked(text, 'http://h/told'), '444 word');
    assert.match(asked(text, 'http://h/x'), /\| reject close$/);
    assert.match(asked(text, 'http://h/shut'), /\| reject close$/);
  });

  test('what NGINX answers of itself, it answers to GET and HEAD', () => {
    const text = `error_page 405 /e; location = /e { return 200 page; } location /s { stub_status; }
      location /g { empty_gif; }`;
    assert.equal(asked(text, 'http://h/s'), '200');
    assert.equal(asked(text, 'http://h/g', { method: 'HEAD' }), '200');
    assert.equal(asked(text, 'http://h/s', { method: 'OPTIONS' }), '405 page');
    assert.equal(asked(text, 'http://h/g', { method: 'POST' }), '405 page');
  });

  test('a Host header that begins with a dot is below the name with a star', () => {
    const text = 'server { return 200 first; } server { server_name *.b.example; return 200 star; }';
    assert.equal(asked(text, 'http://.b.example/'), '200 star');
    assert.equal(asked(text, 'http://b.example/'), '200 first');
  });

  test('a location that asks for its slash is named as it is written in a URL', () => {
    assert.equal(asked('location "/a b/" { proxy_pass http://x; }', 'http://h/a%20b'), '301 http://h/a%20b/');
  });

  test('a map that matches an expression takes the groups of the one before', () => {
    const text = `map $arg_m $m { ~^(.)x one; }
      server { location ~ ^/(a|b) { set $v $m; return 200 $1; } location ~ ^/c { rewrite ^/c(.*)$ /d$1 redirect; } }`;
    assert.match(asked(text, 'http://h/a'), /^200 \(/);
    assert.equal(asked(text, 'http://h/c1'), '302 http://h/d1');
  });

  test('slashes that are not merged are not guessed at', () => {
    const text = 'merge_slashes off; location /a { return 200 a; } location / { return 200 other; }';
    assert.equal(asked(text, 'http://h/a'), '200 a');
    assert.match(asked(text, 'http://h//a'), /^unknown complex/);
  });

  test('each share of split_clients goes through the locations by itself', () => {
    const text = `split_clients $remote_addr $v { 10% /a; * /b; }
      server { if ($v = /a) { return 200 a; } location / { return 200 b; } location /x { return 200 $v; } }`;
    assert.equal(asked(text, 'http://h/x'), '1000 200 a, 9000 200 /b');
  });

  test('a folder that is not there is no folder without an index', () => {
    const text =
      'root /r; error_page 403 =302 http://e.example/; location / { } location ~ x$ { return 200 x; }';
    assert.match(asked(text, 'http://h/'), /302 http:\/\/e.example\/.*file \/r\/|file \/r\/.*302/);
  });

  test('an empty X-Forwarded-For is one, to which the address is added', () => {
    const text = 'location / { return 200 "$proxy_add_x_forwarded_for"; }';
    assert.equal(asked(text, 'http://h/', { headers: { 'x-forwarded-for': '' } }), '200 , 127.0.0.1');
    assert.equal(asked(text, 'http://h/'), '200 127.0.0.1');
  });
});
