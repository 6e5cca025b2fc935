/** What a plan says in each of its cases: what engines cannot judge. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { liftOwn } from '#dialects';
import {
  actionText,
  actionWithSent,
  mustReadPolicies,
  requestOfWitness,
  summaryOf,
  trafficOf,
  witnessText,
  witnessView,
} from '#plan';
import { meaning } from '#routing';
import { asked, files, front, haproxy, planned, tls } from './texts.ts';

describe('what becomes of a request, in words', () => {
  const done = (rules: string, request = 'GET http://shop.example/a?b=c', more = '') => {
    const text = front(rules, more);
    const one = asked(request, text, ['X-Old: 1', 'X-Same: 2']);
    const [way] = meaning.fateOf(text, one).ways;
    assert.ok(way);
    return actionText(actionWithSent(way.fate, one));
  };
  const web = 'pool web (10.0.0.1:80, 10.0.0.2:80)';
  for (const [rules, said] of [
    ['', web],
    ['  http-request set-path /x', `${web}, told path /x`],
    ['  http-request set-path /a', web],
    ['  http-request set-query d', `${web}, told query d`],
    ['  http-request set-method PUT', `${web}, told method PUT`],
    ['  http-request set-header Host b.example', `${web}, told host b.example`],
    ['  http-request del-header X-Old', `${web}, told header x-old removed`],
    ['  http-request set-header X-Same 2', web],
    ['  http-request set-header X-New 3', `${web}, told header x-new 3`],
    ['  use_backend empty if TRUE', 'pool empty (no servers)'],
    ['  http-request deny', 'answer 403'],
    ['  http-request reject', 'connection closed without an answer'],
    ['  http-request redirect scheme https', 'redirect 302 to https://shop.example/a?b=c'],
  ] as const)
    it(`${rules.trim() || 'no rule'}: ${said}`, () => assert.equal(done(rules), said));

  it('of many servers the first are named', () => {
    const servers = (count: number) =>
      `backend many\n  mode http\n${Array.from({ length: count }, (_, at) => `  server s${at} 10.0.2.${at}:80\n`).join('')}`;
    const four = '10.0.2.0:80, 10.0.2.1:80, 10.0.2.2:80, 10.0.2.3:80';
    const of = (count: number) => done('  use_backend many if TRUE', 'GET http://a/', servers(count));
    assert.equal(of(4), `pool many (${four})`);
    assert.equal(of(6), `pool many (${four} and 2 more)`);
  });

  it('a part of the requests each: the largest share speaks for all', () => {
    const nginx = `http { split_clients $remote_addr $to { 25% one; * two; }
  upstream one { server 10.0.0.1:80; } upstream two { server 10.0.0.2:80; }
  server { listen 80; location / { proxy_pass http://$to; } } }`;
    const text = liftOwn({ file: 'a.conf', folder: '/', text: nginx }, 'nginx', files);
    const one = meaning.requestOf({ path: '/' });
    const [way] = meaning.fateOf(text, one).ways;
    assert.ok(way);
    const action = actionWithSent(way.fate, one);
    assert.equal(action.kind === 'pool' && action.pool, 'two');
    assert.match(actionText(action), /^pool \S+ one : \S+ two \(10\.0\.0\.1:80, 10\.0\.0\.2:80\)/);
  });
});

describe('a witness', () => {
  it('is told as a person would write it, and is the same request again', () => {
    for (const [request, said] of [
      [{ host: 'a.example', path: '/x', query: 'q=1' }, 'GET http://a.example/x?q=1'],
      [{ host: 'a.example', port: 8080, path: '/' }, 'GET http://a.example:8080/'],
      [{ host: 'a.example:8080', port: 8080, path: '/' }, 'GET http://a.example:8080/'],
      [{ host: 'a.example', scheme: 'https', port: 443, path: '/' }, 'GET https://a.example/'],
      [{ host: 'a.example', scheme: 'https', port: 80, path: '/' }, 'GET https://a.example:80/'],
      [{ host: 'a.example', scheme: 'http', port: 443, path: '/' }, 'GET http://a.example:443/'],
      [{ host: null, path: '/' }, 'GET http://(no host)/'],
      [{ host: 'a', path: '/', headers: { 'x-a': 'b' } }, "GET http://a/ -H 'x-a: b'"],
      [{ host: 'a', path: '/', sourceAddress: '10.1.2.3' }, 'GET http://a/ from 10.1.2.3'],
    ] as const) {
      const one = meaning.requestOf({ port: 80, ...request });
      assert.equal(witnessText(witnessView(one)), said);
      assert.deepEqual(requestOfWitness(witnessView(one)), one);
    }
  });
});

describe('the share of recent traffic', () => {
  const deny = '  http-request deny if { path_beg /cart }';
  const before = front('', tls);
  const line = (path: string, host = 'shop.example') =>
    `${host} 203.0.113.7 - - [x] "GET ${path} HTTP/1.1" 200 5 "-" "-"`;
  const traffic = (lines: readonly string[]) =>
    trafficOf(lines.join('\n'), 'access.log', { host: null, queryValues: false, requestsMax: 100 });

  it('goes by where somebody listens: a log tells no scheme, and TLS is what most speak', () => {
    const after = front('', tls.replace('  default', `${deny}\n  default`));
    const plan = planned(before, after, { traffic: traffic([line('/cart'), line('/cart'), line('/')]) });
    assert.deepEqual([plan.traffic?.moved, plan.traffic?.toOthers, plan.traffic?.unknown], [2, 2, 0]);
    const shares = plan.differences.map(({ trafficShare }) => trafficShare);
    assert.deepEqual(shares, [2 / 3]);
    const plain = '{"scheme":"http","method":"GET","path":"/cart","host":"shop.example"}';
    assert.equal(planned(before, after, { traffic: traffic([plain]) }).traffic?.moved, 0);
  });

  it('to other servers is that part that comes to one that it did not come to before', () => {
    const more = front('').pools.length;
    assert.equal(more, 3);
    const text = `${'frontend www\n  mode http\n  bind :80\n  default_backend web\n'}backend web\n  mode http\n  server w1 10.0.0.1:80\n`;
    const [one, two] = [haproxy(text), haproxy(`${text}  server w2 10.0.0.2:80\n`)];
    const to = (a: meaning.Meaning, b: meaning.Meaning) =>
      planned(a, b, { traffic: traffic([line('/'), line('/b')]) }).traffic;
    assert.deepEqual([to(one, two)?.moved, to(one, two)?.toOthers], [2, 1]);
    assert.deepEqual([to(two, one)?.moved, to(two, one)?.toOthers], [2, 0]);
    const none = haproxy(text.replace('  server w1 10.0.0.1:80\n', ''));
    assert.deepEqual([to(one, none)?.moved, to(one, none)?.toOthers], [2, 2]);
  });

  it('what a log or a text does not say is not known', () => {
    const unnamed = '203.0.113.7 - - [x] "GET / HTTP/1.1" 200 5';
    const after = front(deny, tls);
    assert.equal(planned(before, after, { traffic: traffic([unnamed, line('/')]) }).traffic?.unknown, 1);
    const busy = front('  use_backend api if { nbsrv(web) lt 1 }');
    assert.equal(planned(busy, front(deny), { traffic: traffic([line('/')]) }).traffic?.unknown, 1);
    assert.equal(planned(front(deny), busy, { traffic: traffic([line('/')]) }).traffic?.unknown, 1);
    const [first] = planned(before, after, { traffic: traffic([]) }).differences;
    assert.equal(first?.trafficShare, 0);
  });
});

describe('the risk of a change', () => {
  const shut = '  http-request deny if { path_beg /a }';
  const log = (moved: number, of: number) =>
    trafficOf(
      Array.from(
        { length: of },
        (_, at) => `a.test 10.0.0.1 - - "GET ${at < moved ? '/b' : '/c'} HTTP/1.1" 200 1`,
      ).join('\n'),
      'log',
      { host: null, queryValues: false, requestsMax: 1_000 },
    );
  const moving = front('  use_backend api if { path_beg /b }');
  for (const [what, plan, level, because] of [
    ['nothing', planned(front(''), front('')), 'none', []],
    ['lost requests', planned(front(''), front(shut)), 'high', ['1 class of requests lost']],
    [
      'two classes of lost requests',
      planned(
        front('  use_backend api if { hdr(x) a }'),
        front(`${shut}\n  use_backend api if { hdr(x) a }`),
      ),
      'high',
      ['2 classes of requests lost'],
    ],
    [
      'requests that were refused',
      planned(front(shut), front('')),
      'medium',
      ['1 class of requests let in that were refused'],
    ],
    [
      'requests that were not served',
      planned(front('  use_backend empty if { path_beg /a }'), front('')),
      'low',
      ['requests are served that were not'],
    ],
    ['moved requests', planned(front(''), moving), 'medium', ['1 class of requests treated differently']],
    [
      'moved requests beside some that were not served',
      planned(front('  use_backend empty if { path_beg /a }'), front('  use_backend api if { path_beg /b }')),
      'medium',
      ['2 classes of requests treated differently'],
    ],
    [
      'moved traffic',
      planned(front(''), moving, { traffic: log(21, 100) }),
      'high',
      ['21 % of recent traffic is treated differently'],
    ],
    [
      'a fifth of traffic and no more',
      planned(front(''), moving, { traffic: log(20, 100) }),
      'medium',
      ['1 class of requests treated differently'],
    ],
    [
      'a setting',
      planned(haproxy('global\n  maxconn 1\n'), haproxy('global\n  maxconn 2\n')),
      'low',
      ['only settings change'],
    ],
    [
      'what is not known',
      planned(front(''), front('  use_backend api if { some.new.fetch 1 }')),
      'high',
      ['1 difference depends on what is not known'],
    ],
  ] as const)
    it(`${what}: ${level}`, () => {
      assert.deepEqual([plan.risk.level, plan.risk.because], [level, because]);
    });

  it('approvals are asked for what is touched, from a risk on where one is named', () => {
    const policies = (text: string) => [
      mustReadPolicies(`policies:\n  - { name: p, ${text} }\n`, 'policy.yaml'),
    ];
    const approvals = (text: string, plan: readonly [meaning.Meaning, meaning.Meaning]) =>
      planned(plan[0], plan[1], { policies: policies(text) }).risk.approvals;
    const medium = [front(''), moving] as const;
    const one = { count: 1, because: ['p (an approval)'] };
    const none = { count: 0, because: [] };
    assert.deepEqual(approvals('approvals: 1', medium), one);
    assert.deepEqual(approvals('approvals: 1, risk: medium', medium), one);
    assert.deepEqual(approvals('approvals: 1, risk: low', medium), one);
    assert.deepEqual(approvals('approvals: 1, risk: high', medium), none);
    assert.deepEqual(approvals('approvals: 1, requests: { path: { value: /b } }', medium), one);
    assert.deepEqual(approvals('approvals: 1, requests: { path: { value: /c } }', medium), none);
    assert.deepEqual(approvals('approvals: 1, risk: low, requests: { path: { value: /c } }', medium), none);
    assert.deepEqual(approvals('approvals: 1, requests: { methods: [GET] }', medium), one);
    assert.deepEqual(approvals('approvals: 1, requests: { from: [10.0.0.0/8] }', medium), one);
    assert.deepEqual(approvals('approvals: 1, requests: { scheme: https }', medium), none);
    assert.deepEqual(approvals('approvals: 1, requests: { hostnames: [a.test] }', medium), one);
  });
});

describe('redirects that are followed', () => {
  const loops = (rules: string, more = '') =>
    planned(front('', more), front(rules, more))
      .findings.filter(({ kind }) => kind === 'redirect loop')
      .map(({ message }) => message.replace(/^.* in a circle: /, ''));
  const to = (location: string, when: string) =>
    `  http-request redirect location ${location} if { path ${when} }`;
  for (const [what, rules, more, found] of [
    ['to itself', to('/a', '/a'), '', ['/a']],
    ['to somebody else', to('/b', '/a'), '', []],
    ['of two', `${to('/b', '/a')}\n${to('/a', '/b')}`, '', ['/b -> /a', '/a -> /b']],
    ['to another host', to('http://b.test/a', '/a'), '', ['http://b.test/a']],
    ['to TLS, which is another listener', to('https://b.test/a', '/a'), tls, []],
    ['to a port where nobody listens', to('http://b.test:81/a', '/a'), '', []],
    ['to what is no address', to('http://[b/', '/a'), '', []],
    ['with a query', `${to('/a?x=1', '/a')} !{ query x=1 }`, '', []],
  ] as const)
    it(what, () => assert.deepEqual(loops(rules, more).toSorted(), found.toSorted()));
});

describe('servers and settings that change', () => {
  const text = (servers: string) =>
    haproxy(`listen web\n  mode http\n  bind :80\n  server a 10.0.0.1:80\n${servers}`);
  const changes = (before: string, after: string) =>
    planned(text(before), text(after)).differences.map(({ servers }) => servers);
  const b = '  server b 10.0.0.2:80';
  for (const [before, after, told] of [
    [b, `${b} weight 5`, '10.0.0.2:80 weight 1 -> 5'],
    [b, `${b} backup`, '10.0.0.2:80 becomes a spare one'],
    [`${b} backup`, b, '10.0.0.2:80 is no spare one any more'],
    [b, `${b} disabled`, '10.0.0.2:80 is disabled'],
    [`${b} disabled`, b, '10.0.0.2:80 is enabled'],
    [b, '', '10.0.0.2:80 is gone'],
    ['', b, '10.0.0.2:80 is new'],
  ] as const)
    it(told, () => assert.deepEqual(changes(before, after), [[told]]));

  it('one line for many is one change, each scope has its name', () => {
    const of = (line: string, server = '') =>
      haproxy(
        `global\n  maxconn 5\ndefaults\n  mode http\n  ${line}\nlisten one\n  bind :80\n  server s 10.0.0.1:80${server}\nlisten two\n  bind :81\n  server s 10.0.0.2:80\n`,
      );
    const told = (before: meaning.Meaning, after: meaning.Meaning) =>
      planned(before, after).settings.map(({ scope, name, before: was, after: is }) => [
        scope,
        name,
        was,
        is,
      ]);
    assert.deepEqual(told(of('timeout client 1s'), of('timeout client 2s')), [
      ['listener one *:80 and 1 more', 'timeout client', '1000 ms', '2000 ms'],
    ]);
    assert.deepEqual(told(of('timeout server 1s'), of('')), [
      ['pool one and 1 more', 'timeout server', '1000 ms', null],
    ]);
    assert.deepEqual(told(of(''), of('', ' maxconn 3')), [
      ['server 10.0.0.1:80 of one', 'maxconn', null, '3'],
    ]);
    const [only] = told(haproxy('global\n  maxconn 1\n'), haproxy('global\n  maxconn 2\n'));
    assert.deepEqual(only, ['everything', 'maxconn', '1', '2']);
  });
});

describe('the summary', () => {
  const none = planned(front(''), front(''));
  const one = planned(front(''), front('  use_backend api if { path /a }'));
  const [difference] = one.differences;
  const share = (moved: number, requests: number) => ({
    ...one,
    traffic: { source: 'l', requests, unread: 0, moved, unknown: 0, toOthers: 0 },
  });
  it('counts, and rounds to what is true', () => {
    assert.ok(difference);
    assert.equal(summaryOf(one), '1 class of requests is treated differently');
    const many = (length: number) => Array.from({ length }, () => difference);
    assert.match(summaryOf({ ...one, differences: many(1_234) }), /^1,234 classes of requests are treated/);
    assert.match(summaryOf({ ...one, differences: many(999) }), /^999 classes/);
    for (const [moved, said] of [
      [0, '0 %'],
      [1, 'under 0.1 %'],
      [10, '0.1 %'],
      [123, '1.2 %'],
      [1_234, '12.3 %'],
      [9_995, 'over 99.9 %'],
      [9_990, '99.9 %'],
      [10_000, '100 %'],
    ] as const)
      assert.ok(
        summaryOf(share(moved, 10_000)).endsWith(`, ${said} of recent traffic`),
        summaryOf(share(moved, 10_000)),
      );
    assert.ok(!summaryOf({ ...share(1, 2), differences: [] }).includes('traffic'));
  });

  it('tells settings and policies, one and several', () => {
    const setting = { file: 'a', line: 1, name: 'n', scope: 's', before: null, after: '1' };
    const policy = {
      ...{ policy: 'p', held: false, exact: true, witness: null, message: 'm' },
      place: front('').pools[0]?.place ?? { file: 'a', line: 1, column: 1 },
    };
    assert.match(summaryOf({ ...none, settings: [setting] }), /, 1 setting changes$/);
    assert.match(summaryOf({ ...none, settings: [setting, setting] }), /, 2 settings change$/);
    assert.match(summaryOf({ ...none, policies: [policy] }), /, 1 policy does not hold$/);
    assert.match(summaryOf({ ...none, policies: [policy, policy] }), /, 2 policies do not hold$/);
    assert.equal(
      summaryOf({ ...none, policies: [{ ...policy, held: true }] }),
      'no request is treated differently',
    );
  });
});
