import koffi from 'koffi';
import { Failure } from '#base';

/**
 * Which of several sockets on one address (SO_REUSEPORT) gets a new connection. Sockets are numbered from 0 in the order
 * in which they began to listen; when one is closed the last one takes its number. A number that no socket has means: any.
 */
const libc = koffi.load('libc.so.6');
const program = koffi.struct('holdfast_sock_fprog', { length: 'uint16_t', filter: 'const void *' });
const setProgram = libc.func('setsockopt', 'int', ['int', 'int', 'int', koffi.pointer(program), 'uint32_t']);

const solSocket = 1;
const attachReusePortCbpf = 51;
const programBytes = 16;
const instructionBytes = 8;

/** Classic BPF. The offset asks the kernel for a random number instead of a byte of the packet. */
const code = { loadWord: 0x20, modulo: 0x94, add: 0x04, returnConstant: 0x06, returnResult: 0x16 } as const;
const randomNumber = 0xff_ff_f0_38;

/**
 * New connections go to the `count` sockets from number `first` on, from now on and whoever closes meanwhile. One socket
 * of the address is enough to say so.
 * @throws Failure HF505 when the kernel does not take it: the socket stands alone, or was not opened for it.
 */
export function steer(fd: number, { first, count }: { first: number; count: number }): void {
  const filter =
    count === 1
      ? instructions([code.returnConstant, first])
      : instructions(
          [code.loadWord, randomNumber],
          [code.modulo, count],
          [code.add, first],
          [code.returnResult, 0],
        );
  const length = filter.length / instructionBytes;
  if (setProgram(fd, solSocket, attachReusePortCbpf, { length, filter }, programBytes) === 0) return;
  throw new Failure(
    'HF505',
    `new connections cannot be steered (errno ${koffi.errno()}): the sockets on the address were not opened with SO_REUSEPORT`,
  );
}

function instructions(...all: readonly (readonly [operation: number, constant: number])[]): Buffer {
  const bytes = Buffer.alloc(all.length * instructionBytes);
  all.forEach(([operation, constant], at) => {
    bytes.writeUInt16LE(operation, at * instructionBytes);
    bytes.writeUInt32LE(constant, at * instructionBytes + 4);
  });
  return bytes;
}
