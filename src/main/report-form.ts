import type { Backend } from '#api';
import { createReportForm } from '#api';
import { reportPage } from '#web';

/** The public form of a site, told apart by the address of its visitor. */
export function reportForm(site: string, backend: Backend) {
  return createReportForm(
    backend,
    {
      form: (known) => reportPage(site, known, { kind: 'form' }),
      wrong: (known, why) => reportPage(site, known, { kind: 'wrong', why }),
      thanks: (known, report) => reportPage(site, known, { kind: 'thanks', report }),
    },
    (_request, env) => addressOf(env),
  );
}

/** As Hono's adapter for Node gives it. */
function addressOf(env: unknown): string {
  const { incoming } = env as {
    readonly incoming?: { readonly socket: { readonly remoteAddress?: string } };
  };
  return incoming?.socket.remoteAddress ?? 'unknown';
}
