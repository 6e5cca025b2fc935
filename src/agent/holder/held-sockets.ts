import { Failure } from '#base';
import type { HolderMachine } from './machine.ts';
import type { GenerationSpec, ListenerAddress, SourcedListener } from './protocol.ts';
import type { HolderState } from './state.ts';

export const addressKey = ({ host, port }: ListenerAddress) => `${host}:${port}`;

/** Who may have a socket that a holder before this one opened. */
export interface Lent {
  readonly spec: Pick<GenerationSpec, 'listeners'>;
  readonly pids: readonly number[];
}

/** The listening sockets of one balancer, by address. */
export class HeldSockets {
  readonly #machine: HolderMachine;
  readonly #all = new Map<string, ListenerAddress & { readonly fd: number }>();

  constructor(machine: HolderMachine) {
    this.#machine = machine;
  }

  get size(): number {
    return this.#all.size;
  }

  get descriptors(): readonly number[] {
    return [...this.#all.values()].map(({ fd }) => fd);
  }

  get state(): HolderState['sockets'] {
    return [...this.#all.values()].map(({ host, port, fd }) => ({
      host,
      port,
      inode: this.#machine.inode(fd),
    }));
  }

  /** Those that are not open yet. @throws Failure HF302, HF504, HF505 */
  open(listeners: readonly SourcedListener[]): void {
    for (const { from, ...at } of listeners) {
      if (!this.#all.has(addressKey(at)))
        this.#all.set(addressKey(at), { ...at, fd: this.#machine.open(at, from) });
    }
  }

  /** @throws Failure HF404 */
  of(address: ListenerAddress): number {
    const socket = this.#all.get(addressKey(address));
    if (!socket) throw new Failure('HF404', `no socket ${addressKey(address)} is open`);
    return socket.fd;
  }

  /** Takes a socket back from whoever has it; false: nobody does. While somebody accepts on its address no other can be opened. */
  takeBack({ host, port, inode }: HolderState['sockets'][number], lent: readonly Lent[]): boolean {
    const wanted = addressKey({ host, port });
    for (const { spec, pids } of lent) {
      const index = spec.listeners.findIndex((l) => addressKey(l) === wanted);
      for (const pid of index < 0 ? [] : pids) {
        const fd = this.#machine.takeDescriptor(pid, 3 + index);
        if (fd === null || this.#machine.inode(fd) !== inode) continue;
        this.#all.set(wanted, { host, port, fd });
        return true;
      }
    }
    return false;
  }
}
