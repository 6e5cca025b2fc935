import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ApiLocation, identify } from '#base';
import type { JournalEntry } from '#events';
import { linkOf } from '../../src/agent/adopt/processes.ts';
import { type Adopted, adoptArgs, adoptedBy, siteName } from '../world/adopted.ts';
import { type Origin, startOrigin } from '../world/origins.ts';
import { type Receiver, startReceiver } from '../world/receiver.ts';
import { until } from '../world/stack.ts';
import { startTheirs, type Theirs, type TheirsPlan, workersIn } from '../world/theirs.ts';
import { type Folders, makeFolders, type Typed, type as typed } from '../world/up.ts';
import { visit } from '../world/visitors.ts';

const waitMs = 100_000;

/** Everything of the engine that a signal, a taken descriptor or a write would change. Its clients' connections come and go. */
function state(theirs: Theirs): string[] {
  const pids = [...new Set([...theirs.processes(), ...workersIn(theirs.folder)])];
  const processes = pids.flatMap((pid) => [
    `${pid} since ${identify(pid)?.startTicks}`,
    ...readdirSync(`/proc/${pid}/fd`)
      .map((fd) => `${pid} ${fd} ${linkOf(`/proc/${pid}/fd/${fd}`)}`)
      .filter((line) => /eventpoll|\/(?:logs|haproxy|nginx)/.test(line)),
    ...(readFileSync(`/proc/${pid}/status`, 'utf8').match(
      /^(?:TracerPid|Sig(?:Pnd|Blk|Ign|Cgt)|ShdPnd):.*$/gm,
    ) ?? []),
  ]);
  const files = readdirSync(theirs.folder).map((name) => {
    const { mtimeMs, size, ino } = statSync(join(theirs.folder, name));
    return `${name} ${mtimeMs} ${size} ${ino}`;
  });
  return [...processes, ...listening(theirs), ...files];
}

/** The sockets themselves, by their inodes. */
function listening({ http, https }: Theirs): string[] {
  const ports = [http, https].map((port) => port.toString(16).toUpperCase().padStart(4, '0'));
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '', , how]) => how === '0A' && ports.includes(local.split(':')[1] ?? ''))
    .map((fields) => `${fields[1]} ${fields[9]}`)
    .toSorted();
}

/** Its processes take signals and wait for events a moment after the first of them answers. */
async function settled(theirs: Theirs): Promise<string[]> {
  let before = state(theirs);
  await until('a settled engine', async () => {
    const now = state(theirs);
    const same = now.join('\n') === before.join('\n');
    before = now;
    const waits = theirs.processes().every((pid) => {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const isReady = /^SigBlk:\s*0+$/m.test(status) && /^SigCgt:.*[1-9a-f]/m.test(status);
      const polls = now.some((line) => line.startsWith(`${pid} `) && line.includes('eventpoll'));
      return isReady && (polls || workersIn(theirs.folder).includes(pid));
    });
    return same && waits;
  });
  return before;
}

interface World {
  readonly theirs: Theirs;
  readonly origins: readonly [Origin, Origin];
  readonly receiver: Receiver;
  readonly folders: Folders;
  /** `adopt --observe`, which says that it observes. */
  observe(): Promise<Typed>;
  said(observer: Typed, words: RegExp): Promise<void>;
  journalled(kind: string): Promise<readonly JournalEntry['event'][]>;
  pages(what: string): Receiver['got'];
}

async function withWorld(
  plan: Omit<TheirsPlan, 'origins'>,
  use: (world: World) => Promise<void>,
): Promise<void> {
  const origins = [await startOrigin({ name: 'web-1' }), await startOrigin({ name: 'web-2' })] as const;
  const receiver = await startReceiver();
  const theirs = await startTheirs({ ...plan, origins });
  const folders = makeFolders();
  writeFileSync(join(theirs.folder, 'oncall.yaml'), onCall(receiver));
  const started: Adopted[] = [];
  const said = (observer: Typed, words: RegExp) =>
    until(
      `${words}, of ${observer.out()}${observer.err()}`,
      async () => observer.child.exitCode !== null || words.test(observer.out()),
      waitMs,
    ).then(() => assert.match(observer.out(), words, observer.err()));
  try {
    await use({
      theirs,
      origins,
      receiver,
      folders,
      said,
      async observe() {
        const observer = typed([...adoptArgs(theirs), '--observe'], { env: folders.env });
        started.push(adoptedBy(observer, folders));
        await said(observer, /is observed\. Nothing is touched\.[\s\S]*began: .* as process \d+ runs it/);
        return observer;
      },
      async journalled(kind) {
        const { url, token } = location(folders);
        const answer = await fetch(`${url}/v1/journal`, { headers: { authorization: `Bearer ${token}` } });
        const { entries } = (await answer.json()) as { entries: readonly JournalEntry[] };
        return entries.map(({ event }) => event).filter((event) => event.kind === kind);
      },
      pages: (what) => receiver.got.filter(({ body }) => body.what === what),
    });
  } finally {
    for (const one of started) one.adopt.child.kill('SIGKILL');
    await theirs.close();
    for (const origin of origins) await origin.close();
    await receiver.close();
    folders.remove();
  }
}

function onCall({ url, port }: Receiver): string {
  return `
notifiers: [{ name: hook, webhook: { url: "${url}/page" } }]
allowedHosts: ["127.0.0.1:${port}"]
people: [{ name: sue, contacts: [{ notifier: hook, to: "555" }] }]
policies: [{ name: standard, steps: [{ page: [person: sue], ackWithin: 10m }] }]
routes: [{ match: { severity: [critical, error, warning] }, policy: standard }]
`;
}

/** What it is about, whatever number the fault has. */
function alertsOf({ body }: Receiver['got'][number]): string[] {
  const alerts = body.alerts as { labels: Record<string, string> }[];
  return alerts.map(({ labels }) => `${labels.alertname} ${labels.series}`);
}

function location({ env }: Folders): ApiLocation {
  return JSON.parse(readFileSync(join(env.HOLDFAST_RUN, siteName, 'api.json'), 'utf8')) as ApiLocation;
}

const logFormat = `log_format servers '$remote_addr "$request" $status $upstream_addr $upstream_response_time';`;
const plans = {
  haproxy: { manner: 'haproxy -W' },
  nginx: { manner: 'nginx', inHttp: logFormat, more: 'access_log logs/access.log servers;' },
} as const;

for (const [engine, plan] of Object.entries(plans))
  test(`--observe of ${engine}: a server that dies is seen, named and paged, the engine is left as it is`, async () => {
    await withWorld(plan, async ({ theirs, origins, folders, observe, journalled, pages }) => {
      const before = await settled(theirs);
      const visitors = visit(`http://127.0.0.1:${theirs.http}/`);
      try {
        const observer = await observe();
        assert.match(observer.out(), /seen +requests.* by .*(?:stats\.sock|access\.log)/);
        const [, victim] = origins;
        const { url } = location(folders);
        const counted = async () => (await fetch(`${url}/metrics`)).text();
        await until(
          'numbers',
          async () => /^holdfast_requests_total\{[^}]*\} [1-9]/m.test(await counted()),
          waitMs,
        );
        await victim.become('refuses');
        await until('the page', async () => pages('page').length > 0, waitMs);
        const name = engine === 'nginx' ? `127.0.0.1:${victim.port}` : 'web-2';
        await until(
          'the server’s name',
          async () =>
            (await journalled('fault.located')).some(
              (event) =>
                event.kind === 'fault.located' &&
                event.verdict.sentence.includes(`server ${name} of pool web does not answer`),
            ),
          waitMs,
        );
        const cli = async (...args: string[]) => (await typed(args, { env: folders.env }).ended).out;
        assert.match(await cli('status'), new RegExp(`observed, not touched: ${engine}`));
        assert.match(await cli('watch', '--once'), /fault-\d+/);
        assert.match(await cli('alerts'), /sue hook 555/);
        await victim.become('right');
        await until('its end', async () => (await journalled('fault.ended')).length > 0, waitMs);
        await until('the good word', async () => pages('resolved').length > 0, waitMs);
        const { err } = await typed(['apply', theirs.file], { env: folders.env }).ended;
        assert.match(err, /HF506 the site is only observed/);
        observer.child.kill('SIGINT');
        assert.equal((await observer.ended).exit, 0);
        for (const left of ['api.json', 'up.pid'])
          assert.ok(!existsSync(join(folders.env.HOLDFAST_RUN, siteName, left)), left);
        assert.deepEqual(adoptedBy(observer, folders).ours(), []);
      } finally {
        await visitors.stop();
      }
      assert.deepEqual(await settled(theirs), before);
    });
  });

test('--observe that was killed pages nobody twice, and each edit is planned before it is reloaded', async () => {
  await withWorld({ manner: 'haproxy -W' }, async ({ theirs, origins, observe, said, journalled, pages }) => {
    const before = await settled(theirs);
    let observer = await observe();
    const visitors = visit(`http://127.0.0.1:${theirs.http}/`);
    try {
      await said(observer, /API +http/);
      await origins[1].become('refuses');
      await until('the page', async () => pages('page').length > 0, waitMs);
      await until('its outcome', async () => (await journalled('page.sent')).length > 0, waitMs);
      observer.child.kill('SIGKILL');
      await observer.ended;
      const paged = new Set(pages('page').flatMap(alertsOf));
      const pagedBefore = pages('page').length;
      assert.deepEqual(await settled(theirs), before);
      observer = await observe();
      await said(observer, /web\/web-2: .*refused/);
      await origins[1].become('right');
      await until('the good word', async () => pages('resolved').length > 0, waitMs);
      const again = pages('page').slice(pagedBefore);
      assert.ok(!again.some((page) => alertsOf(page).every((name) => paged.has(name))));
    } finally {
      await visitors.stop();
    }
    writeFileSync(
      theirs.file,
      theirs.text.replace('default_backend', 'http-request deny if { path /x }\n    default_backend'),
    );
    await said(observer, /haproxy\.cfg was edited: what a reload would do\n[\s\S]*\/x/);
    // As its unit reloads it.
    process.kill(theirs.child().pid ?? 0, 'SIGUSR2');
    await said(observer, /engine: it runs the text as it was edited/);
    writeFileSync(theirs.file, `${theirs.text}    nonsense\n`);
    await said(observer, /was edited: a reload would fail\n[\s\S]*haproxy\.cfg:\d+.*nonsense/);
    const pid = theirs.child().pid ?? 0;
    await theirs.end();
    await said(observer, /engine: nobody listens on/);
    assert.equal(identify(pid), null);
    observer.child.kill('SIGINT');
    assert.equal((await observer.ended).exit, 0);
  });
});

test('--observe says what it cannot see, and refuses what it cannot watch', async () => {
  await withWorld({ manner: 'nginx' }, async ({ theirs, folders, observe }) => {
    const observer = await observe();
    assert.match(observer.out(), /NOT SEEN +.*nginx\.conf:\d+ says that nothing is logged/);
    assert.match(observer.out(), /nobody is paged for them/);
    const refused = async (args: readonly string[]) => {
      const { exit, err } = await typed(args, { env: folders.env }).ended;
      assert.equal(exit, 1, err);
      return err;
    };
    const args = [...adoptArgs(theirs), '--observe'];
    assert.match(await refused(args), /HF302 shop is already up/);
    observer.child.kill('SIGTERM');
    assert.equal((await observer.ended).exit, 0);
    writeFileSync(join(theirs.folder, 'broken.yaml'), 'people: 7\n');
    assert.match(
      await refused([...args, '--oncall', join(theirs.folder, 'broken.yaml')]),
      /broken\.yaml:1:\d+ /,
    );
    await theirs.end();
    assert.match(await refused(args), /HF501 nobody listens/);
  });
});
