import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  expressionBook,
  type ProbeResult,
  type PrometheusSeries,
  type PrometheusSource,
  probeBook,
  readQueryAnswer,
} from '#monitor';

const noon = Date.UTC(2026, 0, 5, 12);
const place = { file: 'monitor.yaml', line: 1, column: 1 };

function resultOf(over: Partial<ProbeResult>): ProbeResult {
  return {
    probe: 'home',
    kind: 'http',
    target: 'https://shop.example/',
    scope: { kind: 'site' },
    atBalancer: false,
    at: noon,
    everyMs: 10_000,
    ok: true,
    answered: 'status 200',
    tookMs: 5,
    status: 200,
    certificateValidTo: null,
    certificateDays: 14,
    ...over,
  };
}

test('a probe that fails is told when chance would do it too seldom for the budget, and ends with two good answers', () => {
  const book = probeBook(() => 1);
  const bad = { ok: false, answered: 'connection refused', status: 0 };
  for (let i = 0; i < 50; i += 1) book.add(resultOf({ at: noon + i }));
  book.add(resultOf(bad));
  book.add(resultOf(bad));
  assert.deepEqual(book.stated(noon), []);
  book.add(resultOf(bad));
  const [told] = book.stated(noon);
  assert.equal(told?.severity, 'critical');
  assert.match(
    told?.verdict.sentence ?? '',
    /^probe home has asked https:\/\/shop\.example\/ 3 times since 12:00:00 UTC and got: connection refused$/,
  );
  book.add(resultOf({}));
  assert.equal(book.stated(noon).length, 1);
  book.add(resultOf({}));
  assert.deepEqual(book.stated(noon), []);
});

test('when every balancer answers, the fault is in front of them', () => {
  const book = probeBook(() => 1);
  for (const balancer of ['lb-1', 'lb-2'])
    book.add(
      resultOf({ probe: 'each', target: balancer, atBalancer: true, scope: { kind: 'balancer', balancer } }),
    );
  for (let i = 0; i < 4; i += 1) book.add(resultOf({ ok: false, answered: 'connection refused' }));
  const [told] = book.stated(noon);
  assert.ok(told?.verdict.certain);
  assert.match(told.verdict.sentence, /the fault is in front of them/);
});

test('a certificate is told once for each place, sooner the nearer its end', () => {
  const book = probeBook(() => 1);
  const day = 86_400_000;
  const severity = (days: number) => {
    book.add(resultOf({ certificateValidTo: noon + days * day }));
    return book.stated(noon).map((one) => one.severity);
  };
  assert.deepEqual(
    [severity(20), severity(10), severity(2), severity(-1)],
    [[], ['warning'], ['error'], ['critical']],
  );
});

const source: PrometheusSource = {
  name: 'team',
  url: 'http://prometheus.example',
  authorization: null,
  everyMs: 15_000,
  timeoutMs: 5_000,
  series: [],
};

function seriesOf(over: Partial<PrometheusSeries>): PrometheusSeries {
  const bad = { comparison: '>', value: 5 } as const;
  return {
    name: 'checkout',
    expression: 'x',
    bad,
    forMs: 0,
    alert: true,
    gate: true,
    severity: 'error',
    place,
    ...over,
  };
}

test('a series is bad for as long as it says, stays so while nobody answers, and missing data is told', () => {
  const book = expressionBook();
  const series = seriesOf({ forMs: 30_000 });
  const vector = (value: string) =>
    readQueryAnswer(
      JSON.stringify({
        status: 'success',
        data: { resultType: 'vector', result: [{ metric: { __name__: 'x', shop: 'a' }, value: [1, value] }] },
      }),
    );
  book.add(source, series, vector('7'), noon);
  assert.deepEqual(book.against(), []);
  book.add(source, series, vector('+Inf'), noon + 30_000);
  const why = 'series team/checkout is bad (bad is > 5): Infinity of {shop="a"}';
  assert.deepEqual(book.against(), [{ why, since: noon + 30_000 }]);
  for (let i = 0; i < 3; i += 1)
    book.add(source, series, { kind: 'nothing', why: 'connection refused' }, noon + 31_000);
  assert.equal(book.against().length, 1);
  assert.deepEqual(
    book.stated().map(({ series: kind, severity }) => [kind, severity]),
    [
      ['expression', 'error'],
      ['silence', 'warning'],
    ],
  );
  book.add(source, series, vector('NaN'), noon + 40_000);
  assert.deepEqual([book.against(), book.stated()], [[], []]);
});

test('answers of any shape are read or refused, never thrown', () => {
  for (const text of [
    '',
    'null',
    '[]',
    '{}',
    '{"status":"success"}',
    '{"status":"error","error":"parse error"}',
  ])
    assert.equal(readQueryAnswer(text).kind, 'nothing', text);
  const matrix = '{"status":"success","data":{"resultType":"matrix","result":[]}}';
  assert.deepEqual(readQueryAnswer(matrix), {
    kind: 'nothing',
    why: 'the expression is a matrix: it has to be a vector or a scalar',
  });
  const odd =
    '{"status":"success","data":{"resultType":"vector","result":[null,{"value":1},{"value":[1,"2"]}]}}';
  assert.deepEqual(readQueryAnswer(odd), { kind: 'values', values: [{ labels: {}, value: 2 }] });
});
