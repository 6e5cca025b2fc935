import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

test('prove:state, its first steps on HAProxy', async () => {
  const program = join(import.meta.dirname, '../../proofs/state.ts');
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, [program, '--json', '--only=haproxy', '--rounds=1', '--steps=3'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env,
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  const exit = await new Promise((resolve) => child.once('close', resolve));
  const { holds, figures, error } = JSON.parse(output) as {
    readonly holds: boolean;
    readonly figures: readonly { readonly name: string; readonly holds: boolean | null }[];
    readonly error: string;
  };
  assert.deepEqual(
    figures.filter((figure) => figure.holds !== true),
    [],
    error,
  );
  assert.deepEqual([holds, exit, figures.length], [true, 0, 7]);
});
