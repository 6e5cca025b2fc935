import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arrivalsDetector } from '#detect';
import { seededRandom } from '../world/random.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
const alternativesPerMs = [0.2 / minute, 1 / minute, 6 / minute];
const aDay = { usualPerMs: 1 / day, alternativesPerMs, falseAlarmEveryMs: 300 * day };

test('three within two minutes speak where one a day is usual, and two an hour apart do not', () => {
  const detector = arrivalsDetector(aDay);
  assert.deepEqual(detector.arrived(0), { score: 0, alarm: false });
  assert.equal(detector.arrived(minute).alarm, false);
  assert.equal(detector.arrived(2 * minute).alarm, true);
  const calm = arrivalsDetector(aDay);
  calm.arrived(0);
  assert.equal(calm.arrived(60 * minute).alarm, false);
});

test('where many come on a usual day it takes more of them', () => {
  const busy = arrivalsDetector({ ...aDay, usualPerMs: 100 / day });
  const alarms = Array.from({ length: 20 }, (_, i) => busy.arrived((i * minute) / 2).alarm);
  assert.ok(alarms.indexOf(true) > 3, `spoke at ${alarms.indexOf(true)}`);
});

/** Of a Poisson process, in units of its mean. */
const waiting = (uniform: number) => -Math.log(1 - uniform);

for (const perDay of [1, 24, 100]) {
  test(`false alarms at ${perDay} a day: not more than it says`, () => {
    const random = seededRandom(5);
    const everyMs = 10 * day;
    const days = Math.ceil(20_000 / perDay ** 0.5);
    let detector = arrivalsDetector({ ...aDay, usualPerMs: perDay / day, falseAlarmEveryMs: everyMs });
    let alarms = 0;
    for (let at = 0; at < days * day; at += waiting(random.next()) * (day / perDay)) {
      if (!detector.arrived(at).alarm) continue;
      alarms += 1;
      detector = arrivalsDetector({ ...aDay, usualPerMs: perDay / day, falseAlarmEveryMs: everyMs });
    }
    // A simulation may be a little above what holds on average.
    assert.ok(alarms <= ((days * day) / everyMs) * 1.1, `${alarms} in ${days} days`);
  });
}

test('arrivals that are told as if time stood still count, and never break it', () => {
  const detector = arrivalsDetector(aDay);
  const alarms = Array.from({ length: 50 }, () => detector.arrived(1_000));
  assert.ok(alarms.every(({ score }) => Number.isFinite(score)));
  assert.ok(alarms.at(-1)?.alarm);
});
