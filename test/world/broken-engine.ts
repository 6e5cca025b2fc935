/** Engines that are broken on purpose: HAProxy by a script in front of it, the built-in one by a copy of the program. */
import { chmodSync, cpSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const breakages = {
  good: 'starts and serves',
  crashes: 'crashes at start',
  hangs: 'hangs at start',
  mute: 'accepts and never answers, nor do its controls',
  deaf: 'its controls answer, requests do not',
  unavailable: 'answers 503 to everyone, at once',
  dies: 'serves, and dies a moment later, again and again',
} as const;
export type Breakage = keyof typeof breakages;

export interface BreakableEngine {
  /** How it behaves from its next start on. */
  become(way: Breakage): void;
}

/** From start to end of an engine that dies again and again: it has accepted and answered by then. */
const livesSeconds = 0.5;

const muteProgram = `import { createServer } from 'node:net';
const swallow = () => createServer((socket) => socket.on('error', () => {}).resume());
swallow().listen({ fd: 3 });
swallow().listen('control.sock');
for (const name of ['SIGTTOU', 'SIGTTIN', 'SIGUSR1', 'SIGTERM']) process.on(name, () => {});
`;

/** A program to name in HOLDFAST_HAPROXY. `-v` and \`-c\` it leaves to the real one: nobody is warned. */
export function breakableHaproxy(
  folder: string,
  real = '/usr/sbin/haproxy',
): BreakableEngine & { path: string } {
  const path = join(folder, 'haproxy');
  const way = join(folder, 'haproxy-is');
  const mute = join(folder, 'mute.mjs');
  writeFileSync(mute, muteProgram);
  const rewritten = (rule: string) =>
    `sed -E 's/^(frontend .*)$/\\1\\n${rule}/' haproxy.cfg > bad.cfg; exec ${real} "\${@/haproxy.cfg/bad.cfg}"`;
  const script = `#!/bin/bash
PATH=/usr/bin:/bin
for word in "$@"; do
  case "$word" in -v|-c) exec ${real} "$@";; esac
done
case "$(cat ${way})" in
  crashes) echo 'haproxy: undefined symbol: SSL_broken' >&2; exit 127;;
  hangs) exec sleep 600;;
  mute) exec ${process.execPath} ${mute};;
  deaf) ${rewritten('  timeout tarpit 1h\\n  http-request tarpit')};;
  unavailable) ${rewritten('  http-request return status 503')};;
  dies) (sleep ${livesSeconds}; kill -SEGV $$) > /dev/null 2>&1 3<&- 4<&- & exec ${real} "$@";;
  *) exec ${real} "$@";;
esac
`;
  writeFileSync(path, script, { mode: 0o755 });
  for (const file of [path, mute]) chmodSync(file, 0o755);
  const become = (wanted: Breakage) => writeFileSync(way, wanted, { mode: 0o644 });
  become('good');
  return { path, become };
}

/** A copy of this program, whose built-in engine can be broken. Returns where the copy is. */
export function breakableBuiltin(folder: string): BreakableEngine & { copy: string } {
  const root = resolve(import.meta.dirname, '../..');
  const copy = join(folder, 'holdfast');
  mkdirSync(copy, { mode: 0o755 });
  for (const part of ['src', 'test/world', 'package.json', 'tsconfig.json'])
    cpSync(join(root, part), join(copy, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  const process = join(copy, 'src/engines/builtin/process');
  const way = join(folder, 'builtin-is');
  writeFileSync(join(folder, 'mute.mjs'), muteProgram);
  renameSync(join(process, 'main.ts'), join(process, 'real-main.ts'));
  writeFileSync(
    join(process, 'main.ts'),
    `import { readFileSync } from 'node:fs';
const way = process.argv.includes('--check') ? 'good' : readFileSync(${JSON.stringify(way)}, 'utf8');
if (way === 'crashes') process.abort();
else if (way === 'hangs') setInterval(() => {}, 1000);
else if (way === 'mute') await import(${JSON.stringify(join(folder, 'mute.mjs'))});
else {
  if (way === 'dies') setTimeout(() => process.kill(process.pid, 'SIGSEGV'), ${livesSeconds * 1000});
  await import('./real-main.ts');
}
`,
  );
  const become = (wanted: Breakage) => writeFileSync(way, wanted, { mode: 0o644 });
  become('good');
  return { copy, become };
}
