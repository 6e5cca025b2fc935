import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ChangeView, KnownFaultView } from '#contract';
import { fiveServers, fourServers, request, shop, siteText, world } from '../world/changes.ts';

const grown = shop(fiveServers);
const _grownHash = siteText(grown).hash;

describe('a change that a gate refuses', () => {
  const dead = (balancer: ReturnType<typeof world>['balancers'][number], address: string) => {
    balancer.script.probe = ({ servers }) =>
      servers.map((server) => {
        const ok = !server.server.endsWith(address);
        return {
          ...server,
          address: `10.0.0.${server.server.at(-1)}:80`,
          ok,
          tried: 'TCP connect',
          answered: ok ? 'connected in 1 ms' : 'connection refused',
          tookMs: 1,
        };
      });
  };

  it('existence: says which server, which line, what was tried, what answered, and from where', async () => {
    const { apply, balancers } = world();
    dead(balancers[1], '5');
    const { change } = await apply(request(grown));
    assert.equal(change.state, 'refused');
    const report = change.gates.find(({ gate }) => gate === 'existence');
    assert.equal(report?.summary, '1 of 1 added server does not answer');
    assert.equal(
      report?.evidence[0],
      'shop.yaml:13 pool "web" server "web-5" 10.0.0.5:80, asked from lb-2: TCP connect: connection refused',
    );
    assert.equal(report?.diagnostics[0]?.code, 'HF103');
    assert.equal(report?.diagnostics[0]?.place?.line, 13);
    assert.equal(balancers[0].candidate, null);
    assert.ok(!balancers[0].asked.includes('candidate'));
  });

  it('existence: a server that was there before and is dead is reported, and blocks nothing', async () => {
    const { apply, balancers } = world();
    for (const balancer of balancers) dead(balancer, '2');
    const { change } = await apply(request(grown));
    assert.equal(change.state, 'promoted');
    const report = change.gates.find(({ gate }) => gate === 'existence');
    assert.match(
      report?.evidence[0] ?? '',
      /^was there before, blocks nothing: .*"web-2".*connection refused$/,
    );
  });

  it('existence: a server that dies after the first answer is found just before the candidate starts', async () => {
    const { apply, balancers } = world();
    const [first] = balancers;
    first.script.wayBack = () => {
      dead(first, '5');
      return { ok: true, generation: 1, tried: [] };
    };
    const { change } = await apply(request(grown));
    assert.equal(change.state, 'refused');
    assert.ok(!first.asked.includes('candidate'));
  });

  it('rehearsal: what takes many times the memory or the time of what runs is told and refused', async () => {
    const { apply, balancers } = world();
    const figures = { startMs: 60, memoryBytes: 20e6 };
    balancers[1].script.rehearse = () => ({
      ok: true,
      startMs: 9_000,
      memoryBytes: 900e6,
      witnesses: [],
      replaced: [],
      incumbent: figures,
    });
    const { change } = await apply(request(grown));
    assert.equal(
      change.why,
      'rehearsal: lb-2: takes more than 4 times the memory of what runs: 9000 ms, 900 MB, what runs 60 ms, 20 MB; lb-2: takes more than 10 times as long to start as what runs: 9000 ms, 900 MB, what runs 60 ms, 20 MB',
    );
  });

  const only = (live: readonly string[]) => {
    const made = world();
    for (const balancer of made.balancers)
      balancer.script.probe = ({ servers }) =>
        servers.map((server) => ({
          ...server,
          address: '',
          ok: live.includes(server.server),
          tried: 'TCP connect',
          answered: 'no answer within 1000 ms',
          tookMs: 1,
        }));
    return made;
  };

  it('existence: a pool that the change touches keeps its minimum of live servers', async () => {
    const { change } = await only(['web-3', 'web-4']).apply(request(shop(fourServers.slice(0, 3))));
    assert.match(
      change.why,
      /existence: .*pool "web" would have 1 of 3 servers live, and at least 50 % must be/,
    );
  });

  it('existence: in an emergency a new server passes with the other servers down', async () => {
    const { change } = await only(['web-4', 'web-5']).apply(request(grown));
    assert.equal(change.state, 'promoted');
    const report = change.gates.find(({ gate }) => gate === 'existence');
    assert.ok(
      report?.evidence.includes(
        'pool "web" would have 2 of 5 servers live, and has 1 now: it blocks nothing',
      ),
      change.why,
    );
  });

  it('limits: more servers removed at once than the policy allows', async () => {
    const { apply } = world();
    const { change } = await apply(request(shop(['10.0.0.1:80'])));
    assert.equal(change.state, 'refused');
    assert.match(change.why, /loses 3 of 4 servers \(75 %\), and at most 50 % may go at once/);
  });

  it("limits: another site's file, or other balancers", async () => {
    const { apply } = world();
    const other = await apply(request(grown.replace('site: shop', 'site: blog')));
    assert.match(other.change.why, /is "blog", and "shop" runs here/);
    const moved = await apply(request(grown.replace('127.0.0.2', '127.0.0.3')));
    assert.match(moved.change.why, /balancers are .*lb-2 \(on 127\.0\.0\.3\)/);
  });

  it('engine check: the words of the engine are the evidence', async () => {
    const { apply, balancers } = world();
    balancers[0].script.check = () => ({
      accepted: false,
      engine: 'haproxy',
      version: '2.6.12',
      output: "[ALERT] config: 'server web-5': invalid address\n",
      diagnostics: [],
      tookMs: 4,
    });
    const { change } = await apply(request(grown));
    assert.equal(change.state, 'refused');
    assert.match(change.why, /haproxy 2\.6\.12 on lb-1 does not accept it/);
    const asked = change.gates.map(({ gate }) => gate);
    assert.deepEqual(
      asked,
      ['parse', 'plan', 'limits', 'engine check', 'existence'],
      'what changes nothing is still asked',
    );
  });

  it('rehearsal: names the request and both answers', async () => {
    const { apply, balancers } = world();
    balancers[1].script.rehearse = () => ({
      ok: false,
      startMs: 10,
      memoryBytes: 1,
      witnesses: [{ request: 'GET http://shop.example/', expected: 'pool web', got: '503', ok: false }],
      replaced: [],
    });
    const { change } = await apply(request(grown));
    const report = change.gates.at(-1);
    assert.deepEqual(report?.evidence, ['lb-2: GET http://shop.example/: expected pool web, got 503']);
    assert.equal(change.state, 'refused');
  });

  it('rehearsal: an engine that does not start is a refusal, with its last words', async () => {
    const { apply, balancers } = world();
    const nothing = { startMs: 0, memoryBytes: 0, witnesses: [], replaced: [] };
    balancers[0].script.rehearse = () => ({ ok: false, ...nothing, notStarted: 'symbol lookup error' });
    const { change } = await apply(request(grown));
    const report = change.gates.at(-1);
    assert.deepEqual([report?.gate, report?.verdict], ['rehearsal', 'refused']);
    assert.deepEqual(report?.evidence, ['lb-1: did not start: symbol lookup error']);
  });

  it('way back: there is none', async () => {
    const { apply, balancers } = world();
    balancers[0].script.wayBack = () => ({
      ok: false,
      generation: 1,
      tried: [{ what: 'a request by its entrance', ok: false, answered: 'connection refused' }],
    });
    const { change } = await apply(request(grown));
    assert.match(change.why, /no way back on lb-1/);
  });

  const fault = {
    id: 'haproxy-3337',
    engine: 'haproxy 3.2.15',
    what: 'a worker ends with a segmentation fault',
    effect: 'blocks',
    sources: ['https://github.com/haproxy/haproxy/issues/3337'],
    remedy: 'Use another version',
  } as const;
  const knowing = ({ balancers }: ReturnType<typeof world>, found: KnownFaultView) => {
    for (const balancer of balancers)
      balancer.script.wayBack = () => ({ ok: true, generation: 1, tried: [], knownFaults: [found] });
  };
  const wayBackOf = ({ gates }: ChangeView) => gates.find(({ gate }) => gate === 'way back');

  it('way back: a known fault of the engine that blocks, told once, with its source and the way out', async () => {
    const one = world();
    knowing(one, fault);
    const { change } = await one.apply(request(grown));
    assert.equal(change.state, 'refused');
    const { summary, diagnostics } = wayBackOf(change) ?? assert.fail();
    assert.equal(
      summary,
      'haproxy-3337: haproxy 3.2.15: a worker ends with a segmentation fault (https://github.com/haproxy/haproxy/issues/3337)',
    );
    assert.deepEqual(
      diagnostics.map(({ code, remedy }) => [code, remedy]),
      [['HF115', 'Use another version; or accept it: guard.knownFaults.accept: [haproxy-3337]']],
    );
  });

  it('way back: a fault that only warns, or that the running site accepts, is told and stops nothing', async () => {
    const warned = world();
    knowing(warned, { ...fault, effect: 'warns' });
    const first = (await warned.apply(request(grown))).change;
    assert.equal(first.state, 'promoted');
    assert.match(
      wayBackOf(first)?.evidence.join() ?? '',
      /known fault haproxy-3337 of haproxy 3.2.15: a worker/,
    );

    const accept = '  knownFaults: { accept: [haproxy-3337] }\n';
    const accepting = world(shop(fourServers, accept));
    knowing(accepting, fault);
    const second = (await accepting.apply(request(shop(fiveServers, accept)))).change;
    assert.equal(second.state, 'promoted');
    assert.match(wayBackOf(second)?.evidence.join() ?? '', /, accepted by the site: a worker/);
    const brought = world();
    knowing(brought, fault);
    const third = (await brought.apply(request(shop(fiveServers, accept)))).change;
    assert.equal(third.state, 'refused', 'a change is not judged by what it brings');
  });

  it('parse: all mistakes at once, and nothing can force it', async () => {
    const { apply } = world();
    const broken = grown.replace('pool: web }', 'pool: wbe }').replace('engine: builtin', 'engine: bultin');
    const { change } = await apply(request(broken, { force: true, reason: 'hurry' }));
    assert.equal(change.state, 'refused');
    assert.equal(change.gates.length, 1);
    assert.ok((change.gates[0]?.diagnostics.length ?? 0) >= 2);
  });

  it('a balancer that does not answer: could not tell is no pass', async () => {
    const { apply, balancers } = world();
    balancers[1].silent = true;
    const { change } = await apply(request(grown));
    assert.equal(change.state, 'refused');
    assert.equal(change.gates.find(({ gate }) => gate === 'existence')?.verdict, 'unknown');
  });

  it('the text that already runs: nothing to do', async () => {
    const { apply, balancers } = world();
    const { change } = await apply(request(`# a comment changes nothing\n${shop(fourServers)}`));
    assert.equal(change.state, 'abandoned');
    assert.match(change.why, /^nothing to do/);
    assert.deepEqual(balancers[0].asked, ['status']);
  });
});
