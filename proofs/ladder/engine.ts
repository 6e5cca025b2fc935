/** HAProxy as a vendor may ship it on a bad day: the real one behind a script, misbehaving in one way by name. */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Misbehaviour } from './misbehaviour.ts';

export interface BadEngine {
  /** To name in HOLDFAST_HAPROXY. */
  readonly path: string;
  /**
   * How it behaves from its next start on; null: well. `spare` leaves starts for checks and rehearsals alone: nothing
   * that can be tried beforehand shows it.
   */
  become(way: Misbehaviour | null, spare?: 'rehearsals'): void;
}

/** SIGTERM and SIGTTOU, as numbers on Linux. */
const spoilt: Partial<Record<Misbehaviour, string>> = {
  'leaks memory': 'SPOIL_LEAK=1200',
  'ignores SIGTERM': 'SPOIL_IGNORE=15',
  'ignores SIGTTOU': 'SPOIL_IGNORE=22',
  'answers nonsense': 'SPOIL_GARBLE=1',
};

const muteSocket = `import { createServer } from 'node:net';
import { unlinkSync } from 'node:fs';
const takeOver = () => {
  try { unlinkSync('control.sock'); } catch { return setTimeout(takeOver, 1); }
  createServer((socket) => socket.on('error', () => {}).resume()).listen('control.sock');
};
takeOver();
setInterval(() => { try { process.kill(Number(process.argv[2]), 0); } catch { process.exit(); } }, 100);
`;

/** @throws Error when `ways` need a library that is loaded into the engine, and there is no C compiler. */
export function badHaproxy(
  folder: string,
  ways: readonly Misbehaviour[],
  real = '/usr/sbin/haproxy',
): BadEngine {
  const file = (name: string) => join(folder, name);
  if (ways.some((way) => spoilt[way] !== undefined))
    compile(join(import.meta.dirname, 'spoil.c'), file('spoil.so'));
  writeFileSync(file('mute.mjs'), muteSocket);
  writeFileSync(file('haproxy'), script(file, real), { mode: 0o755 });
  for (const name of ['haproxy', 'mute.mjs', 'spoil.so'])
    if (existsSync(file(name))) chmodSync(file(name), 0o755);
  copyFileSync('/dev/null', file('failed'));
  chmodSync(file('failed'), 0o666);
  const become: BadEngine['become'] = (way, spare) =>
    writeFileSync(file('way'), `${way ?? 'good'}\n${spare ?? 'nothing'}\n`, { mode: 0o644 });
  become(null);
  return { path: file('haproxy'), become };
}

export function compile(source: string, to: string): void {
  for (const compiler of ['cc', 'tcc'])
    try {
      execFileSync(compiler, ['-shared', '-fPIC', '-o', to, source, '-ldl', '-lpthread'], { stdio: 'pipe' });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  throw new Error('a C compiler is needed: apt-get install tcc');
}

function script(file: (name: string) => string, real: string): string {
  const spoils = Object.entries(spoilt).map(
    ([way, value]) => `  '${way}') ${value} LD_PRELOAD=${file('spoil.so')} exec ${real} "$@";;`,
  );
  const rewritten = (rule: string) =>
    `sed -E 's/^(frontend .*)$/\\1\\n${rule}/' haproxy.cfg > bad.cfg; exec ${real} "\${@/haproxy.cfg/bad.cfg}"`;
  return `#!/bin/bash
PATH=/usr/bin:/bin
{ read -r way; read -r spare; } < ${file('way')}
for word in "$@"; do
  case "$word" in
    -v) exec ${real} "$@";;
    -c) [ "$way" = 'never starts' ] || exec ${real} "$@";;
    -sf|-st|-x) [ "$way" != 'reload broken after a failure' ] || [ ! -s ${file('failed')} ] || { kill -9 \${@: -1}; exit 1; };;
  esac
done
case "$PWD" in */scratch*) [ "$spare" = nothing ] || exec ${real} "$@";; esac
case "$way" in
  'never starts') echo 'haproxy: symbol lookup error: undefined symbol: SSL_broken' >&2; exit 127;;
  'refuses what its check passes') echo '[ALERT] (1) : cannot allocate the pool of buffers' >&2; echo x >> ${file('failed')}; exit 1;;
  'crashes after 3 s') (sleep 3; kill -SEGV $$) > /dev/null 2>&1 3<&- 4<&- & exec ${real} "$@";;
  'hangs at start') exec sleep 600;;
  'accepts, never answers') ${rewritten('  timeout tarpit 1h\\n  http-request tarpit')};;
  '503 to everyone') ${rewritten('  http-request return status 503')};;
  'mute statistics socket') ${process.execPath} ${file('mute.mjs')} $$ > /dev/null 2>&1 3<&- 4<&- & exec ${real} "$@";;
${spoils.join('\n')}
  'reload broken after a failure') [ -s ${file('failed')} ] || { echo x > ${file('failed')}; exit 1; }; exec ${real} "$@";;
  *) exec ${real} "$@";;
esac
`;
}
