import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '#base';
import { budget, type HistoryTick } from '#detect';
import { seriesCount } from '#monitor';
import type { OpenTicks } from '#store';
import { calibrated } from '../../src/main/watching/past.ts';
import { seededRandom } from '../world/random.ts';

const dayMs = 86_400_000;
const noon = Date.UTC(2026, 0, 20, 12);
const falseAlarmsPerMonth = 1;
const plan = { balancers: ['lb-1'], series: seriesCount(1, 1), falseAlarmsPerMonth, faults: [] };

/** Two weeks: bursts of so many bad answers of a hundred, each hour; and an outage where it is said. */
function past(burst: number, outage: boolean, days = 14): OpenTicks {
  const random = seededRandom(3);
  const history: (HistoryTick & { at: number })[] = [];
  for (let at = noon - days * dayMs; at < noon; at += 60_000) {
    const isBurst = random.next() < 1 / 60;
    history.push({ at, requests: 5_900, bad: 0 });
    if (isBurst) history.push({ at, requests: 100, bad: Math.round(burst * (0.5 + random.next())) });
    if (outage && at > noon - 2 * dayMs && at < noon - 2 * dayMs + 600_000)
      history.push({ at, requests: 6_000, bad: 5_400 });
  }
  return { history: () => ({ history, knownMs: days * dayMs }) } as unknown as OpenTicks;
}

test('bursts of the past raise thresholds; an outage that was told does not, and a short past says nothing', () => {
  const formula = budget({ falseAlarmsPerMonth, series: plan.series, tickMs: 100 }).threshold(null);
  const of = (ticks: OpenTicks, faults = plan.faults as readonly { from: number; to: number }[]) =>
    calibrated(ticks, { ...plan, faults }, noon, silentLog);
  const bursty = of(past(8, false)) ?? 0;
  assert.ok(bursty > formula, `${bursty} for bursts, ${formula} by the formula`);
  assert.ok((of(past(1, false)) ?? 0) < bursty);
  const told = [{ from: noon - 2 * dayMs, to: noon - 2 * dayMs + 600_000 }];
  const [withTold, without] = [of(past(8, true), told) ?? 0, of(past(8, true)) ?? 0];
  assert.ok(
    Math.abs(withTold - bursty) < 1,
    `${withTold} beside an outage that was told, ${bursty} without one`,
  );
  assert.ok(without <= 60);
  assert.equal(of(past(8, false, 3)), undefined);
});
