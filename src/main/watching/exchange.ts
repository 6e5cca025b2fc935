import { type Clock, type Log, messageOf, secretReader } from '#base';
import {
  type ExpressionBook,
  expressionBook,
  type Family,
  type Monitoring,
  otlpMetrics,
  type PrometheusSource,
  readQueryAnswer,
} from '#monitor';
import { type Post, poster, resolver } from '#probe';

/** What goes between the monitor and other systems: series of Prometheus in, metrics by OTLP/HTTP out. */
export interface Exchange {
  are(settings: Monitoring | null): void;
  readonly expressions: ExpressionBook;
  close(): Promise<void>;
}

export interface ExchangeParts {
  readonly site: string;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly families: () => readonly Family[];
}

const answerBytesMax = 4 * 1024 * 1024;
const exportMsMax = 10_000;

export function exchange(parts: ExchangeParts): Exchange {
  const { clock, log } = parts;
  const startedAt = clock.now();
  const secret = secretReader(process.env);
  let of: Monitoring | null = null;
  let ending = new AbortController();
  let working: readonly Promise<void>[] = [];
  let expressions = expressionBook();

  async function every(ms: number, signal: AbortSignal, act: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      await act();
      await clock.sleep(ms, signal).catch(() => {});
    }
  }

  async function ask(source: PrometheusSource, post: Post, book: ExpressionBook): Promise<void> {
    for (const series of source.series) {
      const url = `${source.url.replace(/\/$/, '')}/api/v1/query?query=${encodeURIComponent(series.expression)}`;
      const answer = await (async () => {
        const headers: Record<string, string> = { accept: 'application/json' };
        if (source.authorization) headers.authorization = secret(source.authorization);
        const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(source.timeoutMs)]);
        const { body } = await post({ url, method: 'GET', headers, body: '' }, signal);
        return readQueryAnswer(body);
      })().catch((error: unknown) => ({ kind: 'nothing' as const, why: messageOf(error) }));
      if (!ending.signal.aborted) book.add(source, series, answer, clock.now());
    }
  }

  function exporter({ openTelemetry }: Monitoring, post: Post, signal: AbortSignal): Promise<void>[] {
    if (!openTelemetry) return [];
    let said = '';
    const { url, everyMs, headers } = openTelemetry;
    return [
      every(everyMs, signal, async () => {
        try {
          const body = JSON.stringify(otlpMetrics(parts.families(), { ...parts, startedAt }, clock.now()));
          const own = Object.fromEntries(headers.map(({ name, value }) => [name, secret(value)]));
          const within = AbortSignal.any([signal, AbortSignal.timeout(exportMsMax)]);
          const sent = { url, headers: { ...own, 'content-type': 'application/json' }, body };
          const { status } = await post(sent, within);
          if (status >= 300) throw new Error(`status ${status}`);
          said = '';
        } catch (error) {
          const why = messageOf(error);
          if (why !== said && !signal.aborted)
            log.warn('metrics are not taken by OpenTelemetry', { url, why });
          said = why;
        }
      }),
    ];
  }

  return {
    get expressions() {
      return expressions;
    },
    are(settings) {
      if (of === settings) return;
      of = settings;
      ending.abort();
      ending = new AbortController();
      const { signal } = ending;
      expressions = expressionBook();
      const book = expressions;
      const post = poster(resolver(settings?.allowedHosts ?? [], 'monitor.yaml'), answerBytesMax);
      const sources = settings?.prometheus ?? [];
      working = [
        ...sources.map((source) => every(source.everyMs, signal, () => ask(source, post, book))),
        ...(settings ? exporter(settings, post, signal) : []),
      ];
    },
    async close() {
      ending.abort();
      await Promise.all(working);
    },
  };
}
