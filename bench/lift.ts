/** What it costs to lift a `haproxy.cfg` of ten thousand lines, beside `haproxy -c` on the same file: turn by turn, processor time. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resourceUsage } from 'node:process';
import { liftHaproxy } from '#dialects';
import type { Proof } from '../proofs/proof.ts';
import { textOf } from '../proofs/scale/texts.ts';

const turns = 7;
/** 1,430 routes and as many backends with five servers each. */
const size = { routes: 1_430, hosts: 143, servers: 7_150 };
const ratioMax = 1;

export async function lift(proof: Proof): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  try {
    const text = textOf('haproxy', size, 'none');
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(file, text);
    const pairs = Array.from({ length: turns }, () => [liftMs(text), checkMs(file)] as const);
    const [lifted = 0, checked = 0] = [0, 1].map((side) => median(pairs.map((pair) => pair[side] ?? 0)));
    proof.tell('lines', text.split('\n').length);
    proof.tell(`lift, the first time in a process, ms`, pairs[0]?.[0] ?? 0);
    proof.tell('lift, median, ms', lifted);
    proof.tell('haproxy -c, its start with it, median, ms', checked);
    proof.atMost('lift / haproxy -c', lifted / checked, ratioMax, '');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function liftMs(text: string): number {
  const before = spentMs();
  const { pools } = liftHaproxy({ file: 'haproxy.cfg', text, read: () => null, environment: () => null });
  // Servers are read when they are asked for: `haproxy -c` reads them, too.
  const servers = pools.reduce((sum, pool) => sum + pool.servers.length, 0);
  if (servers !== size.servers) throw new Error(`${servers} servers were lifted`);
  return spentMs() - before;
}

const spentMs = (): number => (resourceUsage().userCPUTime + resourceUsage().systemCPUTime) / 1_000;

/** Of a child that has ended, by what the shell says of it: user and system. */
function checkMs(file: string): number {
  const { stdout, status } = spawnSync(
    'bash',
    ['-c', 'haproxy -c -q -f "$1" >&2; echo $?; times', 'bash', file],
    {
      encoding: 'utf8',
    },
  );
  const [code, , children = ''] = stdout.trim().split('\n');
  if (status !== 0 || code !== '0') throw new Error('haproxy -c does not accept the text');
  return [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + (Number(minutes) * 60 + Number(seconds)) * 1_000,
    0,
  );
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
