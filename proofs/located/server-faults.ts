/** Faults of servers and of what stands behind them. */
import { connect, type Socket } from 'node:net';
import { limitDescriptors } from './descriptors.ts';
import type { Fault } from './fault.ts';
import { poolServers } from './fault.ts';
import type { Manner } from './server.ts';

function misbehaves(
  name: string,
  servers: readonly string[],
  manner: Partial<Manner>,
  is: readonly string[],
): Fault {
  return {
    name,
    is: [is],
    strike: (field) => Promise.all(servers.map((one) => field.server(one).become(manner))),
    mend: (field) => Promise.all(servers.map((one) => field.server(one).become())),
  };
}

function signalled(
  name: string,
  servers: readonly string[],
  how: 'SIGKILL' | 'SIGSTOP',
  is: readonly string[],
): Fault {
  return {
    name,
    is: [is],
    strike(field) {
      for (const one of servers) field.server(one).signal(how);
    },
    mend: (field) =>
      Promise.all(
        servers.map((one) =>
          how === 'SIGKILL' ? field.server(one).start() : field.server(one).signal('SIGCONT'),
        ),
      ),
  };
}

const web2 = 'web/web-2';
const one = ['server web/web-2'];
const api = poolServers('api');
const all = ['pool api'];
/** More than its process needs to run, and none for connections. */
const descriptorsMax = 1;

let held: Socket[] = [];

export const serverFaults: readonly Fault[] = [
  signalled('one server is dead', [web2], 'SIGKILL', one),
  signalled('one server stands still, its connections are taken by its kernel', [web2], 'SIGSTOP', one),
  {
    name: 'one server drops every packet: its queue is full',
    is: [one],
    async strike(field) {
      field.server(web2).signal('SIGSTOP');
      const { address } = field.machine('m2');
      held = Array.from({ length: 600 }, () => connect(9001, address).on('error', () => {}));
    },
    mend(field) {
      for (const socket of held) socket.destroy();
      held = [];
      field.server(web2).signal('SIGCONT');
    },
  },
  misbehaves('one server answers after a second', [web2], { delayMs: 1_000, checkToo: true }, one),
  misbehaves('one server answers after a second, its check at once', [web2], { delayMs: 1_000 }, one),
  misbehaves('one server answers 500, its check well', [web2], { status: 500 }, one),
  misbehaves('one server answers 500, its check too', [web2], { status: 500, checkToo: true }, one),
  misbehaves('one server answers 503 to three of ten', ['api/api-1'], { status: 503, percent: 30 }, [
    'server api/api-1',
  ]),
  misbehaves('one server breaks its answers off in the middle', [web2], { how: 'halves' }, one),
  misbehaves('one server resets connections', [web2], { how: 'resets' }, one),
  misbehaves('one server resets connections, its check too', [web2], { how: 'resets', checkToo: true }, one),
  misbehaves('one server takes requests and answers none', [web2], { how: 'hangs', checkToo: true }, one),
  misbehaves('one server takes requests and answers none but its check', [web2], { how: 'hangs' }, one),
  misbehaves('one server answers for another site', [web2], { site: 'somebody', checkToo: true }, one),
  {
    name: 'one server has no file descriptors left',
    is: [one],
    strike: (field) => limitDescriptors(field.server(web2).pid(), descriptorsMax),
    mend: (field) => limitDescriptors(field.server(web2).pid(), 1_024),
  },
  signalled('two of three servers are dead', [web2, 'web/web-1'], 'SIGKILL', ['server web/web-1', ...one]),
  misbehaves('two of three servers answer 500', [web2, 'web/web-1'], { status: 500 }, [
    'server web/web-1',
    ...one,
  ]),
  signalled('a pool is dead', api, 'SIGKILL', all),
  misbehaves('a pool is slow', api, { delayMs: 1_000, checkToo: true }, all),
  misbehaves('the database behind a pool is dead: 500, checks are well', api, { status: 500 }, all),
  misbehaves(
    'the database behind a pool hangs: 500 after a second',
    api,
    { status: 500, delayMs: 1_000 },
    all,
  ),
  misbehaves('a pool answers 500, its checks too', api, { status: 500, checkToo: true }, all),
  misbehaves('a pool answers one of ten with 500', api, { status: 500, percent: 10 }, all),
  misbehaves('a pool takes requests and answers none', api, { how: 'hangs', checkToo: true }, all),
  misbehaves('a pool breaks its answers off in the middle', api, { how: 'halves' }, all),
  misbehaves('a pool resets connections', api, { how: 'resets' }, all),
];
