/** Servers of a team's own text that nothing but a map or a variable leads to are asked before a change as well. */
import { writeFileSync } from 'node:fs';
import type { ChangeView } from '../../src/contract/api.ts';
import { adopt } from '../../test/world/adopted.ts';
import { type Origin, startOrigin } from '../../test/world/origins.ts';
import { freePort } from '../../test/world/stack.ts';
import { startTheirs, type Theirs } from '../../test/world/theirs.ts';
import type { Proof } from '../proof.ts';
import type { EngineOfField } from './field.ts';

export async function reached(proof: Proof, engine: EngineOfField): Promise<void> {
  proof.say(
    `${engine}: a team's own text, with servers that only a ${engine === 'nginx' ? 'variable' : 'map'} names`,
  );
  const [one, other] = [await startOrigin({ name: 'one' }), await startOrigin({ name: 'other' })];
  let theirs: Theirs | null = null;
  try {
    const manner = engine === 'nginx' ? 'nginx' : 'haproxy -W';
    theirs = await startTheirs({ manner, origins: [one] });
    const adopted = await adopt(theirs);
    try {
      const dead = await freePort();
      for (const [name, port, wanted] of [
        ['that nobody is behind', dead, 'refused, refused'],
        ['that answers', other.port, 'passed, promoted'],
      ] as const) {
        writeFileSync(theirs.file, withMapped(theirs, engine, port));
        const { out, err } = await adopted.typed('apply', theirs.file, '--json');
        const view = viewIn(out);
        const gate = view?.gates?.find((report) => report.gate === 'existence');
        const said = `${gate?.verdict}, ${view?.state}`;
        const isNamed = wanted !== 'refused, refused' || JSON.stringify(gate).includes(`:${port}`);
        proof.holds(`existence: a server of a map ${name}`, said, wanted, said === wanted && isNamed);
        if (said !== wanted || !isNamed)
          proof.say(
            `${JSON.stringify(gate)}\n${err}${adopted.adopt.out().slice(-800)}${adopted.adopt.err().slice(-1_500)}`,
          );
      }
    } finally {
      await adopted.close();
    }
  } finally {
    await theirs?.close();
    await closeAll([one, other]);
  }
}

async function closeAll(origins: readonly Origin[]): Promise<void> {
  for (const origin of origins) await origin.close();
}

function withMapped({ text, folder }: Theirs, engine: EngineOfField, port: number): string {
  const server = `127.0.0.1:${port}`;
  if (engine === 'nginx')
    return text
      .replace('    server {', `    map $arg_to $to { default web; next ${server}; }\n    server {`)
      .replace(
        '        location / {',
        '        location /to { proxy_pass http://$to; }\n        location / {',
      );
  writeFileSync(`${folder}/pools.map`, '/to next\n', { mode: 0o644 });
  return text
    .replace(
      '    default_backend web',
      `    use_backend %[path,map_beg(${folder}/pools.map,web)]\n    default_backend web`,
    )
    .concat(`\nbackend next\n    server next ${server}\n`);
}

function viewIn(out: string): Partial<ChangeView> | null {
  try {
    const said = JSON.parse(out) as Partial<ChangeView> & { readonly change?: ChangeView };
    return said.change ?? said;
  } catch {
    return null;
  }
}
