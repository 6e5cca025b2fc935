import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PlanView } from '#contract';
import { liftOwn } from '#dialects';
import {
  actionText,
  markdownOf,
  mustReadPolicies,
  type PlannedMeaning,
  type PlanOptions,
  planOf,
  summaryOf,
  trafficOf,
  witnessText,
} from '#plan';

const before = `defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend www
  bind :80
  acl cart path_beg /cart
  use_backend cart if cart
  use_backend api if { hdr(host) -i api.example }
  default_backend web
backend web
  server w1 10.0.0.1:80
  server w2 10.0.0.2:80
backend cart
  server c1 10.0.1.1:80
backend api
  server a1 10.0.2.1:80
`;

const files = { find: () => [], read: () => null, environment: () => null };
const lifted = (text: string, file: string): PlannedMeaning => ({
  file,
  dialect: 'haproxy',
  meaning: liftOwn({ file, folder: '/', text }, 'haproxy', files),
});
const planned = (after: string, options: Partial<PlanOptions> = {}): PlanView =>
  planOf(lifted(before, 'a.cfg'), lifted(after, 'b.cfg'), { traffic: null, policies: [], ...options });
const told = ({ differences }: PlanView) =>
  differences.map(({ witness, before: was, after: is }) => [
    witnessText(witness),
    actionText(was),
    actionText(is),
  ]);

const web = 'pool web (10.0.0.1:80, 10.0.0.2:80)';
const cart = 'pool cart (10.0.1.1:80)';
const api = 'pool api (10.0.2.1:80)';

describe('a plan', () => {
  it('pools of the same servers that are renamed keep their own settings; two without servers are alike', () => {
    const text = `${before}backend fast
  timeout server 1s
  server s 10.0.3.1:80 check
backend slow
  timeout server 90s
  server s 10.0.3.1:80
backend nobody
`;
    const renamed = text.replace('fast', 'one').replace('slow', 'two').replace('nobody', 'none');
    const plan = planOf(lifted(text, 'a.cfg'), lifted(renamed, 'b.cfg'), { traffic: null, policies: [] });
    assert.deepEqual([plan.settings, plan.same], [[], true]);
    const swapped = renamed.replace('1s', '2s');
    const other = planOf(lifted(text, 'a.cfg'), lifted(swapped, 'b.cfg'), { traffic: null, policies: [] });
    assert.deepEqual(
      other.settings.map(({ name, before: was, after: is }) => [name, was, is]),
      [['timeout server', '1000 ms', '2000 ms']],
    );
  });

  it('a host that falls to the default is told where others do not, once', () => {
    const hosts = ['one', 'two', 'three'].map(
      (name) => `  use_backend api if { hdr(host) -i ${name}.example }\n`,
    );
    const all = before.replace('  use_backend api', () => `${hosts.join('')}  use_backend api`);
    const lost = all.replace('three.example }', 'three.example } { path_beg /v1 }');
    const plan = planOf(lifted(all, 'a.cfg'), lifted(lost, 'b.cfg'), { traffic: null, policies: [] });
    assert.deepEqual(
      plan.findings.map(({ place, message }) => [place?.line, message]),
      [[12, `GET / of three.example is taken by no rule for it, and falls to the default: ${web}`]],
    );
    const again = planOf(lifted(lost, 'a.cfg'), lifted(`${lost}\n`, 'b.cfg'), {
      traffic: null,
      policies: [],
    });
    assert.deepEqual(again.findings, []);
    const usual = planned(
      before.replace('{ hdr(host) -i api.example }', '{ hdr(host) -i api.example } cart'),
    );
    assert.ok(usual.findings.every(({ kind }) => kind !== 'host falls to the default'));
  });

  it('a header that is removed is a difference for whoever sends it', () => {
    const after = before.replace('backend cart\n', 'backend cart\n  http-request del-header X-Debug\n');
    const [difference] = planned(after).differences;
    assert.deepEqual(difference?.witness.headers, { 'x-debug': 'a' });
    assert.equal(planned(after, {}).differences.length, 1);
    const never = planOf(
      lifted(after, 'a.cfg'),
      lifted(after.replace('X-Debug', 'x-debug if { path_beg /cart }'), 'b.cfg'),
      { traffic: null, policies: [] },
    );
    assert.equal(never.same, true, JSON.stringify(never.differences));
  });

  it('a server that has another address is the same one, and what it has in common with its pool is not told', () => {
    const with2 = (line: string) =>
      before
        .replace('  server w2 10.0.0.2:80', line)
        .replace('server w1 10.0.0.1:80', 'server w1 10.0.0.1:80 check');
    const from = lifted(with2('  server w2 10.0.0.2:80 check maxconn 9'), 'a.cfg');
    const to = lifted(
      with2('  server w2 10.0.0.9:80 check maxconn 1\n  server w3 10.0.0.3:80 check maxconn 5'),
      'b.cfg',
    );
    const { settings, differences } = planOf(from, to, { traffic: null, policies: [] });
    assert.deepEqual(
      settings.map(({ name, scope, before: was, after: is }) => [name, scope, was, is]),
      [
        ['maxconn', 'server 10.0.0.9:80 of web', '9', '1'],
        ['maxconn', 'server 10.0.0.3:80 of web', null, '5'],
      ],
    );
    assert.deepEqual(differences[0]?.servers, [
      '10.0.0.2:80 is gone',
      '10.0.0.9:80 is new',
      '10.0.0.3:80 is new',
    ]);
  });

  it('letting in what was refused is no low risk', () => {
    const deny = '  http-request deny if { path_beg /admin }\n  acl cart';
    const from = lifted(before.replace('  acl cart', deny), 'a.cfg');
    const { risk } = planOf(from, lifted(before, 'b.cfg'), { traffic: null, policies: [] });
    assert.equal(risk.level, 'medium');
    assert.match(risk.because.join(), /let in that were refused/);
  });

  it('shows each class of requests that is treated differently, with a request for it', () => {
    const plan = planned(before.replace('path_beg /cart', 'path_beg /basket'));
    assert.equal(plan.same, false);
    assert.deepEqual(told(plan).sort(), [
      ['GET http://api.example/basket', api, cart],
      ['GET http://api.example/cart', cart, api],
      ['GET http://www.example.com/basket', web, cart],
      ['GET http://www.example.com/cart', cart, web],
    ]);
    const [first] = plan.differences.filter(({ after }) => after.kind === 'pool' && after.pool === 'cart');
    assert.deepEqual([first?.ruleAfter?.file, first?.ruleAfter?.line], ['b.cfg', 9]);
    assert.equal(plan.risk.level, 'medium');
  });

  for (const [what, change] of [
    ['the same text', (t: string) => t],
    [
      'other spaces, comments and names',
      (t: string) => t.replace(/ {2}/g, '\t').replace('acl cart', '# a basket\n\tacl cart'),
    ],
    [
      'a condition by another name',
      (t: string) => t.replaceAll('acl cart', 'acl basket').replace('if cart', 'if basket'),
    ],
    ['a pool by another name', (t: string) => t.replaceAll('backend web', 'backend main')],
    ['a condition in the place of a name', (t: string) => t.replace('if cart', 'if { path_beg /cart }')],
    [
      'sections in another order',
      (t: string) =>
        `${t.slice(0, t.indexOf('\nbackend web') + 1)}backend api\n  server a1 10.0.2.1:80\nbackend web\n  server w1 10.0.0.1:80\n  server w2 10.0.0.2:80\nbackend cart\n  server c1 10.0.1.1:80\n`,
    ],
    ['a time in another unit', (t: string) => t.replace('timeout server 30s', 'timeout server 30000')],
  ] as const)
    it(`${what}: no request is treated differently`, () => {
      const plan = planned(change(before));
      assert.deepEqual([told(plan), plan.settings, plan.same], [[], [], true]);
      assert.equal(plan.risk.level, 'none');
    });

  it('a time-out of 1 ms is never the same', () => {
    const plan = planned(before.replace('timeout server 30s', 'timeout server 1ms'));
    assert.equal(plan.same, false);
    assert.deepEqual(told(plan), []);
    assert.deepEqual(
      plan.settings.map(({ name, before: was, after: is, line }) => [name, was, is, line]),
      [['timeout server', '30000 ms', '1 ms', 5]],
    );
  });

  it('a weight alone', () => {
    const [only, ...more] = planned(before.replace('10.0.0.2:80', '10.0.0.2:80 weight 3')).differences;
    assert.deepEqual([only?.servers, more], [['10.0.0.2:80 weight 1 -> 3'], []]);
  });

  it('what is lost stands first, and is a high risk', () => {
    const plan = planned(
      before.replace('  server c1 10.0.1.1:80\n', '').replace('hdr(host) -i api', 'hdr(host) -i app'),
    );
    assert.equal(plan.differences[0]?.severity, 'lost');
    assert.equal(plan.differences[0]?.before.kind === 'pool' && plan.differences[0].before.pool, 'cart');
    assert.equal(plan.risk.level, 'high');
  });

  it('rules that nobody comes to, with what takes their requests, and pools that nobody reaches', () => {
    const text = before
      .replace('  default_backend', '  use_backend old if cart { path_end .old }\n  default_backend')
      .concat('backend old\n  server o1 10.0.3.1:80\n');
    const { unreachable, findings } = planned(text);
    assert.deepEqual(unreachable, [
      {
        file: 'b.cfg',
        line: 11,
        rule: 'use_backend old if cart { path_end .old }',
        by: ['b.cfg:9 use_backend cart if cart'],
      },
    ]);
    assert.deepEqual(
      findings.map(({ message }) => message),
      ['no request reaches pool old'],
    );
  });

  it('chance is drawn anew each time: a second rule that asks for it is reached, by name too', () => {
    for (const draw of ['{ rand(2) eq 0 }', 'lucky']) {
      const text = before.replace(
        '  use_backend cart',
        `  acl lucky rand(2) eq 0\n  use_backend api if ${draw}\n  use_backend old if ${draw}\n  use_backend cart`,
      );
      const { unreachable, findings, same } = planned(text.concat('backend old\n  server o1 10.0.3.1:80\n'));
      assert.deepEqual([unreachable, findings, same], [[], [], false]);
    }
  });

  it('a redirect that comes back to itself', () => {
    const text = before.replace(
      '  use_backend cart',
      '  http-request redirect location /cart code 302 if cart\n  use_backend cart',
    );
    const loops = planned(text).findings.filter(({ kind }) => kind === 'redirect loop');
    assert.match(loops[0]?.message ?? '', /GET http:\/\/\S+\/cart is redirected in a circle: \/cart/);
    assert.equal(loops[0]?.place?.line, 9);
  });

  it('an expression that may be tried for ever', () => {
    const text = before.replace(
      '  use_backend cart',
      '  http-request deny if { path_reg ^/(a+)+$ }\n  use_backend cart',
    );
    const found = planned(text).findings.filter(({ kind }) => kind === 'expression without end');
    assert.deepEqual(
      found.map(({ place, message }) => [place?.line, message.slice(0, 47)]),
      [[9, 'the expression ^/(a+)+$ may be tried for ever: ']],
    );
  });

  it('a line that is not understood: said, and a change of it is a change', () => {
    const text = before.replace(
      '  default_backend',
      '  use_backend api if { some.new.fetch 7 }\n  default_backend',
    );
    const plan = planned(text);
    assert.equal(plan.same, false);
    assert.equal(plan.notUnderstood[0]?.line, 11);
    assert.ok(plan.differences.length > 0);
    assert.ok(plan.differences.every(({ exact }) => !exact));
  });

  it('what could not be compared is not said to be the same', () => {
    const plan = planned(before);
    assert.equal(summaryOf(plan), 'no request is treated differently');
    assert.match(summaryOf({ ...plan, same: false }), /but not all could be compared/);
  });

  it('shares of recent traffic', () => {
    const line = (host: string, path: string) =>
      `${host} 203.0.113.7 - - [x] "GET ${path} HTTP/1.1" 200 5 "-" "-"`;
    const log = [
      ...Array.from({ length: 40 }, (_, i) => line('shop.example', `/cart/${i}`)),
      ...Array.from({ length: 60 }, () => line('shop.example', '/')),
    ].join('\n');
    const traffic = trafficOf(log, 'access.log', { host: null, queryValues: false, requestsMax: 1_000 });
    const plan = planned(before.replace('path_beg /cart', 'path_beg /basket'), { traffic });
    assert.deepEqual(plan.traffic, {
      source: 'access.log',
      requests: 100,
      unread: 0,
      moved: 40,
      unknown: 0,
      toOthers: 40,
    });
    const [first] = plan.differences;
    assert.equal(first?.trafficShare, 0.4);
    assert.deepEqual(plan.risk, {
      level: 'high',
      because: ['40 % of recent traffic is treated differently'],
      approvals: { count: 0, because: [] },
    });
  });

  describe('policies, held against every request', () => {
    const policy = (rule: string) => {
      const text = `policies:\n  - name: p\n${rule.replace(/^/gm, '    ')}\n`;
      return planned(before, { policies: [mustReadPolicies(text, 'policy.yaml')] }).policies[0];
    };
    for (const [rule, message] of [
      ['requests: { path: { value: /cart } }\nalways: cart', ''],
      ['requests: { path: { value: /cart } }\nnever: [web, api]', ''],
      [
        'requests: { hostnames: [api.example] }\nalways: api',
        'GET http://api.example/cart gets pool cart (10.0.1.1:80)',
      ],
      ['never: api', 'GET http://api.example/ gets pool api (10.0.2.1:80)'],
      [
        'requests: { hostnames: [shop.example], path: { type: Exact, value: / } }\nhttps: true',
        `GET http://shop.example/ gets ${web}`,
      ],
      ['servers: { pool: web, min: 2 }', ''],
      ['servers: { pool: [web, cart, none], min: 2 }', 'pool cart has 1, there is no pool none'],
    ] as const)
      it(`${rule.replace(/\n/g, ', ')}: ${message === '' ? 'holds' : message}`, () => {
        const found = policy(rule);
        assert.deepEqual([found?.held, found?.message], [message === '', message]);
      });

    it('what is protected and touched asks for approvals', () => {
      const text = 'policies:\n  - { name: carts, requests: { path: { value: /cart } }, approvals: 2 }\n';
      const policies = [mustReadPolicies(text, 'policy.yaml')];
      const touched = planned(before.replace('10.0.1.1', '10.0.1.9'), { policies });
      assert.deepEqual(touched.risk, {
        level: 'high',
        because: ['touches what is protected: carts (2 approvals)'],
        approvals: { count: 2, because: ['carts (2 approvals)'] },
      });
      const other = planned(before.replace('10.0.2.1', '10.0.2.9'), { policies });
      assert.equal(other.risk.level, 'medium');
    });
  });

  it('as Markdown: nothing that a text says becomes markup', () => {
    const text = markdownOf(planned(before.replace('path_beg /cart', 'path_beg /|<b>')));
    assert.match(text, /^### Holdfast plan: \d+ classes of requests are treated differently/);
    assert.ok(!text.replace(/`[^`]*`/g, '').includes('<b>'));
    for (const row of text.split('\n').filter((line) => line.startsWith('| ')))
      assert.equal(row.replace(/\\\|/g, '').split('|').length, row.startsWith('| ---') ? 7 : 7, row);
  });
});
