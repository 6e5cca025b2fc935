import type { Context, Hono } from 'hono';
import { type AlertOffice, watchdogAlert } from '#alerting';
import { Failure, type systemClock } from '#base';
import type { NotifyTestView, OnCallView, TakenView } from '#contract';
import { fingerprintOf } from '#events';
import {
  readAcknowledge,
  readEnding,
  readHandOver,
  readHookedAlerts,
  readPostedAlerts,
  readSilence,
  readTest,
} from './alert-requests.ts';
import { alertView, escalationView, pageView, silenceView, watchdogView } from './alert-views.ts';
import { bodyOf } from './body.ts';
import { problem } from './problem.ts';
import { readNumber } from './requests.ts';

/** What the routes below give access to. */
export interface AlertBackend {
  /** @throws Failure: the journal is not open. */
  office(): AlertOffice;
  onCallFile(): Pick<OnCallView, 'file' | 'trouble'>;
  readonly site: string;
  /** Whether a token lets its bearer hand in alerts, and nothing else. */
  mayHandIn(token: string): boolean;
  readonly clock: Pick<typeof systemClock, 'now'>;
}

/** So long an alert that fires is good for, as Alertmanager tells its clients. */
const goodForMs = 4 * 60_000;
const aheadMsMax = 35 * 24 * 60 * 60_000;
const aheadMsUsual = 7 * 24 * 60 * 60_000;
const escalationsShownMax = 100;

/** Alertmanager's API v2 under /api/v2, so that what a team has (Prometheus, amtool, Grafana) works with it; the rest under /v1. */
export function alertRoutes(app: Hono, backend: AlertBackend): void {
  alertmanagerRoutes(app, backend);
  const { office, clock } = backend;
  app.get('/v1/escalations', (c) => {
    const all = office().escalations().toReversed().slice(0, escalationsShownMax);
    return c.json({ escalations: all.map(escalationView) });
  });
  app.post('/v1/escalations/:id/ack', async (c) => {
    const { by, comment, forMs } = readAcknowledge(await bodyOf(c.req.raw));
    return c.json(escalationView(await office().acknowledge(c.req.param('id'), by, comment, forMs)));
  });
  app.post('/v1/escalations/:id/hand-over', async (c) => {
    const { by, to } = readHandOver(await bodyOf(c.req.raw));
    return c.json(escalationView(await office().handOver(c.req.param('id'), by, to)));
  });
  app.post('/v1/silences/:id/end', async (c) => {
    const { by } = readEnding(await bodyOf(c.req.raw));
    await office().endSilence(c.req.param('id'), by);
    return c.json({ ended: c.req.param('id') });
  });
  app.get('/v1/oncall', (c) => {
    const at = readNumber('at', c.req.query('at'), clock.now(), 8e15);
    const ahead = readNumber('ahead', c.req.query('ahead'), aheadMsUsual, aheadMsMax);
    const { schedules, policies, deadLetters, unsaved } = office().onCall(at, ahead);
    const view: OnCallView = {
      ...backend.onCallFile(),
      at,
      schedules,
      policies: policies.map(({ name, steps }) => ({
        name,
        steps: steps.map(({ reaches, missing, ackWithinMs }) => ({
          reaches: reaches.map(({ person, notifier, to }) =>
            [person, notifier, to].filter(Boolean).join(' '),
          ),
          missing,
          ackWithinMs,
        })),
      })),
      deadLetters: deadLetters.map(pageView),
      unsaved,
    };
    return c.json(view);
  });
  app.post('/v1/notify/test', async (c) => {
    const { by, notifier, to } = readTest(await bodyOf(c.req.raw));
    const view: NotifyTestView = { results: await office().test(by, notifier, to) };
    return c.json(view);
  });
}

function alertmanagerRoutes(app: Hono, backend: AlertBackend): void {
  const { office, clock, site } = backend;
  app.get('/api/v2/alerts', (c) => {
    const now = clock.now();
    const watchdog = watchdogAlert(site, now);
    const all = office()
      .alerts()
      .map((one) => alertView(one, now + goodForMs));
    return c.json([...all, watchdogView(watchdog, fingerprintOf(watchdog.labels), now, now + goodForMs)]);
  });
  app.post('/api/v2/alerts', async (c) =>
    taken(c, await office().take(readPostedAlerts(await bodyOf(c.req.raw), clock.now()), 'api:alertmanager')),
  );
  app.post('/api/v2/webhook', async (c) =>
    taken(c, await office().take(readHookedAlerts(await bodyOf(c.req.raw), clock.now()), 'api:webhook')),
  );
  app.get('/api/v2/silences', (c) =>
    c.json(
      office()
        .silences()
        .map((one) => silenceView(one, clock.now())),
    ),
  );
  app.post('/api/v2/silences', async (c) =>
    c.json({ silenceID: await office().silence(readSilence(await bodyOf(c.req.raw))) }),
  );
  app.get('/api/v2/silence/:id', (c) => {
    const id = c.req.param('id');
    const found = office()
      .silences()
      .find((one) => one.id === id);
    if (!found) throw new Failure('HF404', `there is no silence "${id}"`);
    return c.json(silenceView(found, clock.now()));
  });
  app.delete('/api/v2/silence/:id', async (c) => {
    await office().endSilence(c.req.param('id'), 'api:alertmanager');
    return c.json({});
  });
}

/** All of them, or it says how many were too many: whoever sends them may come again with those. */
function taken(c: Context, view: TakenView): Response {
  if (view.dropped === 0) return c.json(view);
  c.header('retry-after', '10');
  const all = view.taken + view.dropped;
  return problem(c, new Failure('HF601', `${view.dropped} of ${all} alerts were not taken in`));
}
