import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { liftOwn, meaningOfSite, readSite } from '#dialects';
import { explain, linesOf, planOf, witnessText } from '#plan';
import { meaning } from '#routing';

const files = { find: () => [], read: () => null, environment: () => null };
const haproxy = (text: string) => liftOwn({ file: 'a.cfg', folder: '/', text }, 'haproxy', files);
const nginx = (text: string) => liftOwn({ file: 'a.conf', folder: '/', text }, 'nginx', files);
const site = (text: string) => {
  const { site: read } = readSite({ file: 'site.yaml', folder: '/', text });
  assert.ok(read);
  return meaningOfSite(read);
};

/** Of each difference its request and its class, in words. */
function told(before: meaning.Meaning, after: meaning.Meaning): readonly (readonly [string, string])[] {
  const as = (text: meaning.Meaning) => ({ file: 'a', dialect: 'site' as const, meaning: text });
  const { differences } = planOf(as(before), as(after), { traffic: null, policies: [] });
  return differences.map(({ witness, requests }) => [witnessText(witness), requests]);
}

const shop = (rules: string, more = '') =>
  haproxy(`frontend www
  mode http
  bind :80
  acl shop hdr(host) -i shop.example www.shop.example
${rules}
  use_backend shop if shop
  default_backend web
backend web
  mode http
  server w 10.0.0.1:80
backend shop
  mode http
  server s 10.0.0.2:80
backend chat
  mode http
  server c 10.0.0.3:80
${more}`);

describe('the class of requests, of a haproxy.cfg', () => {
  it('hosts are told by their names, and what is left of them is one class', () => {
    const found = told(
      shop('  use_backend chat if { path_beg /a }'),
      shop('  use_backend chat if { path_beg /b }'),
    );
    const words = (host: string, path: string) => `${host}, path begins with "${path}"`;
    assert.deepEqual(found, [
      ['GET http://www.example.com/a', words('any other host', '/a')],
      ['GET http://www.example.com/b', words('any other host', '/b')],
      ['GET http://shop.example/a', words('host is shop.example or www.shop.example', '/a')],
      ['GET http://shop.example/b', words('host is shop.example or www.shop.example', '/b')],
    ]);
  });

  it('what became narrower is told without what it still takes', () => {
    const found = told(
      shop('  use_backend chat if { path_beg /api }'),
      shop('  use_backend chat if { path_beg /api/ }'),
    );
    assert.deepEqual(found[0], [
      'GET http://www.example.com/api',
      'any other host, path begins with "/api", but not with "/api/"',
    ]);
  });

  it('a rule that is above is told where it takes some of the requests away', () => {
    const found = told(
      shop('  http-request deny if { path_beg /api/old }\n  use_backend chat if { path_beg /api }'),
      shop('  http-request deny if { path_beg /api/old }\n  use_backend web if { path_beg /api }'),
    );
    assert.deepEqual(found, [
      ['GET http://shop.example/api', 'path begins with "/api", but not with "/api/old"'],
    ]);
  });

  it('an upgrade to WebSocket is asked for as clients do', () => {
    const ws = '{ hdr(Upgrade) -i websocket } { hdr(Connection) -i upgrade }';
    const [[request = '', words] = []] = told(
      shop(`  use_backend chat if ${ws}`),
      shop(`  use_backend web if ${ws}`),
    );
    assert.match(request, /-H 'upgrade: websocket' -H 'connection: upgrade'/);
    assert.match(request, /-H 'sec-websocket-version: 13' -H 'sec-websocket-key: \S+'/);
    assert.equal(
      words,
      'header upgrade has "websocket" in any case, header connection has "upgrade" in any case',
    );
  });

  it('hosts that a map leads to a pool are told by their names', () => {
    const lists = new Map([
      ['/old.map', 'shop.example shop\napi.example chat\n'],
      ['/new.map', 'shop.example chat\napi.example chat\n'],
    ]);
    const text = (map: string) =>
      liftOwn(
        {
          file: 'a.cfg',
          folder: '/',
          text: `frontend www
  mode http
  bind :80
  use_backend %[req.hdr(host),lower,map_str(${map},web)]
${['web', 'shop', 'chat'].map((name, at) => `backend ${name}\n  mode http\n  server s 10.0.0.${at}:80\n`).join('')}`,
        },
        'haproxy',
        { ...files, read: (path: string) => lists.get(path) ?? null },
      );
    const found = told(text('/old.map'), text('/new.map'));
    assert.equal(found[0]?.[0], 'GET http://shop.example/');
    assert.match(found[0]?.[1] ?? '', /^host is shop\.example/);
  });

  it('networks that are taken out are told', () => {
    const deny = (network: string) => shop(`  http-request deny unless { src ${network} }`);
    const words = told(deny('10.0.0.0/8'), deny('10.1.0.0/16')).map(([, requests]) => requests);
    assert.ok(words.includes('any other host, from 10.0.0.0/8, but not from 10.1.0.0/16'), words.join('\n'));
  });
});

describe('the class of requests, of an nginx.conf', () => {
  const text = (location: string) =>
    nginx(`http {
  server { listen 80 default_server; return 404; }
  server {
    listen 80;
    server_name shop.example;
    root /var/www/html;
    index index.php;
    location / { try_files $uri $uri/ /index.php?$args; }
    ${location}
  }
}`);

  it('is told by the name of the server, without what every request has', () => {
    const found = told(text('location = /a { return 204; }'), text('location = /a { return 410; }'));
    assert.deepEqual(found, [['GET http://shop.example/a', 'host is shop.example, path is "/a"']]);
  });

  it('what depends on files says which, in words', () => {
    const as = (one: meaning.Meaning) => ({ file: 'a', dialect: 'nginx' as const, meaning: one });
    const [before, after] = [text(''), text('location ~ \\.php$ { return 410; }')];
    const { differences } = planOf(as(before), as(after), { traffic: null, policies: [] });
    const unknown = differences.flatMap((one) => one.unknown);
    assert.ok(unknown.includes('the file /var/www/html{uri} is there: yes'), unknown.join('\n'));
    for (const { requests } of differences) assert.doesNotMatch(requests, /A-Z_-|index\.php" matches| -f /);
  });
});

describe('the class of requests, of a site.yaml', () => {
  const text = (path: string) =>
    site(`site: shop
listeners:
  - { name: http, address: "*:80" }
routes:
  - { name: shop, pool: web, hostnames: [shop.example, "*.shop.example"], matches: [{ path: { value: ${path} } }] }
  - { name: all, pool: api }
pools:
  - { name: web, servers: [10.0.1.1:8080] }
  - { name: api, servers: [10.0.2.1:8080] }
balancers:
  - { name: lb-1, address: 10.0.0.1 }
`);

  it('hosts are told as the site has them', () => {
    const words = told(text('/api'), text('/cart')).map(([, requests]) => requests);
    assert.deepEqual(words.toSorted(), [
      'host is *.shop.example, path is "/api" or begins with "/api/"',
      'host is *.shop.example, path is "/cart" or begins with "/cart/"',
      'host is shop.example, path is "/api" or begins with "/api/"',
      'host is shop.example, path is "/cart" or begins with "/cart/"',
    ]);
  });
});

describe('why a rule took a request or did not', () => {
  it('says what would have been needed, also of what is denied in it', () => {
    const rules = '  use_backend chat if shop { path_beg /a } !{ path_end .old }';
    const why = (path: string, host = 'shop.example') =>
      explain(shop(rules), meaning.requestOf({ path, host })).because.find(({ line }) => line === 5)?.why;
    assert.equal(why('/b'), 'needs: path begins with "/a"');
    assert.equal(why('/a.old'), 'needs: path does not end with ".old"');
    assert.equal(why('/a', 'other.example'), 'needs: host is shop.example or www.shop.example');
    assert.match(why('/a') ?? '', /path begins with "\/a" and path does not end with "\.old"$/);
  });
});

describe('an nginx.conf in other words', () => {
  const text = (name: string, page = 'return 503;') =>
    nginx(`http {
  upstream app { server 10.0.0.1:80; }
  server {
    listen 80;
    location / { proxy_pass http://app; error_page 502 ${name}; }
    location ${name} { root /srv/pages; ${page} }
  }
}`);

  it('a named location that is called otherwise is the same', () => {
    assert.deepEqual(meaning.changedSettings(text('@down'), text('@maintenance')), []);
    assert.deepEqual(told(text('@down'), text('@maintenance')), []);
  });

  it('and is not where it holds something else', () => {
    const changed = meaning.changedSettings(text('@down'), text('@maintenance', 'return 200;'));
    assert.ok(changed.some(({ after }) => after?.value === '502 @maintenance'));
  });

  it('two headers of one name are both sent', () => {
    const sent = (lines: string) =>
      explain(
        nginx(`http { server { listen 80; location / { proxy_pass http://10.0.0.1; ${lines} } } }`),
        meaning.requestOf({ query: '' }),
      ).action;
    const header = (lines: string) => {
      const action = sent(lines);
      return action.kind === 'pool' ? action.sent['header x-a'] : null;
    };
    assert.equal(header('proxy_set_header X-A one; proxy_set_header X-A two;'), 'one, two');
    assert.equal(header('proxy_set_header X-A one; proxy_set_header X-A $args;'), 'one');
    assert.equal(header('proxy_set_header X-A ""; proxy_set_header X-A two;'), 'two');
  });
});

describe('a limit', () => {
  const text = (limit: string) =>
    nginx(`http {
  limit_req_zone $binary_remote_addr zone=login:1m rate=1r/s;
  server {
    listen 80;
    location / { proxy_pass http://10.0.0.1; }
    location /login { ${limit} proxy_pass http://10.0.0.2; }
  }
}`);
  const planned = (before: string, after: string) => {
    const as = (one: string) => ({ file: 'a', dialect: 'nginx' as const, meaning: text(one) });
    return planOf(as(before), as(after), { traffic: null, policies: [] });
  };
  const same = (one: string) => one;
  const plain = { good: same, bad: same, warn: same, dim: same, bold: same };

  it('that is new is one line, and loses nobody', () => {
    const plan = planned('', 'limit_req zone=login burst=5;');
    assert.deepEqual(
      plan.differences.map(({ severity, limit }) => [severity, limit]),
      [['changed', 'now']],
    );
    const lines = linesOf(plan, plain).filter((line) => line.includes('answer 503'));
    assert.deepEqual(lines, [
      '  applies now to GET http://www.example.com/login (path begins with "/login"), over it answer 503  a.conf:6  limit_req zone=login burst=5',
    ]);
  });

  it('that is gone is one line too', () => {
    const plan = planned('limit_req zone=login burst=5;', '');
    assert.deepEqual(
      plan.differences.map(({ severity, limit }) => [severity, limit]),
      [['changed', 'no more']],
    );
  });

  it('that stands before something else hides no other change', () => {
    const plan = planned('', 'limit_req zone=login burst=5; deny all;');
    assert.ok(plan.differences.some(({ severity, limit }) => severity === 'lost' && limit === undefined));
  });

  it('of HAProxy is one as well', () => {
    const as = (rules: string) => ({ file: 'a', dialect: 'haproxy' as const, meaning: shop(rules) });
    const deny = '  http-request deny deny_status 429 if { sc_http_req_rate(0) gt 100 }';
    const { differences } = planOf(as(''), as(deny), { traffic: null, policies: [] });
    assert.ok(differences.length > 0);
    for (const { limit, severity } of differences) assert.deepEqual([limit, severity], ['now', 'changed']);
  });
});
