/** Faults of the network, of names and of certificates. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { both, type Fault } from './fault.ts';
import { named } from './field.ts';

const machines = ['m1', 'm2', 'm3'] as const;
const slowKilobits = 60;
const lb2Cut = ['the network from lb-2 to pool api', 'the network from lb-2 to pool web'];
const nobody = '127.0.0.9';

export const networkFaults: readonly Fault[] = [
  {
    name: 'the cable of a machine with two servers is out',
    is: [['zone M2'], ['server api/api-2', 'server web/web-2']],
    strike: (field) => field.machine('m2').plugged(false),
    mend: (field) => field.machine('m2').plugged(true),
  },
  {
    name: 'a machine with two servers is late and loses packets',
    is: [['zone M2'], ['server api/api-2', 'server web/web-2']],
    strike: (field) => field.machine('m2').throttled(slowKilobits),
    mend: (field) => field.machine('m2').throttled(null),
  },
  {
    name: 'one balancer reaches no server, another does',
    is: [lb2Cut],
    strike(field) {
      for (const machine of machines) field.machine('lb-2').cutFrom(field.machine(machine), true);
    },
    mend(field) {
      for (const machine of machines) field.machine('lb-2').cutFrom(field.machine(machine), false);
    },
  },
  {
    name: 'one balancer does not reach one machine',
    is: [['the network from lb-1 to pool api', 'the network from lb-1 to pool web']],
    strike: (field) => field.machine('lb-1').cutFrom(field.machine('m1'), true),
    mend: (field) => field.machine('lb-1').cutFrom(field.machine('m1'), false),
  },
  {
    name: 'the answers of a machine do not reach one balancer',
    is: [lb2Cut],
    strike: (field) => field.machine('m3').cutFrom(field.machine('lb-2'), true),
    mend: (field) => field.machine('m3').cutFrom(field.machine('lb-2'), false),
  },
  {
    name: 'the cable of a balancer is out',
    is: [['balancer lb-2'], lb2Cut, [...lb2Cut, 'balancer lb-2']],
    strike: (field) => field.machine('lb-2').plugged(false),
    mend: (field) => field.machine('lb-2').plugged(true),
  },
  {
    name: 'what a balancer sends is late and gets lost',
    is: [['balancer lb-2'], lb2Cut, [...lb2Cut, 'balancer lb-2']],
    strike: (field) => field.machine('lb-2').throttled(slowKilobits),
    mend: (field) => field.machine('lb-2').throttled(null),
  },
  {
    name: "a server's name leads nowhere on every balancer, its server is dead",
    is: [[`the name ${named.host}`]],
    strike(field) {
      for (const balancer of both) field.resolves(balancer, null);
      field.server(named.server).signal('SIGKILL');
    },
    async mend(field) {
      for (const balancer of both) field.resolves(balancer, field.machine('m3').address);
      await field.server(named.server).start();
    },
  },
  {
    name: "a server's name leads to a wrong address, its server is dead",
    is: [[`server ${named.server}`]],
    strike(field) {
      for (const balancer of both) field.resolves(balancer, nobody);
      field.server(named.server).signal('SIGKILL');
    },
    async mend(field) {
      for (const balancer of both) field.resolves(balancer, field.machine('m3').address);
      await field.server(named.server).start();
    },
  },
];

/** Its certificate is over: written over the one that runs, and engines are told to read it. */
export function expire(folder: string): () => void {
  const file = join(folder, 'cert.pem');
  const before = readFileSync(file);
  const config =
    '[ca]\ndefault_ca=us\n[us]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\npolicy=any\ndefault_md=sha256\n[any]\ncommonName=supplied\n';
  writeFileSync(join(folder, 'ca.conf'), config);
  writeFileSync(join(folder, 'index.txt'), '');
  writeFileSync(join(folder, 'serial'), '01\n');
  const run = (...words: readonly string[]) =>
    execFileSync('openssl', words, { cwd: folder, stdio: 'ignore' });
  run('req', '-new', '-key', 'key.pem', '-subj', '/CN=shop.example', '-out', 'asked.pem');
  const dates = ['-startdate', '20250101000000Z', '-enddate', '20260101000000Z'];
  run(
    'ca',
    '-batch',
    '-selfsign',
    '-config',
    'ca.conf',
    '-keyfile',
    'key.pem',
    '-in',
    'asked.pem',
    '-out',
    'cert.pem',
    ...dates,
  );
  return () => writeFileSync(file, before);
}
