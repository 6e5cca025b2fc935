import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { haproxyDialect, type Placement } from '#dialects';
import { haproxyEngine } from '#engines';
import { type HaproxyWorld, haproxyWorld } from '../world/haproxy.ts';
import { poolOf, serverOf, siteOf } from '../world/sites.ts';

let world: HaproxyWorld;
before(async () => {
  world = await haproxyWorld();
});
after(() => world.close());

const nobody = { uid: 65_534, gid: 65_534 };

function placed(folder: string, over: Partial<Placement> = {}): Placement {
  return {
    generation: 1,
    threads: 2,
    listeners: { http: { kind: 'unix', path: join(folder, 'http.sock') } },
    control: join(folder, 'control.sock'),
    entrance: join(folder, 'entrance.sock'),
    neighbour: join(folder, 'neighbour.sock'),
    certificates: {},
    ticketKeys: null,
    servers: null,
    ...over,
  };
}

function written(name: string, text: (folder: string) => string): { folder: string; textFile: string } {
  const folder = join(world.folder, name);
  mkdirSync(folder, { mode: 0o777 });
  const textFile = join(folder, 'haproxy.cfg');
  writeFileSync(textFile, text(folder));
  return { folder, textFile };
}

test('finds the binary and its version', () => {
  assert.match(world.binary.path, /haproxy$/);
  assert.match(world.binary.version, /^\d+\.\d+/);
});

test('HOLDFAST_HAPROXY names another binary, and one that is none is not found', async () => {
  process.env.HOLDFAST_HAPROXY = '/nowhere/haproxy';
  assert.equal(await haproxyEngine.find(), null);
  process.env.HOLDFAST_HAPROXY = '/bin/true';
  assert.equal(await haproxyEngine.find(), null);
  delete process.env.HOLDFAST_HAPROXY;
});

test('accepts our text without a warning, as an identity without rights', async () => {
  const site = siteOf({ pools: [poolOf('web', [80, 81])] });
  const { folder, textFile } = written('accepts', (at) => haproxyDialect.lower(site, placed(at)));
  const identity = process.getuid?.() === 0 ? nobody : null;
  const verdict = await haproxyEngine.check(world.binary, textFile, folder, identity);
  assert.deepEqual(
    { ...verdict, tookMs: 0 },
    { accepted: true, output: 'Configuration file is valid', tookMs: 0 },
  );
  assert.ok(verdict.tookMs > 0);
});

test("refuses with the engine's own words", async () => {
  const { folder, textFile } = written('refuses', () => 'global\n  nonsense 1\n');
  const verdict = await haproxyEngine.check(world.binary, textFile, folder, null);
  assert.equal(verdict.accepted, false);
  assert.match(verdict.output, /haproxy\.cfg:2.*unknown keyword 'nonsense'/);
});

test('a binary that cannot be run, or a text that is not there, is a verdict too', async () => {
  const missing = await haproxyEngine.check({ path: '/nowhere', version: '' }, '/x', world.folder, null);
  assert.equal(missing.accepted, false);
  assert.match(missing.output, /ENOENT/);
  const noText = await haproxyEngine.check(world.binary, join(world.folder, 'none.cfg'), world.folder, null);
  assert.equal(noText.accepted, false);
});

test('a name that does not resolve makes its server down, not the start fail', async () => {
  const servers = [serverOf('s1', 80, { host: 'nowhere.invalid' })];
  const site = siteOf({ pools: [poolOf('web', [], { servers })] });
  const { folder, textFile } = written('names', (at) => haproxyDialect.lower(site, placed(at)));
  const verdict = await haproxyEngine.check(world.binary, textFile, folder, null);
  assert.equal(verdict.accepted, true, verdict.output);
  assert.match(verdict.output, /could not resolve address 'nowhere.invalid'/);
});

test('a path with spaces and quotes reaches HAProxy as it is, parked or not', async () => {
  const odd = join(world.folder, 'odd \'$(touch x) "name');
  for (const parked of [true, false]) {
    const { file, args } = haproxyEngine.command(world.binary, { textFile: odd, parked });
    assert.equal(args.at(-1), odd);
    assert.ok(!args.slice(0, -1).some((arg) => arg.includes('touch')));
    assert.equal(file === world.binary.path, !parked);
  }
});
