/** `holdfast up` that cannot: beside a site that runs, which notices nothing; and nothing is left of it. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { freePort, until } from '../../test/world/stack.ts';
import { makeFolders, type Typed, type } from '../../test/world/up.ts';
import type { Case } from './case.ts';
import { type Field, got } from './field.ts';

type Try = {
  readonly text?: (field: Field) => string;
  readonly args?: readonly string[] | ((field: Field) => readonly string[]);
  readonly env?: (folder: string) => NodeJS.ProcessEnv;
  /** Something to do with it before it is waited for. */
  readonly meanwhile?: (up: Typed) => Promise<string>;
};

/** Of another name and on other ports than the one that runs. */
function other(field: Field, ...changes: readonly (readonly [string, string])[]): string {
  const { http, https, free } = field.ports;
  return field.text(
    ['site: shop', 'site: other'],
    [`*:${http}`, `*:${free}`],
    [
      `  - name: https\n    address: "*:${https}"\n    tls: { certificates: [{ certificate: cert.pem, key: key.pem }] }\n`,
      '',
    ],
    ...changes,
  );
}

function start({ text = other, args = [], env = () => ({}), meanwhile }: Try): Case['how'] {
  return async (field) => {
    const elsewhere = makeFolders();
    try {
      const file = field.write('other.yaml', text(field));
      const port = String(await freePort());
      const given = typeof args === 'function' ? args(field) : args;
      const up = type(['up', file, '--port', port, ...given], {
        env: { ...elsewhere.env, ...env(elsewhere.folder) },
      });
      const seen = (await meanwhile?.(up)) ?? '';
      const { exit, said } = await got(up);
      return {
        exit,
        said: `${said}${seen}left running: ${leftOf(elsewhere.folder).join('; ') || 'nothing'}`,
      };
    } finally {
      elsewhere.remove();
    }
  };
}

/** Command lines of processes that name the folder. */
function leftOf(folder: string): readonly string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return line.includes(folder) ? [`${pid} ${line}`] : [];
    } catch {
      return [];
    }
  });
}

const nothingLeft = 'left running: nothing';
const at = (code: string) => new RegExp(`${code} \\S+other\\.yaml:\\d+:\\d+ `);

export const starts: readonly Case[] = [
  {
    name: 'up: the port of the API is in use',
    how: start({ args: (field) => ['--port', String(field.ports.api)] }),
    wanted: { says: ['HF302', 'where the API would listen, is in use', '--port PORT', nothingLeft] },
  },
  {
    name: "up: a listener's port is in use",
    how: start({ text: (field) => other(field, [`*:${field.ports.free}`, `*:${field.ports.http}`]) }),
    wanted: {
      says: [
        at('HF302'),
        'listener "http" of lb-',
        'is in use by another process',
        'See who: ss -ltnp',
        nothingLeft,
      ],
    },
  },
  {
    name: 'up: an address that is not of this machine',
    how: start({ text: (field) => other(field, ['address: 127.0.0.2', 'address: 192.0.2.7']) }),
    wanted: {
      says: [at('HF302'), '192.0.2.7', 'is not an address of this machine', 'ip address', nothingLeft],
    },
  },
  {
    name: 'up: the engine is not installed',
    how: start({
      text: (field) => other(field, ['engine: auto', 'engine: haproxy']),
      env: () => ({ HOLDFAST_HAPROXY: '/nonexistent' }),
    }),
    wanted: {
      says: [
        at('HF301'),
        'haproxy is not installed',
        'Install it: sudo apt-get install -y haproxy',
        nothingLeft,
      ],
    },
  },
  {
    name: 'up: the engine is left to Holdfast and HAProxy is not installed: the built-in engine serves, and it says so',
    how: start({ env: () => ({ HOLDFAST_HAPROXY: '/nonexistent' }), meanwhile: untilUpThenStop }),
    wanted: {
      exit: 0,
      says: [
        'the built-in engine serves',
        'Install it: sudo apt-get install -y haproxy',
        '(builtin ',
        'first word in time',
        nothingLeft,
      ],
    },
  },
  {
    name: 'up: a text with mistakes',
    how: start({ text: (field) => other(field, ['pool: api', 'pool: apy'], ['rise: 1', 'raise: 1']) }),
    wanted: { says: [at('HF014'), at('HF010'), 'nothing was started', nothingLeft] },
  },
  {
    name: "up: HAProxy's own text",
    how: start({ text: () => 'global\n  daemon\nfrontend web\n  bind :80\n' }),
    wanted: { says: ['HF005', 'a text of HAProxy', nothingLeft] },
  },
  {
    name: 'up: the program for --with is not there',
    how: start({ args: ['--with', '/nonexistent.ts'] }),
    wanted: { says: ['HF003', '/nonexistent.ts', 'Check --with', nothingLeft] },
  },
  {
    name: 'up: --port is no port',
    how: start({ args: ['--port', '65536'] }),
    wanted: { says: ['HF013', '--port', 'from 0 to 65535', nothingLeft] },
  },
  {
    name: 'up: a run folder too long for a Unix socket',
    how: start({ env: (folder) => ({ HOLDFAST_RUN: join(folder, 'x'.repeat(80)) }) }),
    wanted: {
      says: ['HF305', 'too long for Unix sockets', 'Set HOLDFAST_RUN to a shorter folder', nothingLeft],
    },
  },
  {
    name: 'up: state folders that cannot be: below a file, and below /proc',
    how: async (field) => {
      const below = (folder: string) => start({ env: () => ({ HOLDFAST_STATE: `${folder}/state` }) })(field);
      const both = [await below(field.write('file', '')), await below('/proc')];
      return {
        exit: both.every(({ exit }) => exit === 1) ? 1 : 'another',
        said: both.map(({ said }) => said).join('\n'),
      };
    },
    wanted: { says: ['HF305', '/proc/state', /file\/state/, 'Set HOLDFAST_STATE', nothingLeft] },
  },
];

/** A second on a machine that has nothing else to do; on a busy one as much longer as starting Node alone takes. */
const firstWordMsMax = 1_000;
const busyFactor = 10;

async function untilUpThenStop(up: Typed): Promise<string> {
  const began = systemClock.monotonicMs();
  await until('its first word', async () => up.out().includes('starting lb-1 ...'));
  const tookMs = Math.round(systemClock.monotonicMs() - began);
  const bareBegan = systemClock.monotonicMs();
  execFileSync(process.execPath, ['-e', '0']);
  const bareMs = systemClock.monotonicMs() - bareBegan;
  await until('the site', async () => up.out().includes('Ctrl-C stops everything.'), 40_000);
  up.child.kill('SIGINT');
  const isInTime = tookMs <= firstWordMsMax + busyFactor * bareMs;
  return `first word ${isInTime ? 'in time' : 'late'}: ${tookMs} ms\n`;
}
