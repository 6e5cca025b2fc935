import { z } from 'zod';
import { type Diagnostic, type Place, secretRefOf } from '#base';
import { documentReader, durationOrNull, type Site } from '#model';
import { monitorSchema } from './schema.ts';
import { mistakesIn } from './sense.ts';
import {
  type Condition,
  comparisons,
  type Monitoring,
  type Objective,
  type ObjectiveOf,
  type Probe,
  type ProbeAsks,
} from './settings.ts';

export type MonitorDocument = z.output<ReturnType<typeof monitorSchema>>;
export type PlaceOf = (path: readonly (string | number)[]) => Place;

export interface ReadMonitoring {
  /** Null as soon as there is a mistake. */
  readonly monitoring: Monitoring | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** Whether a text is one: neither a site nor an on-call file has these keys, or lacks theirs. */
export function isMonitorFile(text: string): boolean {
  const mine = /^["']?(?:objectives|probes|prometheus|openTelemetry|falseAlarmsPerMonth)["']?:/m.test(text);
  return mine && !/^["']?(?:site|listeners|notifiers)["']?:/m.test(text);
}

/** What an editor shows while the file is written: schema/monitor.schema.json. */
export function monitorJsonSchema(): object {
  const { $schema, ...rest } = z.toJSONSchema(monitorSchema(), { io: 'input', target: 'draft-7' });
  return {
    $schema,
    title: 'What is watched of a site: objectives, probes, series of other systems',
    ...rest,
  };
}

/** Every mistake at once, each with its place. Never throws, whatever the text. `site`: names are held against it; null: against nothing. */
export function readMonitoring(text: string, file: string, site: Site | null): ReadMonitoring {
  const { value, placeOf, ...read } = documentReader().readDocument(text, file, monitorSchema());
  if (value === null) return { monitoring: null, diagnostics: read.diagnostics };
  const diagnostics = [...read.diagnostics, ...mistakesIn(value, placeOf, site)];
  const isWrong = diagnostics.some(({ severity }) => severity === 'error');
  return { monitoring: isWrong ? null : build(value, file, placeOf), diagnostics };
}

function msOf(word: string): number {
  return durationOrNull(word) ?? 0;
}

function build(value: MonitorDocument, file: string, placeOf: PlaceOf): Monitoring {
  const { falseAlarmsPerMonth, allowedHosts, openTelemetry: otel } = value;
  return {
    file,
    falseAlarmsPerMonth,
    objectives: value.objectives.map((one, i) => objectiveOf(one, placeOf(['objectives', i]))),
    probes: value.probes.map((one, i) => probeOf(one, placeOf(['probes', i]))),
    prometheus: value.prometheus.map(({ name, url, authorization, every, timeout, series }, i) => ({
      name,
      url,
      authorization: authorization ? secretRefOf(authorization) : null,
      everyMs: msOf(every),
      timeoutMs: msOf(timeout),
      series: series.map(({ name: of, expr, bad, for: forWord, alert, gate, severity }, j) => ({
        name: of,
        expression: expr,
        bad: conditionOf(bad),
        forMs: msOf(forWord),
        alert,
        gate,
        severity,
        place: placeOf(['prometheus', i, 'series', j]),
      })),
    })),
    openTelemetry: otel
      ? {
          url: otel.url,
          everyMs: msOf(otel.every),
          headers: otel.headers.map((one) => ({ name: one.name, value: secretRefOf(one.value) })),
        }
      : null,
    allowedHosts,
  };
}

function objectiveOf(one: MonitorDocument['objectives'][number], place: Place): Objective {
  const { name, availability, latency, window } = one;
  const percent = Number((latency?.share ?? availability ?? '99%').slice(0, -1));
  const share = Math.round(percent * 1e5) / 1e7;
  return {
    name,
    of: whoseOf(one),
    share,
    withinMs: latency ? msOf(latency.within) : null,
    windowDays: Number(window.slice(0, -1)),
    place,
  };
}

function whoseOf({ listener, route, pool, probe }: MonitorDocument['objectives'][number]): ObjectiveOf {
  if (listener !== undefined) return { kind: 'listener', listener };
  if (route !== undefined) return { kind: 'route', route };
  if (pool !== undefined) return { kind: 'pool', pool };
  return probe === undefined ? { kind: 'site' } : { kind: 'probe', probe };
}

function probeOf(one: MonitorDocument['probes'][number], place: Place): Probe {
  const { name, every, timeout } = one;
  return { name, everyMs: msOf(every), timeoutMs: msOf(timeout), asks: asksOf(one), place };
}

function asksOf({ http, tcp, tls, dns, servers, ways }: MonitorDocument['probes'][number]): ProbeAsks {
  if (http) {
    const { url, method, expectStatus, expectBody: body = null, from, certificateDays } = http;
    const statuses = expectStatus.map(rangeOf);
    return { kind: 'http', url, method, statuses, body, from, certificateDays };
  }
  if (tcp) return { kind: 'tcp', ...addressIn(tcp.address) };
  if (tls) {
    const { host, port } = addressIn(tls.address);
    return {
      kind: 'tls',
      host,
      port,
      serverName: tls.name ?? host,
      certificateDays: tls.certificateDays,
    };
  }
  if (dns) return { kind: 'dns', ...dns, server: dns.server ?? null };
  return servers
    ? { kind: 'servers', pool: servers.pool ?? null }
    : { kind: 'ways', below: ways?.below ?? 10 };
}

function rangeOf(word: number | string): { from: number; to: number } {
  const [from = 0, to = from] = String(word).split('-').map(Number);
  return { from, to };
}

/** `shop.example:443`, `[2001:db8::1]:443`. */
export function addressIn(word: string): { readonly host: string; readonly port: number } {
  const at = word.lastIndexOf(':');
  return { host: word.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(word.slice(at + 1)) };
}

function conditionOf(word: string): Condition {
  const comparison = comparisons.toSorted((a, b) => b.length - a.length).find((c) => word.startsWith(c));
  return { comparison: comparison ?? '>', value: Number(word.slice((comparison ?? '>').length)) };
}
