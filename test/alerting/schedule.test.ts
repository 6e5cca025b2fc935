import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { onCallAt, shiftsOf } from '#alerting';
import { settingsOf } from './world.ts';

const hour = 3_600_000;
const day = 24 * hour;

const schedule = (timeZone: string, rotations: string, more = '') => {
  const text = `
notifiers: [{ name: n, command: { run: [x] } }]
people: [${['a', 'b', 'c'].map((name) => `{ name: ${name}, contacts: [{ notifier: n }] }`).join(', ')}]
schedules:
  - { name: s, timeZone: ${timeZone}, gaps: allowed, rotations: [${rotations}] ${more} }
policies: [{ name: p, steps: [{ page: [schedule: s] }] }]
`;
  const [only] = settingsOf(text).schedules;
  assert.ok(only);
  return only;
};

describe('a schedule', () => {
  it('changes at the local hour, in summer and in winter', () => {
    const weekly = schedule(
      'Europe/Berlin',
      '{ people: [a, b], starts: 2026-01-05, handover: "09:00", every: 1w }',
    );
    assert.equal(onCallAt(weekly, Date.UTC(2026, 0, 5, 7, 59)), null);
    assert.equal(onCallAt(weekly, Date.UTC(2026, 0, 5, 8)), 'a');
    assert.equal(onCallAt(weekly, Date.UTC(2026, 0, 12, 7, 59)), 'a');
    assert.equal(onCallAt(weekly, Date.UTC(2026, 0, 12, 8)), 'b');
    // Summer: an hour earlier by UTC.
    assert.equal(onCallAt(weekly, Date.UTC(2026, 6, 6, 6, 59)), 'b');
    assert.equal(onCallAt(weekly, Date.UTC(2026, 6, 6, 7)), 'a');
  });

  it('has nobody twice and nobody never in the nights of 23 and 25 hours, with a handover inside of them', () => {
    for (const [handover, spring, autumn] of [
      ['02:30', [23, 24, 24], [24, 25, 24]],
      ['03:00', [23, 24, 24], [24, 25, 24]],
    ] as const) {
      const daily = schedule(
        'Europe/Berlin',
        `{ people: [a, b, c], starts: 2026-01-01, handover: "${handover}", every: 1d }`,
      );
      for (const [month, date, lengths] of [
        [2, 27, spring],
        [9, 24, autumn],
      ] as const) {
        const shifts = shiftsOf(daily, Date.UTC(2026, month, date), Date.UTC(2026, month, date + 6)).slice(
          1,
          -1,
        );
        const people = shifts.map(({ person }) => person);
        assert.equal(new Set(people.slice(0, 3)).size, 3, people.join());
        const hours = shifts.map(({ from, until }) => (until - from) / hour);
        assert.equal(
          hours.reduce((sum, one) => sum + one, 0),
          shifts.length * 24 + (month === 2 ? -1 : 1),
        );
        assert.ok(
          hours.every((one) => one >= 22.5 && one <= 25),
          `${hours} ${lengths}`,
        );
      }
    }
  });

  it('puts overrides above rotations, and later rotations above earlier ones', () => {
    const layered = schedule(
      'UTC',
      '{ people: [a], starts: 2026-01-01 }, { people: [b], starts: 2026-01-01, during: { days: [sat, sun], from: "22:00", to: "06:00" } }',
      ', overrides: [{ person: c, from: 2026-01-03T23:00, until: 2026-01-04T00:00 }]',
    );
    const at = (date: number, hours: number) => onCallAt(layered, Date.UTC(2026, 0, date, hours));
    assert.deepEqual(
      [at(3, 21), at(3, 22), at(3, 23), at(4, 0), at(4, 5), at(4, 6)],
      ['a', 'b', 'c', 'b', 'b', 'a'],
    );
    // The night from Friday to Saturday began on a Friday.
    assert.equal(at(3, 1), 'a');
  });

  it('is a partition of time in every zone: shifts meet without a hole, and each moment agrees with its shift', () => {
    const zones = [
      'Europe/Berlin',
      'America/Sao_Paulo',
      'Australia/Lord_Howe',
      'Pacific/Apia',
      'Africa/Casablanca',
      'UTC',
    ];
    const rotation = fc.record({
      handover: fc.constantFrom('00:00', '01:30', '02:00', '02:30', '09:00', '23:59'),
      every: fc.constantFrom('1d', '2d', '1w'),
      hours: fc.constantFrom(
        '',
        ', during: { days: [mon, wed, sun], from: "01:00", to: "02:30" }',
        ', during: { days: [sat], from: "20:00", to: "08:00" }',
      ),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.array(rotation, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 0, max: 700 }),
        (zone, rotations, days) => {
          const text = rotations.map(
            ({ handover, every, hours }) =>
              `{ people: [a, b, c], starts: 2025-12-20, handover: "${handover}", every: ${every}${hours} }`,
          );
          const one = schedule(zone, text.join(', '));
          const from = Date.UTC(2025, 11, 25) + days * day;
          const until = from + 8 * day;
          const shifts = shiftsOf(one, from, until);
          assert.equal(shifts[0]?.from, from);
          assert.equal(shifts.at(-1)?.until, until);
          for (const [i, shift] of shifts.entries()) {
            if (i > 0) assert.equal(shift.from, shifts[i - 1]?.until);
            assert.ok(shift.until > shift.from);
            for (const share of [0, 0.3, 0.7, 0.999])
              assert.equal(
                onCallAt(one, Math.floor(shift.from + (shift.until - shift.from) * share)),
                shift.person,
              );
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
