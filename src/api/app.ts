import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { Failure } from '#base';
import { onlyLocalNames, onlyWithToken } from './admission.ts';
import { alertRoutes } from './alert-routes.ts';
import type { Backend } from './backend.ts';
import { bodyOf } from './body.ts';
import { problem } from './problem.ts';
import { streamProgress } from './progress.ts';
import {
  readAbortRequest,
  readApplyRequest,
  readDriftRequest,
  readNumber,
  readRollbackRequest,
  readWrittenReport,
} from './requests.ts';

const bodyBytesMax = 5 * 1024 * 1024;
const journalEntriesMax = 1_000;
/** All that the token for alerts from outside is good for. */
const handsIn = ['POST /api/v2/alerts', 'POST /api/v2/webhook'];

/** The controller's HTTP API: thin, every answer comes from the backend. */
export function createApi(backend: Backend, token: string): Hono {
  const app = new Hono();
  app.onError((error, c) => problem(c, error));
  app.notFound((c) => problem(c, new Failure('HF404', `there is nothing at ${c.req.method} ${c.req.path}`)));
  app.use(onlyLocalNames);
  app.get('/health', (c) => c.json({ ok: true }));
  app.get('/metrics', (c) => {
    const isOpen = c.req.header('accept')?.includes('application/openmetrics-text') === true;
    const type = isOpen ? 'application/openmetrics-text; version=1.0.0' : 'text/plain; version=0.0.4';
    return c.body(backend.metrics(isOpen ? 'openmetrics' : 'prometheus'), 200, {
      'content-type': `${type}; charset=utf-8`,
    });
  });
  const admitted = onlyWithToken(
    token,
    (what, given) => handsIn.includes(what) && backend.alerting.mayHandIn(given),
  );
  const limited = bodyLimit({
    maxSize: bodyBytesMax,
    onError: (c) => problem(c, new Failure('HF002', `a request has at most ${bodyBytesMax} bytes`)),
  });
  for (const path of ['/v1/*', '/api/v2/*']) app.use(path, admitted, limited);
  alertRoutes(app, backend.alerting);

  app.get('/v1/status', async (c) => c.json(await backend.status()));
  app.get('/v1/live', (c) => c.json(backend.live()));
  app.get('/v1/site', (c) => c.json(backend.site()));
  app.get('/v1/drift', async (c) => c.json(await backend.drift()));
  app.post('/v1/drift', async (c) => {
    const { mend } = readDriftRequest(await bodyOf(c.req.raw));
    return c.json(await backend.drift(mend));
  });
  app.get('/v1/changes', (c) => c.json({ changes: backend.changes() }));
  app.post('/v1/changes', async (c) => {
    const view = await backend.propose(readApplyRequest(await bodyOf(c.req.raw)));
    return c.json(view, 202, { location: `/v1/changes/${view.id}` });
  });
  app.get('/v1/changes/:id', (c) => {
    const id = c.req.param('id');
    const view = backend.changes().find((change) => change.id === id);
    if (!view) throw new Failure('HF404', `there is no change "${id}"`);
    return c.json(view);
  });
  app.get('/v1/changes/:id/progress', (c) => streamProgress(c, backend, c.req.param('id')));
  app.post('/v1/changes/:id/approve', async (c) => {
    const { by, reason } = readRollbackRequest(await bodyOf(c.req.raw));
    return c.json(await backend.approve(c.req.param('id'), by, reason));
  });
  app.post('/v1/changes/:id/confirm', async (c) => {
    const { by, reason } = readRollbackRequest(await bodyOf(c.req.raw));
    return c.json(await backend.confirm(c.req.param('id'), by, reason));
  });
  app.post('/v1/rollback', async (c) => {
    const { by, reason } = readRollbackRequest(await bodyOf(c.req.raw));
    return c.json(await backend.rollback(by, reason));
  });
  app.post('/v1/abort', async (c) => {
    const { by, reason, change } = readAbortRequest(await bodyOf(c.req.raw));
    return c.json(await backend.abort(by, reason, change));
  });
  incidentRoutes(app, backend);
  app.get('/v1/reports', (c) => c.json({ reports: backend.reports() }));
  app.post('/v1/reports', async (c) => {
    const { by, input } = readWrittenReport(await bodyOf(c.req.raw));
    return c.json({ report: await backend.report(by, '', input) }, 202);
  });
  app.get('/v1/reviews', (c) => c.json({ reviews: backend.reviews() }));
  app.post('/v1/reviews', async (c) => {
    const { by } = readRollbackRequest(await bodyOf(c.req.raw));
    return c.json(await backend.review(by));
  });
  app.get('/v1/journal/verify', async (c) => c.json(await backend.verify()));
  app.get('/v1/journal', (c) => {
    const after = readNumber('after', c.req.query('after'), 0, Number.MAX_SAFE_INTEGER);
    const max = readNumber('max', c.req.query('max'), journalEntriesMax, journalEntriesMax);
    return c.json({ entries: backend.entries(after, max) });
  });
  return app;
}

function incidentRoutes(app: Hono, backend: Backend): void {
  app.get('/v1/incidents', (c) => c.json({ incidents: backend.incidents() }));
  app.post('/v1/incidents/:id/resolve', async (c) => {
    const { by, reason } = readRollbackRequest(await bodyOf(c.req.raw));
    return c.json(await backend.resolveIncident(c.req.param('id'), by, reason));
  });
  app.get('/v1/incidents/:id/postmortem', (c) => {
    const id = c.req.param('id');
    const text = backend.postmortem(id);
    if (text === null) throw new Failure('HF404', `there is no incident "${id}"`);
    return c.body(text, 200, { 'content-type': 'text/markdown; charset=utf-8' });
  });
}
