/** A running HAProxy or NGINX is adopted and handed back under load, by kind of connection; and what a team has around it goes on working. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { identify } from '#base';
import { type Adopted, adopt, adoptArgs, release, siteName } from '../test/world/adopted.ts';
import { ask } from '../test/world/ask.ts';
import { type LoadResult, startLoadProcess, usualLoad } from '../test/world/load.ts';
import { until } from '../test/world/stack.ts';
import { type Manner, startTheirs, type Theirs } from '../test/world/theirs.ts';
import { makeFolders, type as typed } from '../test/world/up.ts';
import { corpus } from './adopt/corpus.ts';
import { moments } from './adopt/moments.ts';
import { type Kind, kinds } from './field.ts';
import { type OriginProcess, startOriginProcess } from './origin.ts';
import { type Proof, prove } from './proof.ts';

const every = Object.values(kinds);
const rounds: readonly { readonly manner: Manner; readonly which: readonly Kind[] }[] = [
  { manner: 'haproxy -W', which: every },
  { manner: 'haproxy -db', which: [kinds.new] },
  { manner: 'nginx', which: every },
];
/** Open connections may take so long to end by themselves. */
const waitSeconds = 3;
/** With a text that ends them in time: as long as that takes, and no longer. */
const patientSeconds = 30;
const rates = { new: 300, kept: 300, h2: 300 } as const;
const tlsRate = 100;
/** `moments --rounds=N --seed=N` for more, or the same again. */
const momentRounds = 8;

async function withTheirs(
  manner: Manner,
  more: string,
  use: (theirs: Theirs) => Promise<void>,
): Promise<void> {
  const origin: OriginProcess = await startOriginProcess('one');
  const theirs = await startTheirs({ manner, origins: [{ name: 'one', port: origin.port }], more });
  try {
    await use(theirs);
  } finally {
    await theirs.close();
    await origin.close();
  }
}

async function withAdopted(
  theirs: Theirs,
  use: (adopted: Adopted) => Promise<void>,
  seconds = waitSeconds,
): Promise<void> {
  const adopted = await adopt(theirs, '--wait', String(seconds));
  try {
    await use(adopted);
  } finally {
    await adopted.close();
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Round {
  readonly result: LoadResult;
  /** From then on it was being handed back. */
  readonly releasedAt: number;
}

async function round(theirs: Theirs, kind: Kind, seconds: number): Promise<Round> {
  const load = await startLoadProcess({
    ...usualLoad,
    kind: kind.kind,
    tls: kind.tls,
    port: kind.tls ? theirs.https : theirs.http,
    hostname: 'shop.example',
    ratePerSecond: kind.kind === 'new' && kind.tls ? tlsRate : rates[kind.kind],
    timeoutMs: 20_000,
  });
  let releasedAt = 0;
  try {
    await withAdopted(
      theirs,
      async (adopted) => {
        await pause(1_000);
        releasedAt = Date.now();
        await release(adopted, '--wait', String(seconds));
        await pause(500);
      },
      seconds,
    );
  } catch (error) {
    await load.stop();
    throw error;
  }
  return { result: await load.stop(), releasedAt };
}

/** `refused stream` was not processed and is sent again by every client: told on its own. */
function failedIn({ result, releasedAt }: Round, part: 'adopt' | 'release') {
  const bad = result.records.filter(
    (r) => r.outcome !== 'ok' && r.endedAt < releasedAt === (part === 'adopt'),
  );
  const refused = bad.filter((r) => r.outcome === 'refused stream').length;
  const why = [...new Set(bad.map((r) => `${r.outcome}${r.detail ? ` ${r.detail}` : ''}`))].join(', ');
  return { failed: bad.length - refused, refused, why };
}

async function underLoad(proof: Proof, manner: Manner, more: string, which: readonly Kind[]): Promise<void> {
  proof.say(`${manner}${more === '' ? '' : ` with ${more}`}: adopted, and handed back`);
  for (const kind of which)
    await withTheirs(manner, more, async (theirs) => {
      const one = await round(theirs, kind, more === '' ? waitSeconds : patientSeconds);
      const [taken, back] = [failedIn(one, 'adopt'), failedIn(one, 'release')];
      const name = `of ${one.result.records.length} requests, ${kind.name}`;
      const isNew = kind.kind === 'new';
      for (const [what, { failed, why }] of [
        ['adopted', taken],
        ['handed back', back],
      ] as const) {
        const said = `failed while ${what} ${name} ${why}`.trimEnd();
        if (isNew || more !== '') proof.atMost(said, failed, 0);
        else proof.tell(said, failed);
      }
      if (kind.kind === 'h2')
        proof.tell('  streams refused (safe to send again)', taken.refused + back.refused);
    });
}

async function tell(path: string, line: string): Promise<string> {
  let said = '';
  const socket = connect(path, () => socket.end(`${line}\n`));
  for await (const chunk of socket.setEncoding('utf8')) said += chunk;
  return said;
}

/** What a team has around its engine. */
async function around(proof: Proof): Promise<void> {
  proof.say('What is around it goes on working (haproxy -W)');
  await withTheirs('haproxy -W', '', async (theirs) => {
    await observed(proof, theirs);
    await withAdopted(theirs, async (adopted) => {
      const again = await adopted.typed('adopt', theirs.file, '--name', siteName);
      proof.holds('adopted twice', `exit ${again.exit}`, 'exit 1', again.exit === 1);
      await adminSocket(proof, adopted);
      await reloads(proof, theirs, adopted);
      await withoutHoldfast(proof, theirs, adopted);
    });
  });
}

async function observed(proof: Proof, theirs: Theirs): Promise<void> {
  const { env, remove } = makeFolders();
  const before = theirs.processes().join();
  const observer = typed([...adoptArgs(theirs), '--observe'], { env });
  await until('the observer', async () => observer.out().includes('Nothing is touched.'), 30_000);
  await pause(2_000);
  observer.child.kill('SIGINT');
  const { exit } = await observer.ended;
  remove();
  proof.holds(
    'adopt --observe, and the same processes',
    `exit ${exit}`,
    'exit 0',
    exit === 0 && theirs.processes().join() === before,
  );
}

async function adminSocket(proof: Proof, adopted: Adopted): Promise<void> {
  const path = join(adopted.run, siteName, 'admin.sock');
  const said = await tell(path, 'disable server web/one');
  const down = await tell(path, 'show servers state');
  const row = down.split('\n').find((line) => / web \d+ one /.test(line)) ?? '';
  proof.holds(
    'admin socket: disable server, read back',
    row.split(' ').slice(5, 7).join(' '),
    'maintenance (0 1)',
    said.trim() === '' && row.split(' ')[6] === '1',
  );
  await tell(path, 'enable server web/one');
  const journalled = await until('the journal', async () => {
    const found = await adopted.journalled('runtime');
    return found.length >= 2 && found;
  });
  proof.atLeast('admin socket: commands in the journal', journalled.length, 2);
}

/** As the service manager's reload calls it. */
async function reloads(proof: Proof, theirs: Theirs, adopted: Adopted): Promise<void> {
  const good = readFileSync(theirs.file, 'utf8');
  const exitOf = async (text: string) => {
    writeFileSync(theirs.file, text);
    return (await adopted.typed('apply', theirs.file)).exit;
  };
  const broken = await exitOf(`${good}\nnonsense\n`);
  proof.holds('reload with a text that HAProxy refuses', `exit ${broken}`, 'exit 1', broken === 1);
  const nowhere = good.replace(/server one 127\.0\.0\.1:\d+/, 'server two 127.0.0.1:1');
  const refused = await exitOf(nowhere);
  proof.holds('reload with servers that do not exist', `exit ${refused}`, 'exit 1', refused === 1);
  const same = await exitOf(good);
  proof.holds('reload with the text that runs', `exit ${same}`, 'exit 0', same === 0);
  const changed = await exitOf(good.replace('timeout server 50s', 'timeout server 51s'));
  proof.holds('reload with a good text', `exit ${changed}`, 'exit 0', changed === 0);
  const back = await adopted.typed('rollback');
  proof.holds('rollback', `exit ${back.exit}`, 'exit 0', back.exit === 0);
  writeFileSync(theirs.file, good);
  proof.holds(
    'it still serves',
    String((await ask(theirs.http)).status),
    '200',
    (await ask(theirs.http)).status === 200,
  );
}

/** Every process of ours killed: the engine's own command line with what is on disk. */
async function withoutHoldfast(proof: Proof, theirs: Theirs, adopted: Adopted): Promise<void> {
  const lastGood = join(adopted.state, siteName, 'last-good', 'haproxy.cfg');
  const all = adopted.ours();
  for (const pid of all) process.kill(pid, 'SIGKILL');
  await until('the end of ours', async () => adopted.ours().length === 0);
  proof.tell('processes of ours, all killed', all.length);
  const [command = '', ...args] = theirs.commandLine;
  for (const [name, file] of [
    ["the unit's own command line", theirs.file],
    ['the same with last-good', lastGood],
  ] as const) {
    const child = spawn(
      command,
      args.map((word) => (word === theirs.file ? file : word)),
      { stdio: 'ignore', detached: true },
    );
    const status = await until(name, async () => (await ask(theirs.http)).status, 10_000);
    proof.holds(`${name} serves`, String(status), '200', status === 200);
    const { pid = 0 } = child;
    process.kill(-pid, 'SIGKILL');
    await until('its end', async () => identify(pid) === null);
  }
}

const option = (name: string) => {
  const given = process.argv.find((word) => word.startsWith(`--${name}=`));
  return given === undefined ? null : Number(given.slice(name.length + 3));
};

await prove('adopt', async (proof) => {
  const folder = process.argv[process.argv.indexOf('--corpus') + 1];
  if (process.argv.includes('--corpus') && folder !== undefined) return await corpus(proof, folder);
  const only = process.argv[2]?.startsWith('-') ? undefined : process.argv[2];
  if (only === undefined || only === 'around') await around(proof);
  if (only === undefined || only === 'moments') {
    const seed = option('seed') ?? Math.floor(Math.random() * 1_000_000);
    await moments(proof, seed, option('rounds') ?? momentRounds);
  }
  for (const { manner, which } of rounds.filter((one) => only === undefined || one.manner === only))
    await underLoad(proof, manner, '', which);
  // With these in the team's own text the kept-alive connections move too.
  if (only === undefined || only === 'gently') {
    await underLoad(proof, 'haproxy -W', 'option idle-close-on-response', [kinds.kept, kinds.h2]);
    await underLoad(proof, 'nginx', 'keepalive_time 2s; keepalive_timeout 2s;', [kinds.kept, kinds.h2]);
  }
});
