import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { preciseNow } from '../load.ts';

/** Stands for the telephone of the person on call: takes Alertmanager's webhook and notes when the first page came. */
export interface Pager {
  readonly port: number;
  pagedAt(): number | null;
  close(): void;
}

const bodyLengthMax = 1024 * 1024;

export async function startPager(): Promise<Pager> {
  let pagedAt: number | null = null;
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
      if (body.length > bodyLengthMax) request.destroy();
    });
    request.on('end', () => {
      if (isFiring(body)) pagedAt ??= preciseNow();
      response.end();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as AddressInfo).port,
    pagedAt: () => pagedAt,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function isFiring(body: string): boolean {
  try {
    return (JSON.parse(body) as { readonly status?: unknown }).status === 'firing';
  } catch {
    return false;
  }
}
