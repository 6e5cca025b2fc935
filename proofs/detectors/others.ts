import {
  absenceDetector,
  budget,
  burnWatch,
  fullnessWatch,
  lateDetector,
  recoveryDetector,
  shiftDetector,
} from '../../src/detect/index.ts';
import { type Random, seededRandom } from '../../test/world/random.ts';
import type { Proof } from '../proof.ts';
import { round } from './delays.ts';

const tickMs = 100;
const dayTicks = 864_000;
const days = 5;
const learnTicks = 3_000;
const h = budget({ tickMs, series: 4, falseAlarmsPerMonth: 1 }).threshold(null);

/** Traffic that disappears, requests that take longer or hang, recovery, fullness, objectives. */
export async function others(proof: Proof): Promise<void> {
  const random = seededRandom(4);
  absence(proof, random);
  await falseAbsence(proof, random);
  late(proof, random);
  shift(proof, random);
  recovery(proof, random);
  fullness(proof);
  burning(proof);
}

function absence(proof: Proof, random: Random): void {
  proof.say('Traffic that disappears: seconds until it is an alarm, mean of 50');
  for (const [perSecond, most] of [
    [10, 2.9],
    [100, 0.5],
    [1_000, 0.2],
  ] as const) {
    const delays = Array.from({ length: 50 }, () => {
      const detector = absenceDetector({ learnTicks });
      for (let i = 0; i < 2 * learnTicks; i += 1) detector.tick(random.poisson(perSecond / 10));
      for (let tick = 1; ; tick += 1) if (detector.tick(0).score >= h) return tick / 10;
    });
    proof.atMost(
      `all of ${perSecond}/s`,
      round(delays.reduce((sum, d) => sum + d, 0) / delays.length, 2),
      most,
      's',
    );
  }
}

/** Requests a tick, in the middle, by the time of day: night has a tenth of it. */
type Shape = (tick: number, random: Random) => number;
const shapes: Readonly<Record<string, Shape>> = {
  steady: (_tick, random) => random.poisson(10),
  daily: (tick, random) => random.poisson(10 * daily(tick)),
  bursty: (tick, random) =>
    (tick % 7 === 0 ? random.poisson(35) : random.poisson(6)) * (random.next() < 0.02 ? 3 : 1),
};
function daily(tick: number): number {
  return 0.55 - 0.45 * Math.cos((2 * Math.PI * tick) / dayTicks);
}

/** All detectors that look at arrivals and times, over days of traffic in which nothing is wrong. */
async function falseAbsence(proof: Proof, random: Random): Promise<void> {
  proof.say(`False alarms of traffic, times and requests in hand in ${days} days of each kind of traffic`);
  for (const [name, shape] of Object.entries(shapes)) {
    const [gone, slow, hung] = [absenceDetector({ learnTicks }), shiftDetector(), lateDetector()];
    const alarms = { gone: 0, slow: 0, hung: 0 };
    const isNew = { gone: true, slow: true, hung: true };
    const note = (kind: keyof typeof alarms, score: number) => {
      if (score >= h && isNew[kind]) alarms[kind] += 1;
      isNew[kind] = score < h / 2;
    };
    let inHand = 0;
    for (let tick = 0; tick < days * dayTicks; tick += 1) {
      const arrived = shape(tick, random);
      note('gone', gone.tick(arrived).score);
      // Times with a heavy tail: the middle of 20 ms, one of a thousand above 600.
      let timeMs = 0;
      for (let i = 0; i < arrived; i += 1) timeMs += 20 * (1 - random.next()) ** -0.5;
      note('slow', slow.tick(arrived, timeMs).score);
      const finished = random.binomial(inHand + arrived, 0.8);
      inHand += arrived - finished;
      note('hung', hung.tick(finished, inHand, tickMs).score);
      if (tick % 100_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    for (const [kind, count] of Object.entries(alarms)) proof.atMost(`${name} traffic: ${kind}`, count, 1);
  }
}

function late(proof: Proof, random: Random): void {
  const delays = Array.from({ length: 50 }, () => {
    const detector = lateDetector();
    let inHand = 0;
    for (let i = 0; i < 1_000; i += 1) {
      const arrived = random.poisson(10);
      const finished = random.binomial(inHand + arrived, 0.8);
      inHand += arrived - finished;
      detector.tick(finished, inHand, tickMs);
    }
    for (let tick = 1; ; tick += 1) {
      inHand += random.poisson(10);
      if (detector.tick(0, inHand, tickMs).score >= h) return tick / 10;
    }
  });
  proof.atMost(
    '100/s that are all taken and never answered: seen after, mean',
    round(delays.reduce((s, d) => s + d, 0) / delays.length, 2),
    3,
    's',
  );
}

function shift(proof: Proof, random: Random): void {
  const delays = Array.from({ length: 50 }, () => {
    const detector = shiftDetector();
    const tick = (middleMs: number) => {
      const requests = random.poisson(10);
      let timeMs = 0;
      for (let i = 0; i < requests; i += 1) timeMs += middleMs * (0.5 + random.next());
      return detector.tick(requests, timeMs).score;
    };
    for (let i = 0; i < 1_000; i += 1) tick(20);
    for (let at = 1; ; at += 1) if (tick(500) >= h) return at / 10;
  });
  proof.atMost(
    '100/s that take 500 ms and not 20: seen after the first has finished, mean',
    round(delays.reduce((s, d) => s + d, 0) / delays.length, 2),
    2,
    's',
  );
}

function recovery(proof: Proof, random: Random): void {
  const ends = (badShare: number) => {
    const detector = recoveryDetector({ baseline: 1e-3, threshold: h, faultShare: 0.05 });
    for (let tick = 1; tick <= 6_000; tick += 1) {
      const n = random.poisson(10);
      if (detector.tick(n, random.binomial(n, badShare)).recovered) return tick / 10;
    }
    return null;
  };
  const back = Array.from({ length: 100 }, () => ends(1e-3) ?? Number.POSITIVE_INFINITY);
  proof.atMost(
    'recovered at 100/s: told after, mean',
    round(back.reduce((s, d) => s + d, 0) / back.length, 1),
    8,
    's',
  );
  const still = Array.from({ length: 100 }, () => ends(0.1)).filter((one) => one !== null).length;
  proof.atMost('told recovered in ten minutes though 10 % are bad, of 100', still, 0);
  const nothing = recoveryDetector({ baseline: 1e-3, threshold: h });
  let told = 0;
  for (let i = 0; i < 6_000; i += 1) if (nothing.tick(0, 0).recovered) told += 1;
  proof.atMost('told recovered without any traffic', told, 0);
}

function fullness(proof: Proof): void {
  const watch = fullnessWatch();
  let inMs: number | null = null;
  for (let i = 0; i < 30; i += 1) inMs = watch.add(i * 1_000, 0.5 + 0.01 * i).fullInMs;
  proof.holds(
    'descriptors that grow by 1 % a second at 79 %: full in',
    `${Math.round((inMs ?? 0) / 1_000)} s`,
    '21 s',
    inMs !== null && Math.abs(inMs - 21_000) < 1_000,
  );
  const steady = fullnessWatch();
  let said: number | null = null;
  for (let i = 0; i < 60; i += 1) said = steady.add(i * 1_000, 0.5 + (i % 2) * 0.01).fullInMs;
  proof.holds('what goes up and down', said === null ? 'never' : `${said} ms`, 'never', said === null);
}

function burning(proof: Proof): void {
  const hourMs = 3_600_000;
  const watch = burnWatch(0.999);
  for (let at = 0; at < 24 * hourMs; at += 60_000) watch.add(at, 1_000, 0.5);
  const calm = watch.burning(24 * hourMs);
  for (let at = 24 * hourMs; at < 24.1 * hourMs; at += 60_000) watch.add(at, 1_000, 200);
  const fast = watch.burning(24.1 * hourMs);
  for (let at = 24.1 * hourMs; at < 25 * hourMs; at += 60_000) watch.add(at, 1_000, 0);
  const over = watch.burning(25 * hourMs);
  proof.holds(
    'objective 99.9 %, half of it used evenly',
    calm === null ? 'no alert' : calm.window.severity,
    'no alert',
    calm === null,
  );
  proof.holds(
    'one of five fails for six minutes',
    fast?.window.severity ?? 'no alert',
    'critical',
    fast?.window.severity === 'critical',
  );
  proof.holds(
    'and 54 minutes after',
    over === null || over.window.severity !== 'critical' ? 'critical no more' : 'critical',
    'critical no more',
    over?.window.severity !== 'critical',
  );
}
