import assert from 'node:assert/strict';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { ChangeView, JournalCheckView, StatusView } from '#contract';
import { startController } from '../../src/main/controller.ts';
import { fiveServers, fourServers, shop, siteText } from '../world/changes.ts';
import { holdfast, type Ran, type SiteOnWire, siteOnWire } from '../world/site-on-wire.ts';
import { type } from '../world/up.ts';

/** As short as the site file allows: these run on the real clock. */
const quick = (servers: readonly string[]) =>
  shop(servers)
    .replace(
      'steps: [0.1, 0.5], firstSliceRequests: 20, step: 2s',
      'steps: [1], firstSliceRequests: 1, step: 100ms',
    )
    .replace('bake: 5s', 'bake: 100ms');

describe('commands against a running controller', () => {
  let wire: SiteOnWire;
  let controller: Awaited<ReturnType<typeof startController>>;
  let file = '';

  const run = (...args: string[]): Promise<Ran> => holdfast(wire.env, args);

  before(async () => {
    wire = await siteOnWire('shop', siteText(quick(fourServers)));
    controller = await startController({
      siteName: 'shop',
      balancers: ['lb-1', 'lb-2'],
      paths: wire.paths,
      apiPort: 0,
    });
    file = join(wire.folder, 'shop.yaml');
  });
  after(async () => {
    await controller.close();
    await wire.close();
  });

  it('apply: one line a gate, what happened, what to type next; exit 0', async () => {
    for (const balancer of wire.balancers) balancer.requestsPerSecond = 2_000;
    writeFileSync(file, quick(fiveServers));
    const { code, out, err } = await run('apply', file);
    assert.equal(code, 0, out + err);
    for (const gate of [
      'parse',
      'plan',
      'limits',
      'engine check',
      'existence',
      'rehearsal',
      'way back',
      'review',
      'canary',
      'bake',
    ])
      assert.match(out, new RegExp(`^ {2}✔ ${gate} `, 'm'));
    assert.match(out, /Promoted: last good on every balancer\.\n {2}To go back: {2}holdfast rollback\n$/);
    assert.ok(!out.includes('\u001b'), 'no colour without a terminal');
  });

  it('apply of what runs: nothing to do, exit 0', async () => {
    const { code, out } = await run('apply', file);
    assert.equal(code, 0);
    assert.match(out, /Nothing to do: this is the site that already runs\./);
  });

  it('status: at a glance', async () => {
    const { code, out } = await run('status');
    assert.equal(code, 0);
    assert.match(out, /^shop {2}serving/);
    assert.match(out, /change +none in flight/);
    const json = await run('status', '--json');
    const view = JSON.parse(json.out) as StatusView;
    assert.equal(view.state, 'serving');
    assert.deepEqual(
      view.balancers.map(({ balancer }) => balancer),
      ['lb-1', 'lb-2'],
    );
  });

  it('status: a balancer that does not answer; exit 1', async () => {
    const [first] = wire.balancers;
    assert.ok(first);
    first.silent = true;
    const { code, out } = await run('status');
    first.silent = false;
    assert.equal(code, 1);
    assert.match(out, /^shop {2}DEGRADED/);
    assert.match(out, /lb-1 {2}DOES NOT ANSWER/);
  });

  it('changes: newest first, and one with all its gates', async () => {
    const list = JSON.parse((await run('changes', '--json')).out) as { changes: ChangeView[] };
    assert.deepEqual(
      list.changes.map(({ state }) => state),
      ['abandoned', 'promoted'],
    );
    const id = list.changes[1]?.id ?? '';
    const one = await run('changes', id);
    assert.match(one.out, /✔ bake/);
    const none = await run('changes', 'c99');
    assert.equal(none.code, 1);
    assert.match(none.err, /^HF404 there is no change "c99"/);
  });

  it('rollback after promotion: every balancer, exit 0; a second time there is nothing, exit 1', async () => {
    const { code, out } = await run('rollback', '--reason', 'slow');
    assert.equal(code, 0, out);
    assert.match(out, /lb-1: ✔ back to generation/);
    assert.match(out, /is rolled back: person:anna took it back: slow\./);
    assert.equal((await run('rollback')).code, 1);
  });

  it('rollback and abort, typed: the same words and statuses as by the whole program, and no text with types is loaded', async () => {
    for (const args of [
      ['rollback', '--reason', 'slow'],
      ['rollback', '--reason=slow', '--json', '--site', 'shop'],
      ['abort'],
      ['abort', 'c-1', '--json'],
      ['rollback', '--site', 'other'],
      ['rollback', '--resaon', 'slow'],
    ]) {
      const [whole, typed] = [await run(...args), await type(args, { env: wire.env }).ended];
      assert.deepEqual({ code: typed.exit, out: typed.out, err: typed.err }, whole, args.join(' '));
    }
    const plain = await type(['rollback'], {
      env: wire.env,
      on: (node, ...words) => [node, '--no-strip-types', ...words],
    }).ended;
    assert.deepEqual([plain.exit, plain.err], [1, '']);
    assert.match(plain.out, /had nothing to take back/);
  });

  it('the text that was rolled back is in quarantine; the way out is named', async () => {
    const { code, out } = await run('apply', file);
    assert.equal(code, 1);
    assert.match(out, /this text was rolled back before/);
    assert.match(out, /--release --reason "why"/);
  });

  it('journal: verified, and shown in order', async () => {
    const verified = await run('journal', 'verify', '--json');
    assert.equal(verified.code, 0);
    const found = JSON.parse(verified.out) as JournalCheckView;
    const shown = JSON.parse((await run('journal', 'show', '--json')).out) as {
      entries: { sequence: number }[];
    };
    assert.ok(found.ok && found.entries > 20);
    assert.deepEqual(
      shown.entries.map(({ sequence }) => sequence),
      [...Array(found.entries).keys()].map((i) => i + 1),
    );
  });

  it('two applies at once: the second is told which change is ahead of it, exit 1', async () => {
    writeFileSync(file, `${quick(fiveServers).replace('bake: 100ms', 'bake: 200ms')}`);
    const [first, second] = await Promise.all([run('apply', file), run('apply', file)]);
    const refused = [first, second].filter(({ err }) => err.startsWith('HF108'));
    assert.equal(refused.length, 1);
    assert.equal(refused[0]?.code, 1);
    assert.match(refused[0]?.err ?? '', /shop\.yaml.*proposed by person:anna/);
    assert.equal([first, second].filter(({ code }) => code === 0).length, 1, first.out + second.out);
  });

  it('a change that the guard takes back: the incident is named, its postmortem is printed, exit 1', async () => {
    const [first] = wire.balancers;
    assert.ok(first);
    first.guardActsAfterMs = 50;
    writeFileSync(file, quick([...fiveServers, '10.0.0.6:80']));
    const { code, out } = await run('apply', file);
    first.guardActsAfterMs = null;
    assert.equal(code, 1);
    const id = /holdfast postmortem (\S+)/.exec(out)?.[1] ?? '';
    assert.ok(id, out);
    const postmortem = await run('postmortem', id);
    assert.equal(postmortem.code, 0);
    assert.match(postmortem.out, /#### Root Cause and Resolution/);
    assert.match((await run('status')).out, /pipeline +FROZEN/);
    const frozen = await run('apply', file);
    assert.match(frozen.err, /^HF109/);
    assert.equal(frozen.code, 1);
    const json = await run('apply', file, '--json');
    assert.equal((JSON.parse(json.out) as { error: { code: string } }).error.code, 'HF109');
  });

  it('on a terminal: the live line is rewritten in place; NO_COLOR takes the colours, not the line', async () => {
    writeFileSync(file, quick([...fiveServers, '10.0.0.7:80']));
    const chunks: string[] = [];
    const { code } = await holdfast({ ...wire.env, NO_COLOR: '1' }, ['apply', file, '--unfreeze'], {
      tty: true,
      out: (text) => chunks.push(text),
    });
    const out = chunks.join('');
    assert.equal(code, 0, out);
    assert.ok(out.includes('\r\u001b[K    lb-1 at 100 %'), out);
    assert.ok(!out.includes('\u001b[32m'));
  });

  it('a second controller on the same port: HF302, with the remedy', async () => {
    const port = Number(new URL(controller.url).port);
    await assert.rejects(
      startController({ siteName: 'other', balancers: [], paths: wire.paths, apiPort: port }),
      (error: unknown) =>
        error instanceof Error &&
        'code' in error &&
        error.code === 'HF302' &&
        error.message.includes(`127.0.0.1:${port}`),
    );
  });
});

describe('commands without a controller', () => {
  let wire: SiteOnWire;
  before(async () => {
    wire = await siteOnWire('shop', siteText(shop(fourServers)));
  });
  after(() => wire.close());

  const write = (name: string, text: string) => {
    const path = join(wire.folder, name);
    writeFileSync(path, text);
    return path;
  };

  it('check: every mistake with file:line:column, exit 1; a site, exit 0', async () => {
    const bad = write(
      'bad.yaml',
      shop(fourServers).replace('pool: web }', 'pool: wbe }').replace('engine: builtin', 'engine: bultin'),
    );
    const { code, err, out } = await holdfast(wire.env, ['check', bad]);
    assert.equal(code, 1);
    assert.match(err, /^HF014 .*bad\.yaml:5:\d+ .*Did you mean "web"\?/m);
    assert.match(err, /bad\.yaml:14:\d+ .*"bultin"/m);
    assert.equal(out, '');
    const good = write('good.yaml', shop(fourServers));
    assert.equal((await holdfast(wire.env, ['check', good])).code, 0);
    const json = JSON.parse((await holdfast(wire.env, ['check', '--json', good, bad])).out) as {
      valid: boolean;
      files: { valid: boolean; diagnostics: unknown[] }[];
    };
    assert.deepEqual([json.valid, json.files.map(({ valid }) => valid)], [false, [true, false]]);
  });

  it('apply: mistakes are told before anybody is asked, exit 1', async () => {
    const bad = write('bad.yaml', 'site: [');
    const { code, err } = await holdfast(wire.env, ['apply', bad]);
    assert.equal(code, 1);
    assert.match(err, /HF001 .*nothing was changed/);
    assert.doesNotMatch(err, /HF401/);
  });

  it("a load balancer's own text in a file that is named as a site.yaml is said to be one", async () => {
    const haproxy = write('own-haproxy.yaml', 'global\n  daemon\nfrontend web\n  bind :80\n');
    const nginx = write('own-nginx.yaml', 'events {}\nhttp {\n  server {\n    listen 80;\n  }\n}\n');
    for (const [path, name] of [
      [haproxy, 'HAProxy'],
      [nginx, 'NGINX'],
    ] as const) {
      const { code, err } = await holdfast(wire.env, ['check', path]);
      assert.equal(code, 1);
      assert.match(err, new RegExp(`HF005 .*is a text of ${name}`));
    }
  });

  it('a file of 200 MB, and one that is not there', async () => {
    const huge = write('huge.yaml', '');
    truncateSync(huge, 200 * 1024 * 1024);
    const large = await holdfast(wire.env, ['apply', huge]);
    assert.equal(large.code, 1);
    assert.match(large.err, /^HF002/);
    const missing = await holdfast(wire.env, ['apply', join(wire.folder, 'none.yaml')]);
    assert.equal(missing.code, 1);
    assert.match(missing.err, /^HF003/);
  });

  it('no site runs: HF401; several run: HF402, and --site says which', async () => {
    assert.match((await holdfast(wire.env, ['status'])).err, /^HF401/);
    for (const name of ['a', 'b']) {
      mkdirSync(join(wire.env.HOLDFAST_RUN ?? '', name), { recursive: true });
      const location = JSON.stringify({ url: 'http://127.0.0.1:9', token: 'x', pid: 1 });
      writeFileSync(join(wire.env.HOLDFAST_RUN ?? '', name, 'api.json'), location);
    }
    const several = await holdfast(wire.env, ['status']);
    assert.equal(several.code, 1);
    assert.match(several.err, /^HF402 several sites run here: a, b/);
    assert.match((await holdfast(wire.env, ['status', '--site', 'a'])).err, /^HF401 the controller at/);
  });

  it('a mistake of our own: exit 70', async () => {
    const { code, err } = await holdfast(wire.env, ['check', write('good.yaml', shop(fourServers))], {
      out: () => {
        throw new Error('our own mistake');
      },
    });
    assert.equal(code, 70);
    assert.match(err, /^HF900 our own mistake/);
  });

  it('a command that does not exist, or a force without a reason: exit 1', async () => {
    const unknown = await holdfast(wire.env, ['statsu']);
    assert.equal(unknown.code, 1);
    assert.match(unknown.err, /Did you mean status\?/);
    const forced = await holdfast(wire.env, ['apply', write('good.yaml', shop(fourServers)), '--force']);
    assert.match(forced.err, /^HF110/);
  });
});
