/** Texts and files that are not the site that somebody meant. Each is applied to a site that runs. */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../test/world/stack.ts';
import type { Case } from './case.ts';
import { type Field, otherCertificate } from './field.ts';

const change = (field: Field, from: string, to: string) => field.apply(field.text([from, to]));
const place = (code: string) => new RegExp(`${code} \\S+change\\.yaml:\\d+:\\d+ `);

export const texts: readonly Case[] = [
  {
    name: 'an unknown key',
    how: (field) => change(field, 'algorithm:', 'algoritm:'),
    wanted: { says: [place('HF010'), 'Did you mean "algorithm"?', 'nothing was changed'] },
  },
  {
    name: 'values of the wrong type',
    how: (field) =>
      change(field, 'interval: 500ms, timeout: 2s, rise: 1', 'interval: 500, timeout: true, rise: one'),
    wanted: {
      says: [
        place('HF011'),
        'pools[0].healthCheck.interval',
        'timeout',
        'rise',
        'Add the unit, such as 500ms',
      ],
    },
  },
  {
    name: 'two routes that cannot both be meant',
    how: (field) =>
      change(
        field,
        '  - { name: web, pool: web }',
        '  - { name: web, pool: web }\n  - { name: rest, pool: api }',
      ),
    wanted: {
      says: [place('HF016'), 'matches the same requests as routes[1] on line', 'make one more specific'],
    },
  },
  {
    name: 'a route to a pool that does not exist',
    how: (field) => change(field, 'name: web, pool: web', 'name: web, pool: wbe'),
    wanted: { says: [place('HF014'), 'Did you mean "web"?'] },
  },
  {
    name: 'three mistakes at once: all are told',
    how: (field) =>
      field.apply(
        field.text(['pool: api', 'pool: apy'], ['rise: 1', 'raise: 1'], ['engine: auto', 'engine: apache']),
      ),
    wanted: { says: [place('HF014'), place('HF010'), place('HF013')] },
  },
  {
    name: 'a certificate that does not match its key',
    how: (field) => {
      field.write('other.pem', otherCertificate.key);
      return change(field, 'key: key.pem', 'key: other.pem');
    },
    wanted: {
      says: [
        place('HF018'),
        'does not belong to the certificate',
        'Name the key that the certificate was made for',
      ],
    },
  },
  {
    name: 'a certificate that is not there',
    how: (field) => change(field, 'certificate: cert.pem', 'certificate: gone.pem'),
    wanted: { says: [place('HF018'), 'there is no such file'] },
  },
  {
    name: "a certificate's path that leads outside, to a secret that is none",
    how: (field) => change(field, 'certificate: cert.pem', 'certificate: ../../../../../etc/shadow'),
    wanted: { says: [place('HF018'), /expected a certificate in \/etc\/shadow, got (?!.*root:)/] },
  },
  {
    name: 'a key that hangs whoever reads it (a pipe without a writer)',
    how: (field) => {
      execFileSync('mkfifo', [join(field.folders.folder, 'pipe.pem')]);
      return change(field, 'key: key.pem', 'key: pipe.pem');
    },
    wanted: { says: [place('HF018'), 'pipe.pem', 'not a regular file'] },
  },
  {
    name: 'a key without end (/dev/zero)',
    how: (field) => change(field, 'key: key.pem', 'key: /dev/zero'),
    wanted: { says: [place('HF018'), '/dev/zero', 'not a regular file'] },
  },
  {
    name: 'a server whose name does not resolve',
    how: (field) => change(field, 'name: web-1, address: 127.0.0.1', 'name: web-9, address: web-9.invalid'),
    wanted: { says: ['web-9.invalid', /change\.yaml:\d+ .*web-9/, 'HF103', 'Nothing was changed'] },
  },
  {
    name: 'an unknown balancer',
    how: (field) => change(field, '{ name: lb-2,', '{ name: lb-9,'),
    wanted: { says: ['limits', 'lb-9', 'HF101', 'Stop the site and start it with this file'] },
  },
  {
    name: "another site's file",
    how: (field) => change(field, 'site: shop', 'site: blog'),
    wanted: { says: ['"blog"', '"shop" runs here', 'HF101'] },
  },
  {
    name: 'a file of 200 MB',
    how: (field) => {
      truncateSync(field.write('change.yaml', ''), 200 * 1024 * 1024);
      return field.run('apply', join(field.folders.folder, 'change.yaml'));
    },
    wanted: { says: ['HF002', '209715200 bytes', 'at most 4194304'] },
  },
  {
    name: 'a file that changes while it is read',
    how: whileItChanges,
    wanted: { says: ['HF004', 'changed while it was read', 'run the command again'] },
  },
  {
    name: 'a directory given as the file',
    how: (field) => {
      mkdirSync(join(field.folders.folder, 'folder'), { recursive: true });
      return field.run('apply', join(field.folders.folder, 'folder'));
    },
    wanted: { says: ['HF003', 'is a folder', 'Name the site file in it'] },
  },
  {
    name: 'a file that is not there',
    how: (field) => field.run('apply', join(field.folders.folder, 'none.yaml')),
    wanted: { says: ['HF003', 'there is no such file'] },
  },
  {
    name: "HAProxy's own text",
    how: (field) => field.apply('global\n  daemon\nfrontend web\n  bind :80\n  default_backend web\n'),
    wanted: { says: ['HF005', 'a text of HAProxy', '--dialect'] },
  },
  {
    name: 'an empty file',
    how: (field) => field.apply(''),
    wanted: { says: [place('HF011'), 'got nothing'] },
  },
  {
    name: 'a binary file',
    how: (field) => field.run('apply', field.write('change.yaml', randomBytes(4_000))),
    wanted: { says: ['HF001', 'is not UTF-8 text', 'Save it as UTF-8'] },
  },
  {
    name: 'a billion laughs',
    how: (field) => field.apply(laughs()),
    wanted: { says: [place('HF002'), 'expected at most'] },
  },
  {
    name: 'levels without end',
    how: (field) => field.apply(`site: ${'['.repeat(100_000)}`),
    wanted: { says: [place('HF002'), 'levels'] },
  },
];

function laughs(): string {
  const lines = ['l0: &l0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]'];
  for (let i = 1; i < 10; i += 1)
    lines.push(`l${i}: &l${i} [${Array.from({ length: 9 }, () => `*l${i - 1}`).join(', ')}]`);
  return `${lines.join('\n')}\nsite: *l9\n`;
}

const readsMax = 10;

/** Somebody writes it, a byte at a time and without a pause, as long as it is read. */
async function whileItChanges(field: Field) {
  const path = field.write('change.yaml', `${field.text()}\n# ${'x'.repeat(2_000_000)}\n`);
  const writes = `const { openSync, writeSync } = require('node:fs');
    const file = openSync(process.argv[1], 'r+');
    console.log('writing');
    for (let i = 0; ; i += 1) writeSync(file, i % 2 ? 'x' : 'y', 1_000_000);`;
  const writer = spawn(process.execPath, ['-e', writes, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    let writing = false;
    writer.stdout.once('data', () => {
      writing = true;
    });
    await until('the writer', async () => writing);
    // On a busy machine the writer may stand still just then: the file is whole, and it is the one that runs.
    for (let attempt = 1; ; attempt += 1) {
      const { exit, said } = await field.run('apply', path);
      const isWhole = exit === 0 && said.includes('Nothing to do');
      if (!isWhole || attempt === readsMax) return { exit, said };
    }
  } finally {
    writer.kill('SIGKILL');
  }
}

/** What only its owner may read. */
export function writeSecret(field: Field, name: string, content: string): void {
  chmodSync(field.write(name, content), 0o600);
}
