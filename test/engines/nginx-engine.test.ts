import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { nginxDialect, nginxNames } from '#dialects';
import { nginxEngine } from '#engines';
import { followLog } from '../../src/engines/nginx/log.ts';
import { siteOf as parsedSite } from '../model/site.ts';
import { ask } from '../world/ask.ts';
import { type HaproxyWorld, nginxWorld, until } from '../world/haproxy.ts';
import { poolOf, siteOf } from '../world/sites.ts';

let world: HaproxyWorld;
before(async () => {
  world = await nginxWorld();
});
after(() => world.close());

const isRoot = process.getuid?.() === 0;
const nobody = isRoot ? { uid: 65_534, gid: 65_534 } : null;

test('finds the binary and its version, and HOLDFAST_NGINX names another', async () => {
  assert.match(world.binary.version, /^\d+\.\d+/);
  process.env.HOLDFAST_NGINX = '/bin/true';
  assert.equal(await nginxEngine.find(), null);
  delete process.env.HOLDFAST_NGINX;
});

test('a check neither deletes nor empties what the text names outside of its folder', {
  skip: !isRoot,
}, async () => {
  const folder = join(world.folder, 'check');
  mkdirSync(folder);
  chownSync(folder, 65_534, 65_534);
  const outside = join(world.folder, 'outside');
  mkdirSync(outside, { mode: 0o755 });
  const precious = ['nginx.pid', 'access.log', 'error.log'].map((name) => join(outside, name));
  for (const path of precious) writeFileSync(path, 'precious');
  const textFile = join(folder, 'nginx.conf');
  const [pid = '', access = '', error = ''] = precious;
  writeFileSync(
    textFile,
    `pid ${pid};\nerror_log ${error};\nevents {}\nhttp { access_log ${access}; server { listen unix:${folder}/x.sock; } }\n`,
  );
  const verdict = await nginxEngine.check(world.binary, textFile, folder, nobody);
  assert.equal(verdict.accepted, false);
  assert.match(verdict.output, /Permission denied/);
  for (const path of precious) assert.equal(readFileSync(path, 'utf8'), 'precious');
  const asRoot = await nginxEngine.check(world.binary, textFile, folder, null);
  assert.equal(asRoot.accepted, false);
  assert.match(asRoot.output, /not run as root/);
  for (const path of precious) assert.equal(readFileSync(path, 'utf8'), 'precious');
});

test("refuses with the engine's own words", async () => {
  const folder = join(world.folder, 'refuses');
  mkdirSync(folder, { mode: 0o777 });
  chmodSync(folder, 0o777);
  const textFile = join(folder, 'nginx.conf');
  writeFileSync(textFile, 'events {}\nnonsense 1;\n');
  const verdict = await nginxEngine.check(world.binary, textFile, folder, nobody);
  assert.equal(verdict.accepted, false);
  assert.match(verdict.output, /unknown directive "nonsense".*nginx\.conf:2/);
});

test('a log that cannot be written fails no request, and its evidence is refused, not wrong', async () => {
  const http = await world.socket();
  const server = await world.server('web-1');
  const site = siteOf({ pools: [poolOf('web', [server.port])] });
  const { control } = await world.start(site, { name: 'full', sockets: { http } });
  await control.evidence(500);
  const log = join(world.folder, 'full', nginxNames.files.bad);
  const size = statSync(log).size;
  // At the size at which its own limit ends every write, as a full disk would.
  truncateSync(log, 64 * 1024 * 1024);
  await until('evidence is refused', () =>
    control.evidence(500).then(
      () => false,
      (error) => /log of NGINX is not written/.test(String(error)),
    ),
  );
  assert.equal((await ask(http.port)).status, 200);
  truncateSync(log, size);
  assert.equal((await ask(http.port)).status, 200);
});

test('a log that has grown is put aside and read to its end, by everybody who reads it', async () => {
  const path = join(world.folder, 'grown.log');
  let nowMs = 0;
  let reopened = 0;
  const reopen = () => {
    reopened += 1;
    writeFileSync(path, 'after\n');
  };
  writeFileSync(path, 'first\n');
  const readers = [1, 2].map(() => followLog(path, reopen, () => nowMs));
  const read = () => readers.map((reader) => reader.read().length);
  assert.deepEqual(read(), [1, 1]);
  appendFileSync(path, `${'x'.repeat(99)}\n`.repeat(100_000));
  assert.deepEqual(read(), [100_000, 100_000]);
  assert.equal(reopened, 1);
  // A worker that was told late.
  appendFileSync(`${path}.old`, 'late\n');
  assert.deepEqual(read(), [1, 1]);
  nowMs += 1_000;
  read();
  assert.deepEqual(read(), [1, 1], 'the new one');
  assert.ok(!existsSync(`${path}.old`));
  for (const reader of readers) reader.close();
});

test('a text for TCP needs the stream module: without it the line that installs it is told, and a boot names it', async () => {
  const folder = join(world.folder, 'streams');
  mkdirSync(folder);
  if (nobody) chownSync(folder, nobody.uid, nobody.gid);
  const site = parsedSite(`site: tcp
listeners: [{ name: mail, address: "127.0.0.1:25", protocol: TCP }]
routes: [{ listeners: [mail], pool: mail }]
pools: [{ name: mail, servers: ["127.0.0.1:9"] }]
balancers: [{ name: lb-1, address: 127.0.0.1 }]
`);
  const textFile = join(folder, 'nginx.conf');
  const write = (modules: readonly string[]) =>
    writeFileSync(
      textFile,
      nginxDialect.lower(site, {
        generation: 0,
        threads: 1,
        listeners: { mail: { kind: 'unix', path: join(folder, 'mail.sock') } },
        control: join(folder, 'control.sock'),
        entrance: join(folder, 'entrance.sock'),
        neighbour: null,
        certificates: {},
        ticketKeys: null,
        servers: null,
        modules,
      }),
    );
  const { path, version, streamModules = [] } = world.binary;
  write([]);
  const without = await nginxEngine.check({ path, version }, textFile, folder, nobody);
  assert.equal(without.accepted, false);
  assert.match(without.output, /Install it: sudo apt-get install -y libnginx-mod-stream$/);
  const whole = await nginxEngine.check(world.binary, textFile, folder, nobody);
  assert.deepEqual([whole.accepted, whole.output], [true, '']);
  // Whoever starts it at a boot says nothing of modules.
  write(streamModules);
  const boot = await nginxEngine.check({ path, version, streamModules: [] }, textFile, folder, nobody);
  assert.deepEqual([boot.accepted, boot.output], [true, '']);
});
