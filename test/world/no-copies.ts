/**
 * Runs a command that may not copy descriptors of other processes, as in a container without CAP_SYS_PTRACE: `pidfd_getfd`
 * is not permitted to it and to whatever it starts (seccomp).
 */
import { spawn } from 'node:child_process';
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');
const prctl = libc.func('int prctl(int option, long a, void *b, long c, long d)');
const filterStruct = koffi.struct('test_sock_fprog', { length: 'uint16_t', filter: 'const void *' });
const setFilter = libc.func('prctl', 'int', ['int', 'long', koffi.pointer(filterStruct), 'long', 'long']);

const [noNewPrivileges, setSeccomp, modeFilter] = [38, 22, 2];
const pidfdGetfd = 438;
/** Load the call's number; if it is this one, not permitted; else as ever. */
const program = [
  [0x20, 0, 0, 0],
  [0x15, 0, 1, pidfdGetfd],
  [0x06, 0, 0, 0x00_05_00_01],
  [0x06, 0, 0, 0x7f_ff_00_00],
] as const;

export function forbidCopies(): void {
  const filter = Buffer.alloc(program.length * 8);
  program.forEach(([code, whenTrue, whenFalse, constant], at) => {
    filter.writeUInt16LE(code, at * 8);
    filter.writeUInt8(whenTrue, at * 8 + 2);
    filter.writeUInt8(whenFalse, at * 8 + 3);
    filter.writeUInt32LE(constant, at * 8 + 4);
  });
  if (prctl(noNewPrivileges, 1, null, 0, 0) !== 0) throw new Error(`prctl: errno ${koffi.errno()}`);
  if (setFilter(setSeccomp, modeFilter, { length: program.length, filter }, 0, 0) !== 0)
    throw new Error(`seccomp: errno ${koffi.errno()}`);
}

if (import.meta.main) {
  forbidCopies();
  const [file = '', ...args] = process.argv.slice(2);
  const child = spawn(file, args, { stdio: 'inherit' });
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => child.kill(name));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 0 : 1)));
}
