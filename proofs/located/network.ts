/** Machines of their own on this one: network namespaces on a bridge, each with an address. Needs root and iproute2. */
import { execFileSync } from 'node:child_process';

export interface Machine {
  readonly name: string;
  readonly address: string;
  /** The network namespace's name, for `ip netns exec`. */
  readonly namespace: string;
  /** Its cable: out, or in again. */
  plugged(isIn: boolean): void;
  /** What it sends passes a bucket of so many kilobits a second: it is late, and what does not fit is lost. Null: as ever. */
  throttled(kilobits: number | null): void;
  /** What it sends to that machine goes nowhere, and nobody says so. */
  cutFrom(other: Machine, isCut: boolean): void;
}

export interface Network {
  machine(name: string): Machine;
  /** This machine's own address among them. */
  readonly here: string;
  close(): void;
}

const ip = (...words: readonly string[]) => execFileSync('ip', words, { stdio: ['ignore', 'pipe', 'pipe'] });
/** Nobody has it. */
const nobodysHardware = '02:00:00:00:de:ad';

let networks = 0;

export function makeNetwork(names: readonly string[]): Network {
  networks += 1;
  const number = process.pid * 4 + networks;
  const mark = `hf${number.toString(36)}`;
  const prefix = `10.${200 + (number % 50)}.${Math.floor(number / 50) % 250}`;
  const bridge = `${mark}br`;
  const made: string[] = [];
  const close = () => {
    for (const namespace of made) quietly(() => ip('netns', 'del', namespace));
    quietly(() => ip('link', 'del', bridge));
  };
  try {
    ip('link', 'add', bridge, 'type', 'bridge');
    ip('addr', 'add', `${prefix}.1/24`, 'dev', bridge);
    ip('link', 'set', bridge, 'up');
    const machines = names.map((name, at) => {
      const namespace = `${mark}-${name}`;
      ip('netns', 'add', namespace);
      made.push(namespace);
      return makeMachine({
        name,
        namespace,
        bridge,
        cable: `${mark}v${at}`,
        address: `${prefix}.${11 + at}`,
      });
    });
    return {
      here: `${prefix}.1`,
      close,
      machine(name) {
        const machine = machines.find((one) => one.name === name);
        if (!machine) throw new Error(`there is no machine ${name}`);
        return machine;
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}

interface MachinePlan {
  readonly name: string;
  readonly namespace: string;
  readonly bridge: string;
  readonly cable: string;
  readonly address: string;
}

function makeMachine({ name, namespace, bridge, cable, address }: MachinePlan): Machine {
  const inside = (...words: readonly string[]) => ip('-n', namespace, ...words);
  ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
  ip('link', 'set', cable, 'master', bridge, 'up');
  inside('link', 'set', 'lo', 'up');
  inside('addr', 'add', `${address}/24`, 'dev', 'eth0');
  inside('link', 'set', 'eth0', 'up');
  return {
    name,
    namespace,
    address,
    plugged: (isIn) => void ip('link', 'set', cable, isIn ? 'up' : 'down'),
    throttled(kilobits) {
      const words = ['-n', namespace, 'qdisc'];
      const queue = ['root', 'tbf', 'rate', `${kilobits}kbit`, 'burst', '2kb', 'latency', '400ms'];
      if (kilobits === null) execFileSync('tc', [...words, 'del', 'dev', 'eth0', 'root']);
      else execFileSync('tc', [...words, 'replace', 'dev', 'eth0', ...queue]);
    },
    cutFrom(other, isCut) {
      const words = ['neigh', isCut ? 'replace' : 'del', other.address, 'dev', 'eth0'];
      inside(...words, ...(isCut ? ['lladdr', nobodysHardware, 'nud', 'permanent'] : []));
    },
  };
}

function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // It has gone already.
  }
}
