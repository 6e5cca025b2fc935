/** Faults of balancers, too much of everything, and clients that misbehave. */
import { connect, type Socket } from 'node:net';
import { limitDescriptors } from './descriptors.ts';
import { both, type Fault } from './fault.ts';
import { type BalancerName, type Field, usualRate } from './field.ts';

const ways = (balancer: string) => [[`balancer ${balancer}`]];

function stopped(balancer: BalancerName, name: string, what: 'engine' | 'agent'): Fault {
  let pids: readonly number[] = [];
  return {
    name,
    is: ways(balancer),
    async strike(field) {
      pids = what === 'agent' ? [field.agent(balancer)] : await field.engine(balancer);
      for (const pid of pids) process.kill(pid, 'SIGSTOP');
    },
    mend() {
      for (const pid of pids) quietly(() => process.kill(pid, 'SIGCONT'));
    },
    withinMs: 15_000,
  };
}

function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // It has ended.
  }
}

const nothing = (): void => {};
let sockets: Socket[] = [];
let timer: NodeJS.Timeout | null = null;

/** So many bytes on so many connections a second to each balancer. */
function client(name: string, perSecond: number, first: string, keeps: boolean): Fault {
  return {
    name,
    is: null,
    strike(field) {
      timer = setInterval(() => {
        for (const balancer of both) {
          const socket = connect(8080, field.machine(balancer).address).on('error', nothing);
          socket.on('data', nothing).write(first);
          if (keeps) sockets.push(socket);
          else socket.setTimeout(1_000, () => socket.destroy());
        }
      }, 1_000 / perSecond);
    },
    mend() {
      if (timer) clearInterval(timer);
      for (const socket of sockets) socket.destroy();
      sockets = [];
    },
  };
}

export const engineFaults: readonly Fault[] = [
  stopped('lb-1', 'HAProxy stands still', 'engine'),
  stopped('lb-2', 'NGINX stands still', 'engine'),
  stopped('lb-1', 'the agent of a balancer stands still', 'agent'),
  {
    name: 'NGINX has no file descriptors left',
    is: [['the machine of lb-2 (file descriptors)'], ['balancer lb-2']],
    async strike(field) {
      for (const pid of await field.engine('lb-2')) limitDescriptors(pid, 24);
    },
    async mend(field) {
      for (const pid of await field.engine('lb-2')) quietly(() => limitDescriptors(pid, 1_024));
    },
  },
  {
    name: 'more requests than the servers take',
    is: [['pool api'], ['pool web'], ['pool api', 'pool web'], ['clients']],
    async strike(field) {
      await setWays(field, 900);
      await field.visitors.rate(4 * usualRate);
    },
    async mend(field) {
      await field.visitors.rate(usualRate);
      await setWays(field, null);
    },
  },
  client('a client sends what is no HTTP', 50, 'NONSENSE\r\n\r\n', false),
  client(
    'a client asks for what is not there, often',
    100,
    'GET /nowhere HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n',
    false,
  ),
  client('a client sends its requests very slowly', 40, 'GET / HTTP/1.1\r\nHost: shop.ex', true),
  {
    name: 'clients go away before they are answered',
    is: null,
    strike(field) {
      timer = setInterval(() => {
        for (const balancer of both) {
          const socket = connect(8080, field.machine(balancer).address).on('error', nothing);
          socket.write('GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n', () =>
            setTimeout(() => socket.destroy(), 3),
          );
        }
      }, 20);
    },
    mend() {
      if (timer) clearInterval(timer);
    },
  },
];

async function setWays(field: Field, delayMs: number | null): Promise<void> {
  const manner = delayMs === null ? {} : { delayMs };
  for (const at of [1, 2, 3]) await field.server(`api/api-${at}`).become(manner);
}
