/** What each gate is for, and what it must let pass. Every case leaves the site as it found it, or better. */
import type { ChangeView } from '../../src/contract/api.ts';
import type { GateName } from '../../src/events/change.ts';
import { startOrigin } from '../../test/world/origins.ts';
import type { EngineOfField, Field, SiteWords } from './field.ts';

export interface Case {
  readonly gate: GateName;
  readonly name: string;
  /** What the gate has to say; `forced`: it refused, and the change went on. */
  readonly verdict: 'passed' | 'refused' | 'unknown' | 'forced' | 'nothing to do';
  readonly state: ChangeView['state'];
  /** In its summary. */
  readonly says?: RegExp;
  /** In a line of its evidence. */
  readonly shows?: RegExp;
  /** Absent: on every engine. */
  readonly only?: EngineOfField;
  how(field: Field): Promise<ChangeView>;
}

const eyes =
  'policies:\n  - { name: "two for the api", requests: { path: { type: PathPrefix, value: /api } }, approvals: 1 }\n';
const never =
  'policies:\n  - { name: "the api stays where it is", requests: { path: { type: PathPrefix, value: /api } }, always: api }\n';

/** Two recent requests, of which one goes to the api. */
function realRequests(field: Field): SiteWords {
  const line = (path: string) =>
    JSON.stringify({ method: 'GET', host: 'shop.example', path, scheme: 'http' });
  const accessLog = field.write('recent.log', `${['/', '/api/cart'].map(line).join('\n')}\n`);
  return { guard: `  rehearsal: { realRequests: { accessLog: ${accessLog} } }\n` };
}

/** The api is led to a pool of its own, whose check takes 500 for well. */
function moved(field: Field): string {
  const server = `{ name: web-5, address: "127.0.0.1:${field.origins[4]?.port}" }`;
  const check = '{ path: /health, expectStatus: [200, 500] }';
  return field
    .text([1, 2, 3], realRequests(field))
    .replace('value: /api } }], pool: api }', 'value: /api } }], pool: next }')
    .replace('pools:\n', `pools:\n  - { name: next, servers: [${server}], healthCheck: ${check} }\n`);
}

/** With words of the running site's own, which a change before brings; afterwards it is as it was. */
async function under(field: Field, running: string, how: () => Promise<ChangeView>): Promise<ChangeView> {
  const before = await field.change(running, { force: true, reason: 'what the case begins with' });
  if (before.state !== 'promoted' && before.state !== 'abandoned')
    throw new Error(`${before.state}: ${before.why}`);
  const view = await how();
  const after = await field.change(field.text([1, 2, 3]), {
    force: true,
    release: true,
    reason: 'as it was',
  });
  if (after.state !== 'promoted') throw new Error(`as it was: ${after.state}: ${after.why}`);
  return view;
}

export const cases: readonly Case[] = [
  {
    gate: 'parse',
    name: 'a route to a pool that is not there',
    verdict: 'refused',
    state: 'refused',
    says: /is not a site/,
    how: (f) => f.change(f.text([1, 2, 3]).replace('pool: web }', 'pool: wbe }')),
  },
  {
    gate: 'parse',
    name: 'a site with one more server',
    verdict: 'passed',
    state: 'promoted',
    how: (f) => f.change(f.text([1, 2, 3, 4])),
  },
  {
    gate: 'limits',
    name: 'two of four servers at once',
    verdict: 'refused',
    state: 'refused',
    says: /loses 2 of 4 servers/,
    how: (f) => f.change(f.text([1, 2])),
  },
  {
    gate: 'limits',
    name: 'one of four servers',
    verdict: 'passed',
    state: 'promoted',
    how: (f) => f.change(f.text([1, 2, 3])),
  },
  {
    gate: 'limits',
    name: 'the text that ran before',
    verdict: 'refused',
    state: 'refused',
    says: /the older one/,
    how: (f) => f.change(f.text([1, 2, 3, 4]), { older: false }),
  },
  {
    gate: 'limits',
    name: 'the text that ran before, meant so',
    verdict: 'passed',
    state: 'promoted',
    how: (f) => f.change(f.text([1, 2, 3, 4])),
  },
  {
    gate: 'limits',
    name: 'fewer spare balancers than the site wants',
    verdict: 'refused',
    state: 'refused',
    says: /leave 1 spare/,
    how: (f) => {
      const words = { limits: ', spareBalancersMin: 2' };
      return under(f, f.text([1, 2, 3], words), () => f.change(f.text([1, 2, 3, 5], words)));
    },
  },
  {
    gate: 'limits',
    name: 'how much traffic it moves, with nothing to tell it from',
    verdict: 'unknown',
    state: 'refused',
    says: /without an access log/,
    how: (f) => {
      const words = { limits: ', movedTrafficShareMax: 0.5' };
      return under(f, f.text([1, 2, 3], words), () => f.change(f.text([1, 2, 3, 5], words)));
    },
  },
  {
    gate: 'plan',
    name: 'a policy of the running site that would not hold',
    verdict: 'refused',
    state: 'refused',
    says: /the api stays where it is/,
    how: (f) => {
      const broken = f
        .text([1, 2, 3], { policies: never })
        .replace('value: /api } }], pool: api }', 'value: /apis } }], pool: api }');
      return under(f, f.text([1, 2, 3], { policies: never }), () => f.change(broken));
    },
  },
  {
    gate: 'plan',
    name: 'a change beside what the policy holds',
    verdict: 'passed',
    state: 'promoted',
    how: (f) =>
      under(f, f.text([1, 2, 3], { policies: never }), () =>
        f.change(f.text([1, 2, 3, 5], { policies: never })),
      ),
  },
  {
    gate: 'engine check',
    name: 'a listener on a port that another process has',
    verdict: 'refused',
    state: 'refused',
    how: async (f) => {
      const other = await startOrigin({ name: 'other', port: f.ports.free });
      const listener = `  - { name: more, address: "*:${f.ports.free}" }\n`;
      return await f.change(f.text([1, 2, 3], { listener })).finally(() => other.close());
    },
  },
  {
    gate: 'engine check',
    name: 'the same listener on a port that is free',
    verdict: 'passed',
    state: 'promoted',
    how: (f) =>
      f.change(f.text([1, 2, 3], { listener: `  - { name: more, address: "*:${f.ports.free}" }\n` })),
  },
  {
    gate: 'existence',
    name: 'a server that does not exist',
    verdict: 'refused',
    state: 'refused',
    says: /1 of 1 added server does not answer/,
    how: async (f) => {
      await f.origins[4]?.become('refuses');
      return await f.change(f.text([1, 2, 3, 5])).finally(() => f.origins[4]?.become('right'));
    },
  },
  {
    gate: 'existence',
    name: 'a server that answers its check with 500',
    verdict: 'refused',
    state: 'refused',
    how: async (f) => {
      await f.origins[4]?.become('errors');
      return await f.change(f.text([1, 2, 3, 5])).finally(() => f.origins[4]?.become('right'));
    },
  },
  {
    gate: 'existence',
    name: 'one that was dead before blocks nothing',
    verdict: 'passed',
    state: 'promoted',
    how: async (f) => {
      await f.change(f.text([1, 2, 3]));
      await f.origins[2]?.become('refuses');
      return await f.change(f.text([1, 2, 3, 5])).finally(() => f.origins[2]?.become('right'));
    },
  },
  {
    gate: 'existence',
    name: 'a server that answers its check for another site',
    verdict: 'refused',
    state: 'refused',
    shows: /"web-5"/,
    how: async (f) => {
      const words = { identity: '    identity: { body: "web-" }\n' };
      return await under(f, f.text([1, 2, 3], words), async () => {
        await f.origins[4]?.become('wrong');
        return await f.change(f.text([1, 2, 3, 5], words)).finally(() => f.origins[4]?.become('right'));
      });
    },
  },
  {
    gate: 'existence',
    name: 'the same server when it says that it is of this one',
    verdict: 'passed',
    state: 'promoted',
    how: (f) => {
      const words = { identity: '    identity: { body: "web-" }\n' };
      return under(f, f.text([1, 2, 3], words), () => f.change(f.text([1, 2, 3, 5], words)));
    },
  },
  {
    gate: 'rehearsal',
    name: 'recent real requests that come to servers which answer 500',
    verdict: 'refused',
    state: 'refused',
    shows:
      /GET http:\/\/shop.example.*\/api\/cart .*: 500 from next\/web-5, with what runs 200 from api\/web-1/,
    how: (f) =>
      under(f, f.text([1, 2, 3], realRequests(f)), async () => {
        await f.origins[4]?.become('errors');
        return await f.change(moved(f)).finally(() => f.origins[4]?.become('right'));
      }),
  },
  {
    gate: 'rehearsal',
    name: 'recent real requests that move as planned and are answered',
    verdict: 'passed',
    state: 'promoted',
    says: /1 of them otherwise, as planned/,
    shows: /^lb-1: for real requests: replaced /,
    how: (f) => under(f, f.text([1, 2, 3], realRequests(f)), () => f.change(moved(f))),
  },
  {
    gate: 'rehearsal',
    name: 'recent real requests without a log to take them from',
    verdict: 'unknown',
    state: 'refused',
    says: /there is no access log/,
    how: (f) => {
      const words = { guard: '  rehearsal: { realRequests: { accessLog: /nowhere/access.log } }\n' };
      return under(f, f.text([1, 2, 3], words), () => f.change(f.text([1, 2, 3, 5], words)));
    },
  },
  {
    gate: 'rehearsal',
    name: 'a text with which the engine takes many times the memory',
    verdict: 'refused',
    state: 'refused',
    only: 'haproxy',
    says: /takes more than 4 times the memory of what runs: \d+ ms, [4-9]\d\d MB/,
    how: (f) => {
      f.engineIs({ heavyWith: 'web-5' });
      return f.change(f.text([1, 2, 3, 5])).finally(() => f.engineIs({}));
    },
  },
  {
    gate: 'rehearsal',
    name: 'the same text with which it takes what it took',
    verdict: 'passed',
    state: 'promoted',
    only: 'haproxy',
    how: (f) => f.change(f.text([1, 2, 3, 5])),
  },
  {
    gate: 'rehearsal',
    name: 'an engine whose check passes what its start refuses',
    verdict: 'refused',
    state: 'refused',
    only: 'haproxy',
    how: (f) => {
      f.engineIs({ starts: false });
      return f.change(f.text([1, 2, 3, 6])).finally(() => f.engineIs({}));
    },
  },
  {
    gate: 'rehearsal',
    name: 'the same text when it starts',
    verdict: 'passed',
    state: 'promoted',
    says: /answered as planned/,
    how: (f) => f.change(f.text([1, 2, 3, 6])),
  },
  {
    gate: 'way back',
    name: 'a version with a known fault that this text runs into',
    verdict: 'refused',
    state: 'refused',
    only: 'haproxy',
    says: /haproxy-3337/,
    how: (f) => {
      f.engineIs({ version: '3.2.15-04ef5bd69' });
      return f.change(f.text([1, 2, 3, 4])).finally(() => f.engineIs({}));
    },
  },
  {
    gate: 'way back',
    name: 'the same version, which the site accepts',
    verdict: 'passed',
    state: 'promoted',
    only: 'haproxy',
    how: (f) => {
      const words = { guard: '  knownFaults: { accept: [haproxy-3337] }\n' };
      return under(f, f.text([1, 2, 3], words), () => {
        f.engineIs({ version: '3.2.15-04ef5bd69' });
        return f.change(f.text([1, 2, 3, 4], words)).finally(() => f.engineIs({}));
      });
    },
  },
  {
    gate: 'way back',
    name: 'a version without one',
    verdict: 'passed',
    state: 'promoted',
    says: /lb-1 to generation \d+, lb-2 to generation \d+/,
    shows: /a cold start of the last good text, in a sandbox: answered after \d+ ms/,
    how: (f) => f.change(f.text([1, 2, 3, 4])),
  },
  {
    gate: 'review',
    name: 'approved by its author, then by nobody',
    verdict: 'refused',
    state: 'abandoned',
    how: (f) =>
      under(f, f.text([1, 2, 3], { policies: eyes }), async () => {
        const { id } = await waiting(f, f.text([1, 2, 3], { policies: eyes, api: [1, 2] }));
        const own = await f
          .say(`/v1/changes/${id}/approve`, 'person:anna', '')
          .catch(({ message }) => message);
        if (own !== 'HF114') throw new Error(`its author's approval counts: ${JSON.stringify(own)}`);
        await f.say('/v1/abort', 'person:anna', 'not today');
        return await f.view(id);
      }),
  },
  {
    gate: 'review',
    name: 'approved by somebody else',
    verdict: 'passed',
    state: 'promoted',
    says: /approved by person:berta/,
    how: (f) =>
      under(f, f.text([1, 2, 3], { policies: eyes }), async () => {
        const { id } = await waiting(f, f.text([1, 2, 3], { policies: eyes, api: [1, 2] }));
        await f.say(`/v1/changes/${id}/approve`, 'person:berta', 'seen');
        return await ended(f, id);
      }),
  },
  {
    gate: 'review',
    name: 'break-glass',
    verdict: 'forced',
    state: 'promoted',
    how: (f) =>
      under(f, f.text([1, 2, 3], { policies: eyes }), () =>
        f.change(f.text([1, 2, 3], { policies: eyes, api: [1, 2] }), {
          breakGlass: true,
          reason: 'it burns',
        }),
      ),
  },
  {
    gate: 'canary',
    name: 'servers that pass their check and answer 500 to everybody',
    verdict: 'refused',
    state: 'rolled back',
    how: async (f) => {
      const broken = f.text([4, 5, 6]).replaceAll('path: /health', 'path: /health, expectStatus: [200, 500]');
      for (const n of [3, 4, 5]) await f.origins[n]?.become('errors');
      return await f
        .change(broken, { force: true, reason: 'past the limits, to the canary' })
        .finally(() => Promise.all([3, 4, 5].map((n) => f.origins[n]?.become('right'))));
    },
  },
  {
    gate: 'canary',
    name: 'other servers that answer as they should',
    verdict: 'passed',
    state: 'promoted',
    how: (f) => f.change(f.text([4, 5, 6]), { force: true, reason: 'past the limits' }),
  },
  {
    gate: 'bake',
    name: 'nobody confirms it within two seconds',
    verdict: 'refused',
    state: 'rolled back',
    says: /nobody confirmed it/,
    how: (f) => f.change(f.text([4, 5, 6, 1]), { confirmWithinMs: 2_000 }),
  },
  {
    gate: 'bake',
    name: 'a person confirms it',
    verdict: 'passed',
    state: 'promoted',
    says: /confirmed by person:anna/,
    shows: /a request in a slice of public traffic: .*has served/,
    how: async (f) => {
      const words = f.text([4, 5, 6, 2]);
      const { id } = await f.change(
        words,
        { confirmWithinMs: 60_000 },
        ({ confirm }) => confirm !== undefined,
      );
      await f.say(`/v1/changes/${id}/confirm`, 'person:anna', 'still here');
      return await ended(f, id);
    },
  },
  {
    gate: 'limits',
    name: 'a text that was rolled back before',
    verdict: 'refused',
    state: 'refused',
    says: /rolled back before/,
    how: (f) => f.change(f.text([4, 5, 6, 1])),
  },
  {
    gate: 'limits',
    name: 'what runs already',
    verdict: 'nothing to do',
    state: 'abandoned',
    how: (f) => f.change(f.text([4, 5, 6, 2])),
  },
];

const waiting = (f: Field, text: string) =>
  f.change(text, {}, ({ review, state }) => state === 'proposed' && review.needed !== null);

async function ended(f: Field, id: string): Promise<ChangeView> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const view = await f.view(id);
    if (view.endedAt !== null) return view;
    if (performance.now() > deadline) throw new Error(`${id} does not end: ${view.state}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
