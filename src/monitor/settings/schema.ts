import { z } from 'zod';
import { type SettingsWords, settingsWords } from '#model';
import { dnsTypes } from './settings.ts';

const percentWord = /^\d{1,2}(?:\.\d{1,5})?%$/;
const address = /^(?:\[[0-9A-Fa-f:.]+\]|[^:[\]\s]{1,253}):\d{1,5}$/;
const hostOnly = /^[A-Za-z0-9_.-]{1,253}$/;

/** What monitor.yaml looks like; `read.ts` says what it means. */
export function monitorSchema() {
  const words = settingsWords();
  const { name, some, line, url, secret, duration, number } = { ...words, number: between };
  return z.strictObject(
    {
      falseAlarmsPerMonth: number(0.01, 100).default(1),
      objectives: some(objectiveSchema(words), 'objectives').default([]),
      probes: some(probeSchema(words), 'probes').default([]),
      prometheus: some(prometheusSchema(words), 'Prometheus servers').default([]),
      openTelemetry: z
        .strictObject(
          {
            url,
            every: duration('15s'),
            headers: some(z.strictObject({ name, value: secret }, 'name, value'), 'headers').default([]),
          },
          'url, every, headers',
        )
        .optional(),
      allowedHosts: some(line('a host, as the address has it'), 'hosts').default([]),
    },
    'a monitor file: falseAlarmsPerMonth, objectives, probes, prometheus, openTelemetry, allowedHosts',
  );
}

function between(from: number, to: number) {
  const expected = `a number from ${from} to ${to}`;
  return z.number(expected).min(from, expected).max(to, expected);
}

function percent({ text }: SettingsWords) {
  return text('a share such as 99.9%', percentWord).refine(
    (word) => Number(word.slice(0, -1)) >= 1,
    'a share such as 99.9%',
  );
}

function objectiveSchema(words: SettingsWords) {
  const { name, text, duration } = words;
  const share = percent(words);
  return z.strictObject(
    {
      name,
      listener: name.optional(),
      route: name.optional(),
      pool: name.optional(),
      probe: name.optional(),
      availability: share.optional(),
      latency: z.strictObject({ within: duration('300ms'), share }, 'within, share').optional(),
      window: text('a number of days from 1d to 35d', /^(?:[1-9]|[12]\d|3[0-5])d$/).default('30d'),
    },
    'an objective: name, one of listener, route, pool, probe (none: the whole site), availability or latency, window',
  );
}

function probeSchema(words: SettingsWords) {
  const { name, text, line, list, duration, wholeNumber, url } = words;
  const days = wholeNumber(1, 365).default(14);
  const place = text('an address such as shop.example:443', address);
  const host = text('a host name such as "shop.example"', hostOnly);
  return z.strictObject(
    {
      name,
      every: duration('10s'),
      timeout: duration('2s'),
      http: z
        .strictObject(
          {
            url,
            method: z.enum(['GET', 'HEAD'], 'one of "GET", "HEAD"').default('GET'),
            expectStatus: list(
              z.union([wholeNumber(100, 599), text('a range such as 200-399', /^[1-5]\d\d-[1-5]\d\d$/)]),
              'statuses',
              1,
              50,
            ).default(['200-399']),
            expectBody: line('a text').optional(),
            from: z.enum(['outside', 'balancers'], 'one of "outside", "balancers"').default('outside'),
            certificateDays: days,
          },
          'url, method, expectStatus, expectBody, from, certificateDays',
        )
        .optional(),
      tcp: z.strictObject({ address: place }, 'address').optional(),
      tls: z
        .strictObject(
          { address: place, name: host.optional(), certificateDays: days },
          'address, name, certificateDays',
        )
        .optional(),
      dns: z
        .strictObject(
          {
            name: host,
            type: z
              .enum(dnsTypes, `one of ${dnsTypes.map((one) => JSON.stringify(one)).join(', ')}`)
              .default('A'),
            server: text('an IP address, with a port or without', /^[0-9A-Fa-f:.[\]]{2,64}$/).optional(),
            expect: list(line('an answer'), 'answers', 0, 50).default([]),
          },
          'name, type, server, expect',
        )
        .optional(),
      servers: z.strictObject({ pool: name.optional() }, 'pool').optional(),
      ways: z.strictObject({ below: between(0, 100_000).default(10) }, 'below').optional(),
    },
    'a probe: name, every, timeout, and one of http, tcp, tls, dns, servers, ways',
  );
}

function prometheusSchema({ name, some, text, url, secret, duration, yesOrNo }: SettingsWords) {
  const series = z.strictObject(
    {
      name,
      expr: z.string('a PromQL expression').min(1).max(10_000),
      bad: text(
        'a comparison and a number, such as "> 0.05"',
        /^(?:[<>]=?|[!=]=)\s*[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i,
      ),
      for: text('a duration up to 24h, such as 30s', /^\d{1,5}(?:ms|s|m|h)$/).default('0s'),
      alert: yesOrNo(true),
      gate: yesOrNo(false),
      severity: z
        .enum(['critical', 'error', 'warning'], 'one of "critical", "error", "warning"')
        .default('error'),
    },
    'a series: name, expr, bad, for, alert, gate, severity',
  );
  return z.strictObject(
    {
      name,
      url,
      authorization: secret.optional(),
      every: duration('15s'),
      timeout: duration('5s'),
      series: some(series, 'series', 1),
    },
    'a Prometheus server: name, url, authorization, every, timeout, series',
  );
}
