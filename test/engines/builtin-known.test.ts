import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ask } from '../world/ask.ts';
import { type BuiltinWorld, builtinWorld } from '../world/builtin.ts';
import { type PublicSocket, until } from '../world/haproxy.ts';
import { checkOf, httpCheckOf, poolOf, siteOf } from '../world/sites.ts';

const callMs = 30_000;
const requests = 12;
/** Its own checks say nothing for as long as a test takes. */
const longMs = 600_000;

/** A generation that nobody tells anything after its start: it may be sent requests at once, by a holder whose agent has died. */
describe('what a generation of the built-in engine is given to know in its text', () => {
  let world: BuiltinWorld;
  let http: PublicSocket;
  beforeEach(async () => {
    world = await builtinWorld();
    http = await world.socket();
  });
  afterEach(() => world.close());

  for (const threads of [1, 2])
    test(`processes that carry requests: ${threads}; none goes to a server that is known to be down`, async () => {
      const good = await world.server('good');
      const silent = await world.rawServer(() => {});
      const healthCheck = checkOf({ http: httpCheckOf('/'), intervalMs: longMs, timeoutMs: longMs });
      const site = siteOf({ pools: [poolOf('web', [good.port, silent.port], { healthCheck })] });
      const [pool] = site.pools;
      const [, dead] = pool?.servers ?? [];
      const generation = await world.start(site, {
        name: 'a',
        sockets: { http },
        threads,
        knownDown: [`web/${dead?.name}`],
      });
      const answers = await Promise.all(Array.from({ length: requests }, () => ask(http.port)));
      assert.deepEqual(new Set(answers.map(({ body }) => body)), new Set(['good']));
      const seen = (await generation.control.servers(callMs)).find(({ server }) => server === dead?.name);
      assert.deepEqual(
        [seen?.state, seen?.lastCheck, seen?.requests],
        ['down', 'down in the generation before', 0],
      );
    });

  test('one that is well again gets requests after its first good check', async () => {
    const [good, back] = [await world.server('good'), await world.server('back')];
    const healthCheck = checkOf({ intervalMs: 10, rise: 1 });
    const site = siteOf({ pools: [poolOf('web', [good.port, back.port], { healthCheck })] });
    const names = site.pools[0]?.servers.map(({ name }) => `web/${name}`) ?? [];
    await world.start(site, { name: 'a', sockets: { http }, threads: 2, knownDown: names.slice(1) });
    await until('its requests', async () => (await ask(http.port)).body === 'back', 20_000);
  });
});
