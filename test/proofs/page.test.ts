import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { pageWith, proofs } from '../../proofs/page.ts';

const root = resolve(import.meta.dirname, '../..');

describe('docs/proofs.md', () => {
  const first = pageWith(
    [{ name: 'input', exit: 0, output: '  ✓ one /tmp/hf-abc/site.yaml  \nprove:input holds\n' }],
    '',
    'today',
  );

  it('has the output of what was run, without names of temporary folders', () => {
    assert.match(
      first,
      /^Last run today:\n\n```text\n✓ one \/tmp\/\.\.\.\/site\.yaml\nprove:input holds\n```$/m,
    );
    assert.equal(first.match(/Not run yet\./g)?.length, proofs.length - 1);
  });

  it('keeps the output of what was not run', () => {
    const second = pageWith([{ name: 'kill', exit: 1, output: 'DOES NOT HOLD' }], first, 'tomorrow');
    assert.match(second, /Last run today:/);
    assert.match(second, /Last run tomorrow, exit status 1:/);
    assert.equal(pageWith([], second, 'never'), second);
  });

  it('lists every proof that there is, each with its command', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const commands = Object.keys(scripts).filter((name) => name.startsWith('prove:'));
    assert.deepEqual(commands.sort(), proofs.map(({ name }) => `prove:${name}`).sort());
    for (const { name, program = name } of proofs) {
      assert.equal(scripts[`prove:${name}`], `node proofs/${program}.ts`);
      assert.ok(existsSync(join(root, 'proofs', `${program}.ts`)));
    }
  });
});
