/** Bad changes, each forced past every gate; good ones with a fault beside them; and two faults at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './fault.ts';
import { type Field, usualRate } from './field.ts';

const change = [['change CHANGE']];

/** `apply` and what is there to be seen go on at the same time. */
function bad(name: string, edit: (text: string, field: Field) => string): Fault {
  let applied: Promise<unknown> = Promise.resolve();
  return {
    name: `a change: ${name}`,
    is: change,
    isChange: true,
    strike(field) {
      applied = field.apply((text) => edit(text, field));
    },
    async mend(field) {
      await applied;
      await field.apply((text) => text);
    },
    withinMs: 20_000,
  };
}

const servers = (pool: string) => new RegExp(`( - name: ${pool}\\n    servers:\\n)((?: {6}- .*\\n)+)`);
const deadPort = 9009;
const nobody = '192.0.2.7';

export const changeFaults: readonly Fault[] = [
  bad('every server of a pool is one that is dead', (text) =>
    text.replace(
      servers('api'),
      (_, head: string, list: string) => head + list.replaceAll('9002', `${deadPort}`),
    ),
  ),
  bad('servers that do not exist come in the place of all', (text) =>
    text.replace(
      servers('web'),
      (_, head: string) =>
        `${head}      - { name: web-7, address: "${nobody}:9001" }\n      - { name: web-8, address: "${nobody}:9002" }\n`,
    ),
  ),
  bad('a dead server is added', (text, field) =>
    text.replace(
      servers('web'),
      (_, head: string, list: string) =>
        `${head}${list}      - { name: web-9, address: "${field.machine('m1').address}:${deadPort}" }\n`,
    ),
  ),
  bad('the wrong port of one server', (text, field) =>
    text.replace(`${field.machine('m1').address}:9002`, `${field.machine('m1').address}:${deadPort}`),
  ),
  bad('a route leads to the wrong pool, which answers 500', (text) =>
    text.replace('  - name: web\n    pool: web\n', '  - name: web\n    pool: api\n'),
  ),
  bad('a route leads to the wrong pool, which answers 404', (text) =>
    text.replace('    pool: api\n', '    pool: web\n'),
  ),
  bad('a rewrite to what servers do not know', (text) =>
    text.replace('    pool: api\n', '    pool: api\n    rewrite: { path: { replacePrefixMatch: /v2 } }\n'),
  ),
  bad('a time-out that is too short', (text) =>
    text.replace(
      servers('api'),
      (_, head: string, list: string) => `${head}${list}    timeouts: { server: 4ms }\n`,
    ),
  ),
];

/** For engines that have a queue. */
export const queueFaults: readonly Fault[] = [
  {
    name: 'more requests than the servers take: the queue is full',
    // The change that made them take so few is as true a name.
    is: [['pool api'], ['change CHANGE']],
    async strike(field) {
      for (const at of [1, 2, 3]) await field.server(`api/api-${at}`).become({ delayMs: 60 });
      await field.apply((text) => text.replaceAll('connectionsMax: 100', 'connectionsMax: 3'));
      await sleep(31_000);
      await field.visitors.rate(4 * usualRate);
    },
    async mend(field) {
      await field.visitors.rate(usualRate);
      for (const at of [1, 2, 3]) await field.server(`api/api-${at}`).become();
      await field.apply((text) => text);
    },
  },
];

/** A change that nothing is wrong with is under way, or has just been made, when something else breaks. */
function beside(
  name: string,
  is: readonly string[],
  afterMs: number,
  strike: (field: Field) => unknown,
  mend: (field: Field) => unknown,
): Fault {
  let applied: Promise<unknown> = Promise.resolve();
  return {
    name,
    is: [is],
    async strike(field) {
      applied = field.apply((text) => text.replace('fall: 3', 'fall: 4'));
      await sleep(afterMs);
      await strike(field);
    },
    async mend(field) {
      await mend(field);
      await applied;
      await field.apply((text) => text);
    },
    withinMs: 20_000,
  };
}

export const twoFaults: readonly Fault[] = [
  {
    name: 'two at once: a server is dead, a server of the other pool answers 500',
    is: [['server api/api-1', 'server web/web-2']],
    async strike(field) {
      field.server('web/web-2').signal('SIGKILL');
      await field.server('api/api-1').become({ status: 500 });
    },
    async mend(field) {
      await field.server('web/web-2').start();
      await field.server('api/api-1').become();
    },
  },
  {
    name: 'two at once: a pool is dead, a server of the other one is slow',
    is: [['pool api', 'server web/web-2']],
    async strike(field) {
      for (const at of [1, 2, 3]) field.server(`api/api-${at}`).signal('SIGKILL');
      await field.server('web/web-2').become({ delayMs: 1_000, checkToo: true });
    },
    async mend(field) {
      for (const at of [1, 2, 3]) await field.server(`api/api-${at}`).start();
      await field.server('web/web-2').become();
    },
  },
  {
    name: 'two at once: a balancer is cut off a machine, a server of the other pool is dead',
    is: [['server api/api-3', 'the network from lb-1 to pool api', 'the network from lb-1 to pool web']],
    strike(field) {
      field.machine('lb-1').cutFrom(field.machine('m1'), true);
      field.server('api/api-3').signal('SIGKILL');
    },
    async mend(field) {
      field.machine('lb-1').cutFrom(field.machine('m1'), false);
      await field.server('api/api-3').start();
    },
  },
  beside(
    'a server dies just after a good change',
    ['server web/web-2'],
    7_000,
    (field) => field.server('web/web-2').signal('SIGKILL'),
    (field) => field.server('web/web-2').start(),
  ),
  beside(
    'a pool breaks just after a good change',
    ['pool api'],
    7_000,
    (field) => Promise.all([1, 2, 3].map((at) => field.server(`api/api-${at}`).become({ status: 500 }))),
    (field) => Promise.all([1, 2, 3].map((at) => field.server(`api/api-${at}`).become())),
  ),
];
