import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { Failure } from '#base';
import type { Backend } from './backend.ts';
import { problem } from './problem.ts';
import { readReport } from './requests.ts';

const bodyBytesMax = 16 * 1024;
const securityHeaders = {
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** The page as `web` draws it. */
export interface ReportPages {
  form(known: boolean): string;
  wrong(known: boolean, why: string): string;
  thanks(known: boolean, report: string): string;
}

/**
 * What anybody may reach: a form and `POST /reports` for customers, and nothing else of the API. `senderOf` tells
 * clients apart.
 */
export function createReportForm(
  backend: Pick<Backend, 'report' | 'troubled'>,
  pages: ReportPages,
  senderOf: (request: Request, env: unknown) => string,
): Hono {
  const app = new Hono();
  app.onError((error, c) => problem(c, error));
  app.notFound((c) => problem(c, new Failure('HF404', `there is nothing at ${c.req.method} ${c.req.path}`)));
  app.use(async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(securityHeaders)) c.header(name, value);
  });
  app.use(
    bodyLimit({
      maxSize: bodyBytesMax,
      onError: (c) => problem(c, new Failure('HF002', `a report has at most ${bodyBytesMax} bytes`)),
    }),
  );
  app.get('/', (c) => c.html(pages.form(backend.troubled())));
  app.post('/', async (c) => {
    try {
      const input = readReport(filled(await c.req.parseBody()), 'form');
      const report = await backend.report('customer', senderOf(c.req.raw, c.env), input);
      return c.html(pages.thanks(backend.troubled(), report), 202);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const known = backend.troubled();
      if (error.code === 'HF406')
        return c.html(pages.wrong(known, `${sentence(error.message)} ${error.remedy}`), 429);
      if (error.code !== 'HF405')
        return c.html(pages.wrong(known, 'We could not take it just now. Please try again.'), 503);
      return c.html(pages.wrong(known, `Please look at this again: ${error.message}`), 400);
    }
  });
  app.post('/reports', async (c) => {
    const body: unknown = await c.req.json().catch(() => {
      throw new Failure('HF405', 'the body is not JSON');
    });
    const report = await backend.report('customer', senderOf(c.req.raw, c.env), readReport(body, 'api'));
    return c.json({ report }, 202);
  });
  return app;
}

/** Fields that were left empty are as good as not there. */
function filled(form: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(form).filter(([, value]) => value !== '');
  return Object.fromEntries(
    entries.map(([name, value]) => [name, name === 'status' ? Number(value) : value]),
  );
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
