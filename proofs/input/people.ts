/** People who type the wrong thing, at the wrong time, twice, or without the right to; and those who leave in the middle. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { ChangeView } from '../../src/contract/api.ts';
import { until } from '../../test/world/stack.ts';
import { makeFolders, type } from '../../test/world/up.ts';
import type { Case } from './case.ts';
import { type Field, type Got, got, otherCertificate } from './field.ts';
import { writeSecret } from './texts.ts';

/** Each good text is another one, so that none is `nothing to do`. */
let weights = 20;
function goodText(field: Field): string {
  weights += 1;
  return field.text(['weight: 10', `weight: ${weights}`]);
}

export const people: readonly Case[] = [
  {
    name: 'nothing wrong at all: a good change is promoted',
    how: (field) => field.apply(goodText(field)),
    wanted: { exit: 0, says: ['✔ canary', 'Promoted'], leaves: 'promoted' },
  },
  {
    name: 'two apply at once: the second is told which is ahead',
    how: twoAtOnce,
    wanted: {
      says: [
        'HF108',
        /change c\d+-\w+ of \S+change\.yaml is \w+, proposed by person:\S+ \d+ s ago/,
        'holdfast rollback',
      ],
      leaves: 'promoted',
    },
  },
  {
    name: 'Ctrl-C in the middle of apply: the change goes on, and ends promoted',
    how: (field) => leave(field, 'SIGINT'),
    wanted: {
      exit: 130,
      says: ['The change goes on without this terminal', 'See it:', 'it ended promoted'],
      leaves: 'promoted',
    },
  },
  {
    name: 'apply killed in the middle: the same',
    how: async (field) => {
      const { said, exit } = await leave(field, 'SIGKILL');
      return { exit: exit === 'SIGKILL' ? 0 : exit, said };
    },
    wanted: { exit: 0, says: ['it ended promoted'], leaves: 'promoted' },
  },
  {
    name: 'a key that only root can read: the unprivileged engine serves with it, and with the next',
    how: newKey,
    wanted: { exit: 0, says: ['Promoted', /served CN=other\.example as user [^0]/], leaves: 'promoted' },
  },
  {
    name: 'the same text again: nothing to do, and no mistake',
    how: (field) => field.apply(textThatRuns(field)),
    wanted: { exit: 0, says: ['Nothing to do'] },
  },
  {
    name: 'forced without a reason',
    how: (field) => field.apply(goodText(field), '--force'),
    wanted: { says: ['HF110', 'needs a reason', 'Add --reason'] },
  },
  {
    name: 'a listener on a port in use',
    how: (field) => withPortTaken(field, () => field.apply(addListener(field, `*:${field.ports.free}`))),
    wanted: {
      says: [
        'HF302',
        /change\.yaml:\d+:\d+ .*"more".*127\.0\.0\.1:\d+ is in use by another process/,
        'See who: ss -ltnp',
        'Nothing was changed',
      ],
    },
  },
  {
    name: 'a listener on a port in use, forced',
    how: (field) =>
      withPortTaken(field, () =>
        field.apply(addListener(field, `*:${field.ports.free}`), '--force', '--reason', 'try'),
      ),
    wanted: { says: ['HF302', 'is in use by another process', 'Rolled back'] },
  },
  {
    name: 'a listener with one address for two balancers',
    how: (field) => field.apply(addListener(field, '127.0.0.1:81')),
    wanted: {
      says: [
        'HF017',
        /change\.yaml:\d+:\d+ /,
        'of balancer "lb-2" would use 127.0.0.1:81',
        'Give each its own',
      ],
    },
  },
  {
    name: 'a server that refuses connections',
    how: (field) =>
      field.apply(field.text([`127.0.0.1:${field.origins[0]?.port}`, `127.0.0.1:${field.ports.free}`])),
    wanted: {
      says: ['HF103', 'asked from lb-1: GET', 'asked from lb-2', 'connection refused', 'Nothing was changed'],
    },
  },
  {
    name: 'an incident, a change, a site, an option and a command that do not exist',
    how: async (field) => {
      const all = [];
      for (const args of [
        ['postmortem', 'inc-9'],
        ['changes', 'c9'],
        ['status', '--site', 'blog'],
        ['apply'],
        ['status', '--jsno'],
        ['stauts'],
      ])
        all.push(await field.run(...args));
      return {
        exit: all.every(({ exit }) => exit === 1) ? 1 : all.map(({ exit }) => exit).join(),
        said: all.map(({ said }) => said).join('\n'),
      };
    },
    wanted: {
      says: [
        'there is no incident "inc-9"',
        'there is no change "c9"',
        'no site "blog" runs here',
        "missing required argument 'file'",
        'Did you mean --json?',
        'Did you mean status?',
      ],
    },
  },
  {
    name: 'a user who did not start it',
    how: (field) => got(type(['status'], { env: field.folders.env, uid: 65_534 })),
    wanted: { says: ['HF403', 'Run the command as the user who started Holdfast'] },
  },
  {
    name: 'the API asked for nonsense',
    how: askNonsense,
    wanted: {
      exit: 0,
      says: ['no token 401', 'no JSON 400', 'wrong fields 400', 'too much 413', 'nothing there 404'],
    },
  },
  {
    name: 'apply when nothing runs',
    how: async (field) => {
      const elsewhere = makeFolders();
      try {
        return await got(
          type(['apply', field.write('change.yaml', goodText(field))], { env: elsewhere.env }),
        );
      } finally {
        elsewhere.remove();
      }
    },
    wanted: { says: ['HF401', 'no site runs here', 'Start it: `holdfast up site.yaml`'] },
  },
  {
    name: 'up of a site that is up',
    how: (field) => field.run('up', field.write('change.yaml', goodText(field))),
    wanted: { says: ['HF302', 'shop is already up', 'See it: holdfast status'] },
  },
];

/** The site is not there for a moment, so requests are not counted. */
export const restarts: readonly Case[] = [
  {
    name: 'Ctrl-C of up in the middle of apply: the site comes back as it was, the change has an end',
    how: stopInTheMiddle,
    wanted: {
      says: [
        'Nothing is left running',
        /the change is (?:rolled back|abandoned): the controller ended during canary/,
      ],
      leaves: 'restarted',
    },
  },
];

function textThatRuns({ folders }: Field): string {
  const file = join(folders.env.HOLDFAST_STATE, 'shop/site.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly text: string }).text;
}

async function inCanary(field: Field): Promise<ChangeView> {
  return await until('the canary', async () => {
    const { change } = await field.status();
    return change?.state === 'canary' && change;
  });
}

async function endOf(field: Field, id: string): Promise<ChangeView> {
  return await until(
    'the end of the change',
    async () => (await field.changes())?.find((change) => change.id === id && change.endedAt !== null),
    60_000,
  );
}

async function twoAtOnce(field: Field): Promise<Got> {
  const first = field.start('apply', field.write('change.yaml', goodText(field)));
  const { id } = await inCanary(field);
  const second = await field.run('apply', field.write('second.yaml', goodText(field)));
  const { exit, said } = await got(first);
  const named = second.said.includes(id);
  return {
    exit: exit === 0 && named ? second.exit : `the first: ${exit}, named: ${named}`,
    said: `${second.said}${said}`,
  };
}

async function leave(field: Field, signal: 'SIGINT' | 'SIGKILL'): Promise<Got> {
  const applying = field.start('apply', field.write('change.yaml', goodText(field)));
  const { id } = await inCanary(field);
  applying.child.kill(signal);
  const { exit, said } = await got(applying);
  const { state } = await endOf(field, id);
  return { exit, said: `${said}it ended ${state}` };
}

async function stopInTheMiddle(field: Field): Promise<Got> {
  const applying = field.start('apply', field.write('change.yaml', goodText(field)));
  const { id } = await inCanary(field);
  const said = await field.stopSite();
  await field.restart();
  // It waits for the controller to return, and is told the change's end by the new one.
  const applied = await got(applying);
  const { state, why } = await endOf(field, id);
  return { exit: applied.exit, said: `${said}${applied.said}the change is ${state}: ${why}` };
}

async function newKey(field: Field): Promise<Got> {
  writeSecret(field, 'other-cert.pem', otherCertificate.cert);
  writeSecret(field, 'other-key.pem', otherCertificate.key);
  const { exit, said } = await field.apply(
    field.text(['cert.pem, key: key.pem', 'other-cert.pem, key: other-key.pem']),
  );
  return {
    exit,
    said: `${said}served ${await subjectOf(field.ports.https)} as user ${await engineUser(field)}`,
  };
}

async function engineUser(field: Field): Promise<string> {
  const [one] = (await field.status()).balancers;
  const active = one && 'generations' in one ? one.generations.find(({ role }) => role === 'active') : null;
  return /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${active?.pid}/status`, 'utf8'))?.[1] ?? '?';
}

/** Who the TLS listener says it is. */
async function subjectOf(port: number): Promise<string> {
  return await new Promise((resolve, reject) => {
    const asked = request({
      host: '127.0.0.1',
      port,
      servername: 'other.example',
      rejectUnauthorized: false,
      agent: false,
    });
    asked.on('error', reject);
    asked.on('response', (answer) => {
      const socket = answer.socket;
      const subject =
        'getPeerCertificate' in socket && typeof socket.getPeerCertificate === 'function'
          ? socket.getPeerCertificate().subject.CN
          : '';
      answer.resume();
      resolve(`CN=${subject}`);
    });
    asked.end();
  });
}

function addListener(field: Field, address: string): string {
  return field.text(['listeners:\n', `listeners:\n  - { name: more, address: "${address}" }\n`]);
}

async function withPortTaken(field: Field, work: () => Promise<Got>): Promise<Got> {
  const taker = createServer().listen(field.ports.free, '127.0.0.1');
  await once(taker, 'listening');
  try {
    return await work();
  } finally {
    taker.close();
  }
}

async function askNonsense(field: Field): Promise<Got> {
  const { url, token } = field.location();
  const ask = async (what: string, path: string, init: RequestInit = {}) =>
    `${what} ${(await fetch(`${url}${path}`, init)).status}`;
  const headers = { authorization: `Bearer ${token}` };
  const post = (body: string) => ({ method: 'POST', headers, body });
  const said = await Promise.all([
    ask('no token', '/v1/changes', { method: 'POST', body: '{}' }),
    ask('no JSON', '/v1/changes', post('{')),
    ask('wrong fields', '/v1/changes', post('{"file":1,"force":"yes"}')),
    ask('too much', '/v1/changes', post(JSON.stringify({ text: 'x'.repeat(6_000_000) }))),
    ask('nothing there', '/v1/everything', { headers }),
  ]);
  return { exit: 0, said: said.join(', ') };
}
