import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asked, lifted, wayOf } from './asked.ts';

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

  test('what a subrequest sets on its way is set for the request, too', () => {
    const served = (more: string, rest = '') =>
      asked(
        `${rest} location = /auth { set $on sub; return 204; }
        location ~ ^/(?<first>[a-z]+)/(?<second>.*)$ { ${more} auth_request /auth; proxy_pass http://x/$first/$on; }`,
        'http://h/a/b',
      )
        .split(' | ')
        .filter((way) => way.startsWith('x:80'));
    assert.deepEqual(served('set $on own;'), ['x:80 x (auth_request /auth: $on behind it)']);
    assert.deepEqual(served('set $on sub;'), ['x:80 x /a/sub']);
    assert.deepEqual(
      asked(
        'location ~ ^/(?<first>[a-z]+)/ { auth_request /u/; proxy_pass http://x/$first; }',
        'http://h/a/b',
      )
        .split(' | ')
        .filter((way) => way.startsWith('x:80')),
      ['x:80 x (auth_request /u/: $first behind it)'],
    );
  });

  test('the root of a text that names none is not known', () => {
    const text = 'location / { if ($document_root ~ ^html) { return 200 html; } return 200 other; }';
    assert.equal(asked(text, 'http://h/'), '200 html | 200 other');
  });

  test('behind the question mark of a redirect, what was escaped stays so', () => {
    const text = 'location / { rewrite ^/([^/]+)/ https://r.example/$1?w=$1 permanent; }';
    assert.equal(asked(text, 'http://h/a%3Bb%20c/'), '301 https://r.example/a;b%20c?w=a%3Bb%20c');
  });

  test('a rewrite to nothing is 500', () => {
    for (const flag of ['last', 'break', ''])
      assert.equal(
        asked(`location /api { rewrite ^/api(.*)$ $1 ${flag}; proxy_pass http://x; }`, 'http://h/api'),
        '500',
      );
  });

  test('what an expression took of a whole address has its query behind the mark', () => {
    const text = 'location / { if ($request_uri ~* "/api/(.*)") { proxy_pass http://x/$1; } }';
    assert.equal(asked(text, 'http://h/api/a?b=c'), 'x:80 x /a?b=c');
    assert.equal(asked(text, 'http://h/api/a'), 'x:80 x /a');
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

  test('a file that a condition asks for is asked for by what its words come to', () => {
    const text = `root /r; location / { if (!-f $request_filename) { rewrite ^ /b last; } return 200 "$uri is there"; }
      location = /b { return 200 b; }`;
    assert.equal(asked(text, 'http://h/a'), '200 /a is there | 200 b');
    const twice =
      'root /r; if (!-f $request_filename) { rewrite ^ /b; } if (-f $request_filename) { return 200 $uri; }';
    assert.match(asked(twice, 'http://h/a'), /200 \/b/);
  });

  test('error_page speaks of 400 too, before the request is read', () => {
    const text = 'error_page 400 http://e.example/; location / { return 200 ok; }';
    assert.equal(asked(text, 'http://h/', { method: 'get' }), '302 http://e.example/');
    assert.match(asked('error_page 400 /e; return 200 ok;', 'http://a..b/'), /^unknown complex: error_page/);
    assert.equal(asked('return 200 ok;', 'http://a..b/'), '400');
  });

  test('error_page speaks of redirects too', () => {
    const text =
      'error_page 301 =307 https://s.example$request_uri; location /a { return 301 /b; } location / { }';
    assert.equal(asked(text, 'http://h/a?x=1'), '307 https://s.example/a?x=1');
    assert.match(asked(text, 'http://h/folder'), /307 https:\/\/s.example\/folder/);
    assert.doesNotMatch(asked(text, 'http://h/folder/'), /307/);
    const within = 'error_page 403 /e; location = /e { return 302; } location / { return 403; }';
    assert.equal(asked(within, 'http://h/a'), '302');
  });

  test('mp4 and flv are files, with their error pages, for GET and HEAD', () => {
    const text = 'root /r; error_page 404 =503 http://e.example/; location / { mp4; }';
    assert.match(asked(text, 'http://h/a'), /302 http:\/\/e.example\//);
    assert.equal(asked(text, 'http://h/a', { method: 'POST' }), '405');
  });

  test('two Host lines of proxy_set_header are both sent', () => {
    const text = 'location / { proxy_set_header Host a; proxy_set_header Host b; proxy_pass http://x; }';
    assert.equal(asked(text, 'http://h/'), 'x:80 a, b /');
  });

  test('the port that goes without saying is not said to the server', () => {
    assert.equal(asked('location / { proxy_pass http://x:80; }', 'http://h/'), 'x:80 x /');
    assert.equal(asked('location / { proxy_pass http://x:443; }', 'http://h/'), 'x:443 x:443 /');
    assert.equal(asked('location / { proxy_pass https://x:443; }', 'http://h/'), 'x:443 x /');
  });

  test('setting $args, the URI as it came is sent no more', () => {
    const text = 'set $args ""; location / { proxy_pass http://x; }';
    assert.equal(asked(text, 'http://h//a%41?q=1'), 'x:80 x /aA');
    const sometimes = 'if ($arg_q) { set $args "n=1"; } location / { proxy_pass http://x; }';
    assert.equal(asked(sometimes, 'http://h//a?q=1'), 'x:80 x /a?n=1');
    assert.equal(asked(sometimes, 'http://h//a?z=1'), 'x:80 x //a?z=1');
  });

  test('try_files below an alias of an expression: what is tried is behind the alias', () => {
    const text = 'location ~ ^/x(.*) { alias /r; try_files /there.txt =503; }';
    assert.equal(asked(text, 'http://h/x'), 'file /r/there.txt | 503');
  });

  test('the last word of try_files below an alias loses the name of its location where it has variables', () => {
    const text = `location /api { alias /r; try_files $uri /api/x?t=$arg_q; } location /x { return 200 "x $arg_t"; }`;
    assert.match(asked(text, 'http://h/api/a?q=1'), /\| 200 x 1$/);
    const plain = 'location /api { alias /r; try_files $uri /api/x; } location = /api/x { return 200 api; }';
    assert.match(asked(plain, 'http://h/api/a'), /\| 200 api$/);
  });

  test('folders have an index for GET, HEAD and POST alone', () => {
    const text = 'root /r; index a; location / { } location = /a { return 301 /led; }';
    assert.match(asked(text, 'http://h/'), /301/);
    assert.equal(asked(text, 'http://h/', { method: 'PROPFIND' }), 'file /r/');
  });

  test('what a redirect by rewrite takes from variables is undone, too, up to the question mark', () => {
    const text = 'rewrite ^ https://$host$request_uri? permanent;';
    assert.equal(asked(text, 'http://h/a%41%20%2f?b=%41'), '301 https://h/aA%20/?b=%41');
    assert.equal(asked('return 301 https://$host$request_uri;', 'http://h/a%41'), '301 https://h/a%41');
  });

  test('expressions of a map are not held against what is empty', () => {
    const text = 'map $arg_q $m { ~^$ empty; ~.* some; default none; } server { return 200 $m; }';
    assert.equal(asked(text, 'http://h/'), '200 none');
    assert.equal(asked(text, 'http://h/?q=1'), '200 some');
  });

  test('a map of hosts leaves out the dot at their end', () => {
    const text = `map $http_x $m { hostnames; a.example a; *.b.example b; ~^(.*)\\.c$ $1; default none; }
      server { return 200 $m; }`;
    const of = (x: string) => asked(text, 'http://h/', { headers: { x } });
    assert.equal(of('A.example.'), '200 a');
    assert.equal(of('sub.b.example.'), '200 b');
    assert.equal(of('x.c.'), '200 x');
  });

  test('geo: the last word about a network counts, what is deleted is gone, ranges lie within each other', () => {
    const from = (text: string, sourceAddress: string) => asked(text, 'http://h/', { sourceAddress });
    const text = `geo $g { default a; 0.0.0.0/0 b; 10.0.0.0/8 c; 10.1.1.1/8 d; 10.2.0.0/16 e; delete 10.2.0.0/16; }
      server { return 200 $g; }`;
    assert.equal(from(text, '1.1.1.1'), '200 b');
    assert.equal(from(text, '10.2.0.1'), '200 d');
    const ranges = `geo $g { ranges; default a; 10.0.0.0-10.1.1.1 b; 10.0.0.5-10.0.0.6 c; } server { return 200 $g; }`;
    assert.equal(from(ranges, '10.0.0.6'), '200 c');
    assert.equal(from(ranges, '10.1.1.1'), '200 b');
    assert.equal(from(ranges, '10.1.1.2'), '200 a');
  });

  test('the address that a proxy tells is one, or the connection has the last word', () => {
    const text = `set_real_ip_from 127.0.0.0/8; real_ip_header X-Forwarded-For; return 200 $remote_addr;`;
    const told = (value: string) => asked(text, 'http://h/', { headers: { 'x-forwarded-for': value } });
    assert.equal(told('10.1.1.1, 10.2.2.2'), '200 10.2.2.2');
    assert.equal(told('10.2.2.2:8080'), '200 10.2.2.2');
    assert.equal(told('unknown'), '200 127.0.0.1');
    assert.equal(told(',10.1.1.1'), '200 127.0.0.1');
    assert.match(told('010.1.1.1'), /^200 \(/);
  });

  test('proxy_pass by the scheme of the request', () => {
    const text = 'location / { proxy_pass $scheme://x; }';
    assert.equal(asked(text, 'http://h/a'), 'x:80 x /a');
  });

  test('a Host header that no client means is not guessed at, one with a brace is a name', () => {
    const text = 'server { return 200 other; } server { server_name a; return 200 a; }';
    for (const host of ['[', 'a.:8.0', '[::1]x', 'a%41'])
      assert.match(asked(text, 'http://h/', { host }), /^unknown complex/);
    for (const host of ['{', 'a{b}', '[::1]:80'])
      assert.equal(asked(text, 'http://h/', { host }), '200 other');
  });

  test('a rewrite that leaves no URI ends in 500', () => {
    const text = 'location / { rewrite ^/a(.*)$ $1 break; proxy_pass http://x; }';
    assert.equal(asked(text, 'http://h/a'), '500');
    assert.equal(asked(text, 'http://h/a/b'), 'x:80 x /b');
    const sure = lifted('location / { rewrite ^/a(/.*)$ $1 break; proxy_pass http://x; }');
    assert.doesNotMatch(JSON.stringify(sure.listeners), /"status":500/);
  });

  test('a page of another status than files have is told where a file is not there, a folder has no index', () => {
    const text = 'root /r; error_page 403 404 =503 /e; location = /e { root /r; } location / { }';
    assert.match(asked(text, 'http://h/x'), /503/);
    assert.match(asked(text, 'http://h/'), /503/);
    assert.equal(asked('root /r; error_page 404 /e; location / { }', 'http://h/x'), 'file /r/x');
  });

  test('files of an error page refuse other methods, too', () => {
    const text = 'root /r; error_page 403 @f; location @f { } location / { limit_except GET { deny all; } }';
    assert.equal(asked(text, 'http://h/', { method: 'OPTIONS' }), '405');
    assert.match(asked(text, 'http://h/', { method: 'POST' }), /^403/);
  });

  test('auth_basic without a file asks for nothing', () => {
    assert.equal(
      asked('location / { satisfy any; deny all; auth_basic x; return 200 in; }', 'http://h/'),
      '200 in',
    );
    const text = 'location / { satisfy any; deny all; auth_basic x; proxy_pass http://x; }';
    assert.equal(asked(text, 'http://h/'), '403');
  });

  test('an expression of server_name with a capital letter takes any case', () => {
    const text = 'server { return 200 other; } server { server_name ~^API-(?<n>\\d+)\\.; return 200 $n; }';
    assert.equal(asked(text, 'http://api-7.example/'), '200 7');
  });

  test('what NGINX answers of itself has the status of the error page that it is', () => {
    const text = 'error_page 403 =302 @f; location @f { empty_gif; } location / { return 403; }';
    assert.equal(asked(text, 'http://h/'), '302');
    assert.equal(
      asked('error_page 403 = @f; location @f { empty_gif; } location / { return 403; }', 'http://h/'),
      '200',
    );
  });

  test('what try_files has found is no folder: its name leads to no index', () => {
    const text = `root /r; location ~ ^/home/(?<file>.*)$ { try_files /$file =404; } location ~ ^/x(?<rest>.*)$ { try_files $rest /x; }
      location ~ ^/y(?<other>.*)$ { try_files /a/$other $other @f; } location @f { return 503; }`;
    const started = performance.now();
    assert.equal(asked(text, 'http://h/home/a'), 'file /r/a | 404');
    assert.equal(asked(text, 'http://h/y/a'), 'file /r/a//a | file /r/a | 503');
    assert.ok(performance.now() - started < 20_000);
  });

  test('a question mark divides where try_files and error_page lead, wherever it comes from', () => {
    const text =
      'root /r; location / { try_files $uri /i$request_uri; } location /i/ { return 200 "$uri $args"; }';
    assert.match(asked(text, 'http://h/a?b=1'), /200 \/i\/a b=1$/);
    assert.match(asked(text, 'http://h/a'), /200 \/i\/a $/);
    const page = 'error_page 404 /e$uri; location /e { return 200 "$uri $args"; } location / { return 404; }';
    assert.equal(asked(page, 'http://h/a'), '404 /e/a ');
    assert.match(asked(page, 'http://h/a%3Fb'), /^unknown complex/);
  });

  test('a question mark right behind an address stands without a slash where no variable is', () => {
    assert.equal(asked('location /mark { proxy_pass http://x?; }', 'http://h/mark'), 'x:80 x ?');
    assert.equal(
      asked('location /mark { proxy_pass http://x?z=$arg_q; }', 'http://h/mark?q=1'),
      'x:80 x /?z=1',
    );
  });

  test('what a map makes is worked out once, whatever becomes of the URI; a volatile one each time', () => {
    const text = (flags: string) => `map $uri $m { ${flags} /a A; /b B; default D; }
      server { location /a { if ($m = A) { rewrite ^ /b last; } } location /b { return 200 $m; }
        location /c { if ($arg_x) { set $v $m; } rewrite ^ /b last; } }`;
    assert.equal(asked(text(''), 'http://h/a'), '200 A');
    assert.equal(asked(text('volatile;'), 'http://h/a'), '200 B');
    assert.equal(asked(text(''), 'http://h/b'), '200 B');
  });

  test('a map within a map is worked out where its line is taken', () => {
    const text = `map $uri $in { /a A; default D; } map $arg_q $out { yes $in; default none; }
      server { location /a { if ($out = x) { return 403; } rewrite ^ /b last; } location /b { return 200 $in; } }`;
    assert.match(asked(text, 'http://h/a'), /^200 \(\$in as it was asked for first\)$/);
    const surely = text.replace('yes $in; default none', 'default $in');
    assert.match(asked(surely, 'http://h/a'), /as it was asked for first/);
  });

  test("the address of the client is the connection's until a location's real_ip is at work, and kept as it was asked for first", () => {
    const text = (asks: string) => `location /r { set_real_ip_from 127.0.0.0/8; real_ip_header X-A; ${asks}
      proxy_set_header X-See $remote_addr; proxy_pass http://x; }`;
    const seen = (asks: string) =>
      wayOf(text(asks), 'http://h/r', { headers: { 'x-a': '10.1.2.3' } }).headers['x-see'];
    assert.equal(seen(''), '10.1.2.3');
    assert.equal(seen('if ($remote_addr = 10.1.2.3) { return 403; }'), '127.0.0.1');
    assert.equal(seen('if ($realip_remote_addr = 10.1.2.3) { return 403; }'), '10.1.2.3');
  });

  test('what makes the content of a location makes that of its limit_except only where it passes on', () => {
    const text = (content: string) =>
      `location / { root /r; limit_except PUT { deny 10.0.0.0/8; } ${content}; }`;
    assert.equal(asked(text('stub_status'), 'http://h/a'), 'file /r/a');
    assert.equal(asked(text('proxy_pass http://x'), 'http://h/a'), 'x:80 x /a');
  });

  test('what the error page of a file that takes no such method is', () => {
    const text = `root /r; error_page 405 = /there; location / { }`;
    assert.equal(asked(text, 'http://h/e', { method: 'PUT' }), 'file /r/there');
    assert.equal(asked(text, 'http://h/e', { method: 'POST' }), 'file /r/there | file /r/e');
  });

  test('a folder that is none is 500, and so is an alias of a URI that was rewritten', () => {
    const text = `error_page 500 /e; location /e { return 418; } location = / { alias /r/there; }
      location /a/ { alias /r/; rewrite ^ /b break; }`;
    assert.match(asked(text, 'http://h/'), /418/);
    assert.equal(asked(text, 'http://h/a/'), '418');
    assert.match(asked(text, 'http://h/a/', { method: 'PUT' }), /^file/);
  });

  test('an absolute index is gone to, there or not', () => {
    assert.equal(asked('root /r; index /led; location = /led { return 418; }', 'http://h/'), '418');
  });

  test('who speaks no TLS where it is spoken gets 400, or the page of 497 of the server that is meant', () => {
    const text = `server { listen 443 ssl; server_name a; return 200 a; }
      server { listen 443 ssl; server_name b; error_page 497 =301 https://$host$request_uri; return 200 b; }
      server { listen 443 ssl; server_name c; error_page 497 /x; location = /x { return 200 x; } }
      server { listen 443 ssl; server_name d; ssl_reject_handshake on; }`;
    const plain = (host: string) => asked(text, `http://${host}/y?q`, { port: 443 });
    assert.equal(plain('a'), '400');
    assert.equal(plain('b'), '301 https://b/y?q');
    assert.equal(plain('c'), '400 x');
    assert.equal(plain('d'), '400');
    assert.equal(asked(text, 'https://d/'), 'reject close');
  });

  test('with a slash at its end it is no file, whatever the alias', () => {
    const text =
      'location ~ ^/(a+)/? { alias /r/$1; } location /b/ { alias /r/b/; } location /c/ { alias /r/c; }';
    assert.match(asked(text, 'http://h/a/'), /file \/r\/a\/$/);
    assert.equal(asked(text, 'http://h/a'), 'file /r/a');
    assert.match(asked(text, 'http://h/b/'), /file \/r\/b\/$/);
    assert.match(asked(text, 'http://h/c/'), /file \/r\/c\/$/);
    assert.match(asked(text, 'http://h/c/d/'), /file \/r\/cd\/$/);
  });

  test('only a folder that is there may not be listed', () => {
    const text = 'location = / { error_page 403 =200 /no; alias /r/there; } location / { return 418; }';
    assert.match(asked(text, 'http://h/'), /file/);
  });

  test('the only server of an address takes the groups of its name all the same', () => {
    const text = 'server_name ~^(www\\.)?a\\.; return 302 "http://x/$1-$2";';
    assert.equal(asked(text, 'http://www.a.x/'), '302 http://x/www.-');
    assert.equal(asked(text, 'http://a.x/'), '302 http://x/-');
  });

  test('a file that try_files found by an alias for a URI with a slash at its end is 500', () => {
    const text = (way: string) => `error_page 500 /e; location = /e { return 418; }
      location ${way} { alias /r/there; try_files $uri =404; }`;
    assert.doesNotMatch(asked(text('= /'), 'http://h/'), /file/);
    assert.doesNotMatch(asked(text('/c/'), 'http://h/c/'), /file/);
    assert.match(asked(text('= /a'), 'http://h/a'), /file \/r\/there/);
  });

  test('a group in one of two ways may take nothing, and a rewrite to it is 500', () => {
    const text = 'location / { rewrite "x.(a)|b" $1 last; return 204; }';
    assert.match(asked(text, 'http://h/b'), /500/);
  });

  test('a class that begins with a bracket, and a character by its number in braces, are read as NGINX reads them', () => {
    const text = (word: string, source: string) =>
      asked(`set $x "${word}"; if ($x ~ "${source}") { return 200 yes; } return 200 no;`, 'http://h/');
    assert.equal(text(']', '^[]a]$'), '200 yes');
    assert.equal(text('b', '^[]a]$'), '200 no');
    assert.equal(text(']', '^[^]a]$'), '200 no');
    assert.equal(text('b', '^[^]a]$'), '200 yes');
    assert.equal(text('a', '^\\x{61}$'), '200 yes');
    assert.equal(text('[]', '^\\[]$'), '200 yes');
  });
});
