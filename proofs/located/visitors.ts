/** Who visits the site while it has its faults, a process of its own: new connections, at a steady rate, by every balancer in turn. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

export interface VisitPlan {
  readonly addresses: readonly string[];
  readonly http: number;
  readonly https: number;
  readonly paths: readonly string[];
  readonly ratePerSecond: number;
  /** PEM: who visits by TLS believes this one and looks at its time. */
  readonly authority: string;
}

/** What they got since they were asked to look. */
export interface Visits {
  readonly requests: number;
  readonly bad: number;
  readonly slow: number;
  /** Milliseconds since 1970; null: none was bad, or slow. */
  readonly firstBadAt: number | null;
  readonly firstSlowAt: number | null;
  /** `503 x 12, reset x 3`. */
  readonly how: string;
}

export interface Visitors {
  since(at: number): Promise<Visits>;
  /** Another rate from now on. */
  rate(perSecond: number): Promise<void>;
  close(): void;
}

const patienceMs = 3_000;
const slowMs = 400;
const keptMax = 20_000;
const tlsEvery = 10;

export async function startVisitors(plan: VisitPlan): Promise<Visitors> {
  const child = fork(import.meta.filename, [JSON.stringify(plan)], { execArgv: [] });
  await once(child, 'message');
  const ask = async (question: unknown) => {
    const answered = once(child, 'message');
    child.send(question as object);
    return (await answered)[0] as Visits;
  };
  return {
    since: (at) => ask({ at }),
    rate: async (rate) => void (await ask({ rate })),
    close: () => end(child),
  };
}

function end(child: ChildProcess): void {
  child.kill('SIGKILL');
}

interface Visit {
  readonly at: number;
  readonly answered: string;
  readonly isBad: boolean;
  readonly isSlow: boolean;
}

function visit(plan: VisitPlan): void {
  const visits: Visit[] = [];
  const now = () => performance.timeOrigin + performance.now();
  let number = 0;
  const ca = readFileSync(plan.authority);
  function one(): void {
    number += 1;
    const host = plan.addresses[number % plan.addresses.length];
    const path = plan.paths[Math.floor(number / plan.addresses.length) % plan.paths.length];
    const began = now();
    let isOver = false;
    const done = (answered: string, isBad: boolean) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      sent.destroy();
      visits.push({ at: now(), answered, isBad, isSlow: now() - began > slowMs });
      if (visits.length > keptMax) visits.splice(0, keptMax / 2);
    };
    const isTls = number % tlsEvery === 0;
    const way = { host, path, agent: false, headers: { host: 'shop.example', connection: 'close' } };
    const sent = isTls
      ? requestHttps({ ...way, port: plan.https, servername: 'shop.example', ca })
      : requestHttp({ ...way, port: plan.http });
    const timer = setTimeout(() => done('no answer', true), patienceMs);
    sent.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message, true));
    sent.on('response', (answer) => {
      let body = '';
      answer.on('data', (chunk) => {
        body += chunk;
      });
      answer.on('error', () => done('broken off', true));
      answer.on('end', () => {
        const { statusCode = 0 } = answer;
        if (statusCode >= 400) return done(String(statusCode), true);
        done(body.startsWith('shop') ? 'ok' : 'of another site', !body.startsWith('shop'));
      });
    });
    sent.end();
  }
  let rate = plan.ratePerSecond;
  let due = now();
  setInterval(() => {
    for (due = Math.max(due, now() - 500); due <= now(); due += 1_000 / rate) one();
  }, 2);
  process.on('message', ({ at, rate: next }: { at?: number; rate?: number }) => {
    if (next !== undefined) rate = next;
    if (process.connected) process.send?.(summed(visits.filter((one) => one.at >= (at ?? 0))));
  });
  process.on('disconnect', () => process.exit(0));
  process.on('SIGINT', () => {});
  process.send?.('visits');
}

function summed(visits: readonly Visit[]): Visits {
  const bad = visits.filter(({ isBad }) => isBad);
  const slow = visits.filter(({ isSlow }) => isSlow);
  const kinds = [...Map.groupBy(bad, ({ answered }) => answered)];
  return {
    requests: visits.length,
    bad: bad.length,
    slow: slow.length,
    firstBadAt: bad[0]?.at ?? null,
    firstSlowAt: slow[0]?.at ?? null,
    how: kinds.map(([answered, some]) => `${answered} x ${some.length}`).join(', '),
  };
}

if (import.meta.main) visit(JSON.parse(process.argv[2] ?? '{}') as VisitPlan);
