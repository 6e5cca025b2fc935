import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { changeStates, finalStates } from '#events';
// The machine is the folder's own: no other folder needs it.
import { decide, type Finding, nextStates, type Stop } from '../../src/change/machine.ts';

const stops: readonly Stop[] = [
  { kind: 'taken back', balancer: 'lb-1', reason: 'errors', cause: 'errors' },
  { kind: 'taken back', balancer: 'lb-1', reason: 'lease', cause: 'lease' },
  { kind: 'evidence', balancer: 'lb-1', eValue: 2e6 },
  { kind: 'silent', balancer: 'lb-1', why: 'no answer' },
  { kind: 'broken', why: 'no space left', code: 'HF203' },
  { kind: 'person', by: 'person:anna', reason: '' },
];

const findings: readonly Finding[] = [
  { kind: 'nothing to do', why: 'the same' },
  { kind: 'gates answered', reports: [] },
  { kind: 'canary passed', why: '' },
  { kind: 'promoted everywhere' },
  { kind: 'controller ended', promotedEverywhere: false },
  { kind: 'controller ended', promotedEverywhere: true },
  ...stops.map((stop) => ({ kind: 'stopped', stop }) as const),
];

describe('the change machine', () => {
  it('from every state, a stop and the end of the controller lead to an end', () => {
    for (const state of changeStates.filter((one) => !finalStates.includes(one)))
      for (const finding of findings.filter(
        ({ kind }) => kind === 'stopped' || kind === 'controller ended',
      )) {
        const step = decide(state, finding);
        assert.ok(step && finalStates.includes(step.state), `${state}, ${JSON.stringify(finding)}`);
      }
  });

  it('whatever has had traffic is taken back when it stops, and only a person goes back from promoted', () => {
    for (const stop of stops) {
      for (const state of ['canary', 'baking'] as const)
        assert.equal(decide(state, { kind: 'stopped', stop })?.takeBack, true);
      for (const state of ['refused', 'rolled back', 'abandoned', 'superseded'] as const)
        assert.equal(decide(state, { kind: 'stopped', stop }), null);
    }
  });

  it('blames the text only when traffic or a person spoke against it', () => {
    const blamed = stops.filter((stop) => decide('canary', { kind: 'stopped', stop })?.quarantine);
    assert.deepEqual(
      blamed.map((stop) => (stop.kind === 'taken back' ? stop.cause : stop.kind)),
      ['errors', 'evidence', 'person'],
    );
  });

  it('however findings come, a change never leaves the table and ends at most once', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...findings), { maxLength: 12 }), (came) => {
        let state: (typeof changeStates)[number] = 'proposed';
        for (const finding of came) {
          const step = decide(state, finding);
          if (!step) continue;
          const allowed: readonly string[] = nextStates[state];
          assert.ok(allowed.includes(step.state));
          state = step.state;
        }
      }),
    );
  });
});
