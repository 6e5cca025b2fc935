/** What a person waits for: a rollback from Enter to the last bad answer, by the command line and by the API; a change from Enter to its promotion. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type ApiLocation, sitePaths } from '#base';
import type { ChangeView } from '#contract';
import { type OriginProcess, startOriginProcess } from '../proofs/origin.ts';
import type { Proof } from '../proofs/proof.ts';
import { type LoadPlan, preciseNow, startLoadProcess, usualLoad } from '../test/world/load.ts';
import { patientCheck, shopText } from '../test/world/shop.ts';
import { freePort } from '../test/world/stack.ts';
import { type Folders, makeFolders, type, up } from '../test/world/up.ts';
import { median } from './measure.ts';

const root = resolve(import.meta.dirname, '..');
/** As it is installed: it finds the pinned Node by itself. */
const holdfast = join(root, 'bin/holdfast');
const ratePerSecond = 1_000;
const roundsEach = 5;
const wantedMs = 100;
const watchedMs = 400;

interface Place {
  readonly folders: Folders;
  readonly http: number;
  readonly good: OriginProcess;
  readonly bad: OriginProcess;
}

export async function byHand(proof: Proof): Promise<void> {
  const folders = makeFolders();
  const [good, bad] = await Promise.all([startOriginProcess('good'), startOriginProcess('bad')]);
  const place = { folders, http: await freePort(), good, bad };
  try {
    const site = await up([write(place, 'good', quick), '--port', '0'], folders.env);
    try {
      await rollbacks(proof, place);
    } finally {
      await site.stop();
    }
    await untilPromoted(proof, place);
  } finally {
    await Promise.all([good.close(), bad.close()]);
    folders.remove();
  }
}

/** What a bad change gets for itself is not what is measured here. */
const quick =
  'guard:\n  canary: { steps: [1], step: 500ms }\n  bake: 500ms\n  limits: { removedServersShareMax: 1 }\n';

function write({ folders, http, good, bad }: Place, name: 'good' | 'bad', more: string): string {
  const file = join(folders.folder, `${name}.yaml`);
  const servers = [{ name, port: (name === 'good' ? good : bad).port }];
  const plan = { http, https: null, engine: 'haproxy', servers, healthCheck: patientCheck, more };
  writeFileSync(file, shopText(plan, folders.folder));
  return file;
}

async function rollbacks(proof: Proof, place: Place): Promise<void> {
  const ways = {
    'holdfast rollback': () => typed(holdfast, ['rollback'], place.folders.env),
    'POST /v1/rollback': () => post(place),
  } as const;
  for (const kind of ['new', 'kept'] as const)
    for (const [name, goBack] of Object.entries(ways)) {
      const rounds: Round[] = [];
      for (let i = 0; i < roundsEach; i += 1) rounds.push(await round(place, kind, goBack));
      proof.say(`${name}, ${kind === 'new' ? 'new' : 'kept-alive'} connections, ${roundsEach} times`);
      proof.atLeast('  bad answers before Enter', Math.min(...rounds.map(({ before }) => before)), 1);
      proof.atMost(
        '  Enter to the last bad answer, median ms',
        median(rounds.map((r) => r.lastBadMs)),
        wantedMs,
      );
      proof.tell('  Enter to the last bad answer, worst ms', Math.max(...rounds.map((r) => r.lastBadMs)));
      proof.tell('  Enter to its end, median ms', median(rounds.map((r) => r.endMs)));
      proof.tell("  the machine's own stall meanwhile, worst ms", Math.max(...rounds.map((r) => r.stallMs)));
      proof.atMost('  requests broken off', Math.max(...rounds.map(({ broken }) => broken)), 0);
    }
  const starts: number[] = [];
  for (let i = 0; i < 2 * roundsEach; i += 1) {
    const began = preciseNow();
    await typed(process.execPath, ['-e', '0'], place.folders.env);
    starts.push(preciseNow() - began);
  }
  proof.tell('Node itself: `node -e 0` from Enter to its end, median ms', median(starts));
}

interface Round {
  readonly before: number;
  readonly lastBadMs: number;
  readonly endMs: number;
  readonly broken: number;
  readonly stallMs: number;
}

/** A change that answers everybody with another site is promoted, since nobody can tell; then somebody sees it. */
async function round(place: Place, kind: LoadPlan['kind'], goBack: () => Promise<void>): Promise<Round> {
  const { folders, http } = place;
  const again = ['--release', '--unfreeze', '--older', '--reason', 'measured'];
  const applied = await type(['apply', write(place, 'bad', quick), ...again], { env: folders.env }).ended;
  if (applied.exit !== 0) throw new Error(`apply: ${applied.err}${applied.out}`);
  const load = await startLoadProcess({ ...usualLoad, port: http, kind, ratePerSecond, expectBody: 'good' });
  try {
    await new Promise((done) => setTimeout(done, watchedMs));
    const enterAt = preciseNow();
    await goBack();
    const endMs = preciseNow() - enterAt;
    await new Promise((done) => setTimeout(done, watchedMs));
    const { records, stall } = await load.stop();
    const wrong = records.filter(({ outcome }) => outcome === 'wrong answer');
    const after = wrong.filter(({ endedAt }) => endedAt > enterAt);
    return {
      before: wrong.length - after.length,
      lastBadMs: Math.max(0, ...after.map(({ endedAt }) => endedAt - enterAt)),
      endMs,
      broken: records.filter(({ outcome }) => outcome !== 'ok' && outcome !== 'wrong answer').length,
      stallMs: stall.maxMs,
    };
  } finally {
    load.kill();
  }
}

async function typed(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(file, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${file} ${args.join(' ')}: exit ${code}`);
}

async function post({ folders }: Place): Promise<void> {
  const { url, token } = JSON.parse(readFileSync(sitePaths('t', folders.env).api, 'utf8')) as ApiLocation;
  const answer = await fetch(`${url}/v1/rollback`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ by: 'person:bench', reason: 'measured' }),
  });
  if (!answer.ok) throw new Error(`/v1/rollback: ${answer.status} ${await answer.text()}`);
}

/** As a site has it that says nothing of them. */
const stepsOnly = 'guard:\n  canary: { steps: [0.05, 0.25, 0.5, 1], step: 10s }\n  bake: 2m\n';
const usualMsMax = 60_000;
const emergencyMsMax = 10_000;

/** The first change of a site that was just started. */
async function untilPromoted(proof: Proof, { good }: Place): Promise<void> {
  for (const { name, guard, more, mostMs } of [
    { name: 'the demo site, as it is', guard: null, more: [], mostMs: usualMsMax },
    {
      name: 'default steps of 10 s and bake of 2 min, --emergency',
      guard: stepsOnly,
      more: ['--emergency', '--reason', 'measured'],
      mostMs: emergencyMsMax,
    },
  ]) {
    const { tookMs, gatesMs } = await promoted(good, guard, more);
    proof.say(`first change of a new site: ${name}`);
    proof.tell('  of it before the canary and after the bake, ms', gatesMs);
    proof.atMost('  Enter to promoted on every balancer, ms', tookMs, mostMs);
  }
}

async function promoted(
  server: OriginProcess,
  guard: string | null,
  more: readonly string[],
): Promise<{ readonly tookMs: number; readonly gatesMs: number }> {
  const folders = makeFolders();
  const http = await freePort();
  const demo = readFileSync(join(root, 'examples/shop/site.yaml'), 'utf8');
  const text = (added: string) =>
    demo
      .replace('"*:8080"', `"*:${http}"`)
      .replace(/127\.0\.0\.1:910\d/g, `127.0.0.1:${server.port}`)
      .replace('name: web-2,', `name: web-2${added},`)
      .replace(/^guard:[\s\S]*/m, (own) => guard ?? own);
  const [first, next] = ['', '-next'].map((added) => {
    const file = join(folders.folder, `site${added}.yaml`);
    writeFileSync(file, text(added));
    return file;
  });
  const site = await up([first ?? '', '--port', '0'], folders.env);
  const loads = [];
  try {
    for (const host of ['127.0.0.1', '127.0.0.2'])
      loads.push(await startLoadProcess({ ...usualLoad, host, port: http, ratePerSecond: 200 }));
    const began = Date.now();
    const words = ['apply', next ?? '', '--new-generation', '--json', ...more];
    const { exit, out, err } = await type(words, { env: folders.env }).ended;
    if (exit !== 0) throw new Error(`apply: ${err}${out}`);
    const change = JSON.parse(out) as ChangeView;
    const canary = change.gates.find(({ gate }) => gate === 'canary')?.tookMs ?? 0;
    const bake = change.gates.find(({ gate }) => gate === 'bake')?.tookMs ?? 0;
    const tookMs = (change.endedAt ?? Number.POSITIVE_INFINITY) - began;
    return { tookMs, gatesMs: tookMs - canary - bake };
  } finally {
    for (const load of loads) load.kill();
    await site.stop();
    folders.remove();
  }
}
