import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Hono } from 'hono';
import type { AlertKeeper } from '#alerting';
import type { AlertBackend } from '#api';
import type { AlertView, ProblemView } from '#contract';
import { alertDesk } from '../../src/alerting/desk.ts';
import { alertRoutes } from '../../src/api/alert-routes.ts';
import { problem } from '../../src/api/problem.ts';
import { type AlertWorld, alertWorld } from '../alerting/world.ts';

describe("Alertmanager's API", () => {
  let world: AlertWorld;
  beforeEach(() => {
    world = alertWorld();
  });
  afterEach(() => world.stop());

  const ask = (method: string, path: string, body?: unknown) => {
    const keeper: AlertKeeper = world.keeper();
    const parts = { site: 'shop', keeper, clock: world.clock, settings: () => world.settings };
    const desk = alertDesk({ ...parts, deliver: async () => ({ kind: 'sent', said: 'ok' }) });
    const backend: AlertBackend = {
      site: 'shop',
      clock: world.clock,
      mayHandIn: () => false,
      onCallFile: () => ({ file: 'oncall.yaml', trouble: [] }),
      office: () => ({ ...desk, take: (alerts, by) => keeper.intake.take(alerts, by), stop: async () => {} }),
    };
    const app = new Hono();
    app.onError((error, c) => problem(c, error));
    alertRoutes(app, backend);
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return world.clock.run(
      Promise.resolve(app.request(path, { method, ...(body === undefined ? {} : { body: text }) })),
    );
  };

  it('takes what Prometheus sends, shows it, and ends it when its sender says so', async () => {
    const labels = { alertname: 'DiskFull', severity: 'critical', instance: 'web-1', empty: '' };
    const annotations = { summary: 'disk', description: 'full' };
    assert.equal((await ask('POST', '/api/v2/alerts', [{ labels, annotations }])).status, 200);
    await world.clock.pass(2_000);
    const shown = (await (await ask('GET', '/api/v2/alerts')).json()) as readonly AlertView[];
    assert.deepEqual(
      shown.map((one) => one.labels.alertname),
      ['DiskFull', 'Watchdog'],
    );
    assert.deepEqual(shown[0]?.receivers, [{ name: 'founding' }]);
    assert.equal(world.told.length, 2);
    const over = {
      version: '4',
      alerts: [
        {
          status: 'resolved',
          labels,
          annotations,
          startsAt: '2026-01-01T00:00:00Z',
          endsAt: '2026-01-01T00:01:00Z',
        },
      ],
    };
    assert.equal((await ask('POST', '/api/v2/webhook', over)).status, 200);
    await world.clock.pass(2_000);
    assert.equal(world.keeper().ledger.book.firing.size, 0);
  });

  it('refuses wrong types with the field, whatever comes', async () => {
    for (const [path, body, said] of [
      ['/api/v2/alerts', {}, 'the body'],
      ['/api/v2/alerts', '{', 'not JSON'],
      ['/api/v2/alerts', [{ labels: { alertname: 1 } }], '[0].labels.alertname'],
      ['/api/v2/alerts', [{ labels: {} }], 'alertname is missing'],
      ['/api/v2/alerts', [{ labels: { alertname: 'X' }, startsAt: 'yesterday' }], '[0].startsAt'],
      ['/api/v2/webhook', { version: '3', alerts: [] }, 'version'],
      ['/api/v2/silences', { matchers: [] }, 'matchers'],
    ] as const) {
      const response = await ask('POST', path, body);
      assert.equal(response.status, 400, JSON.stringify(body));
      const { code, detail } = (await response.json()) as ProblemView;
      assert.equal(code, 'HF405');
      assert.ok(detail.includes(said), detail);
    }
    assert.equal(world.keeper().ledger.book.firing.size, 0);
  });

  it('a flood is answered 429, and what was taken is taken', async () => {
    const flood = Array.from({ length: 2_000 }, (_, i) => ({
      labels: { alertname: 'Flood', severity: 'warning', i: String(i) },
    }));
    const response = await ask('POST', '/api/v2/alerts', flood);
    assert.equal(response.status, 429);
    assert.equal(((await response.json()) as ProblemView).code, 'HF601');
    assert.ok(response.headers.get('retry-after'));
  });

  it('a silence that would match everything, or take for ever, is refused', async () => {
    const times = {
      startsAt: '2026-01-01T00:00:00Z',
      endsAt: '2026-01-02T00:00:00Z',
      createdBy: 'eve',
      comment: 'x',
    };
    for (const matcher of [
      { name: 'a', value: '.*', isRegex: true },
      { name: 'a', value: '(?=x)y', isRegex: true },
    ]) {
      const response = await ask('POST', '/api/v2/silences', { matchers: [matcher], ...times });
      assert.equal(((await response.json()) as ProblemView).code, 'HF405', JSON.stringify(matcher));
    }
    const good = await ask('POST', '/api/v2/silences', {
      matchers: [{ name: 'a', value: 'b', isRegex: false }],
      ...times,
    });
    const { silenceID } = (await good.json()) as { readonly silenceID: string };
    await world.clock.pass(1_000);
    assert.equal((await ask('GET', `/api/v2/silence/${silenceID}`)).status, 200);
    assert.equal((await ask('DELETE', `/api/v2/silence/${silenceID}`)).status, 200);
    await world.clock.pass(1_000);
    assert.equal((await ask('GET', `/api/v2/silence/${silenceID}`)).status, 404);
  });
});
