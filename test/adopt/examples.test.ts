import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect } from 'node:tls';
import { parse } from 'yaml';
import { selfSigned } from '../world/certificate.ts';
import { type Origin, startOrigin } from '../world/origins.ts';
import { freePort, until } from '../world/stack.ts';
import { type Folders, makeFolders, type Typed, type as typed } from '../world/up.ts';

/** The examples, their commands run as they stand there; only paths of the machine are others. */
const root = resolve(import.meta.dirname, '../..');
const example = (path: string) => readFileSync(join(root, 'examples', path), 'utf8');
const ansible = parse(example('ansible/haproxy.yml'))[0];
const job = parse(example('gitlab/.gitlab-ci.yml'))['check-balancers'];
const live = '/etc/haproxy/haproxy.cfg';

let folders: Folders;
let up: Typed;
let origins: Origin[];
let [http, https] = [0, 0];
const at = (name: string) => join(folders.folder, name);

const textOf = (
  servers: readonly Origin[],
) => `# holdfast: guard: { canary: { steps: [1], step: 100ms }, bake: 100ms }
global
  user haproxy
  group haproxy
  daemon
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
frontend www
  bind 127.0.0.1:${http}
  bind 127.0.0.1:${https} ssl crt ${at('certs')}
  default_backend web
backend web
${servers.map(({ port }, index) => `  server w${index} 127.0.0.1:${port} check inter 200ms`).join('\n')}
`;

interface Ended {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** One shell command of an example, where `holdfast` is this one. */
function sh(command: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const path = `${at('bin')}:${process.env.PATH}`;
  const options = {
    cwd: folders.folder,
    env: { ...process.env, ...folders.env, NO_COLOR: '1', PATH: path, ...env },
  };
  return new Promise((done) => {
    execFile('/bin/sh', ['-c', command], options, (error, out, err) =>
      done({ exit: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });
}

function writeCertificate(name: string): void {
  const { key, cert } = selfSigned(name);
  mkdirSync(at('lineage'), { recursive: true });
  writeFileSync(at('lineage/fullchain.pem'), cert);
  writeFileSync(at('lineage/privkey.pem'), key);
}

function servedName(): Promise<string> {
  return new Promise((done, fail) => {
    const socket = connect({ port: https, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      const { subject } = socket.getPeerCertificate();
      socket.destroy();
      done(String(subject.CN));
    });
    socket.on('error', fail);
  });
}

describe('examples of what stands around a balancer', () => {
  before(async () => {
    folders = makeFolders();
    origins = [await startOrigin({ name: 'one' }), await startOrigin({ name: 'two' })];
    [http, https] = [await freePort(), await freePort()];
    for (const name of ['bin', 'certs', 'balancers']) mkdirSync(at(name));
    writeFileSync(at('bin/holdfast'), `#!/bin/sh\nexec ${process.execPath} ${root}/bin/holdfast.js "$@"\n`);
    chmodSync(at('bin/holdfast'), 0o755);
    writeCertificate('before.example');
    const pem = ['fullchain.pem', 'privkey.pem'].map((name) => readFileSync(at(`lineage/${name}`), 'utf8'));
    writeFileSync(at('certs/lineage.pem'), pem.join(''), { mode: 0o600 });
    writeFileSync(at('haproxy.cfg'), textOf(origins.slice(0, 1)));
    up = typed(['up', at('haproxy.cfg'), '--port', String(await freePort())], { env: folders.env });
    await until('the site', async () => up.out().includes('is up'), 30_000);
  });

  after(async () => {
    up.child.kill('SIGINT');
    await up.ended;
    for (const origin of origins) await origin.close();
    folders.remove();
  });

  it('Ansible: validate takes a good template and refuses a bad one with its line; the handler changes the site', async () => {
    const [task] = ansible.tasks;
    const { validate, dest } = task['ansible.builtin.template'];
    assert.equal(dest, live);
    const source = at('.ansible_tmp source.cfg');
    const validated = async (text: string) => {
      writeFileSync(source, text);
      return await sh(validate.replace('%s', `'${source}'`));
    };
    const bad = await validated(textOf(origins).replace('default_backend', 'default_backends'));
    assert.equal(bad.exit, 1);
    assert.match(bad.err, /HF102 \S+ source\.cfg:14:1 unknown keyword 'default_backends'/);
    const good = await validated(textOf(origins));
    assert.equal(good.exit, 0, good.err);
    assert.equal(task.notify, ansible.handlers[0].name);
    writeFileSync(at('haproxy.cfg'), textOf(origins));
    const { cmd } = ansible.handlers[0]['ansible.builtin.command'];
    assert.ok(cmd.includes(live));
    const applied = await sh(cmd.replace(live, at('haproxy.cfg')));
    assert.equal(applied.exit, 0, applied.out + applied.err);
    const again = await sh(cmd.replace(live, at('haproxy.cfg')));
    assert.equal(again.exit, 0, again.err);
    assert.match(again.out, /nothing to do/);
  });

  it('GitLab CI: the job passes for what can be run, writes its report, and fails for what cannot', async () => {
    writeFileSync(at('balancers/good.cfg'), textOf(origins));
    const script = job.script.join(' && ');
    const good = await sh(script);
    assert.equal(good.exit, 0, good.err);
    const report = JSON.parse(readFileSync(at('check.json'), 'utf8'));
    assert.deepEqual([report.valid, report.files[0].engine.accepted], [true, true]);
    writeFileSync(at('balancers/range.cfg'), textOf(origins).replace(`:${http}\n`, ':8000-8010\n'));
    const bad = await sh(script);
    assert.equal(bad.exit, 1);
    assert.match(bad.err, /HF030 balancers\/range.cfg:12:8 .*a range of ports/);
  });

  it('certbot: the hook puts the certificate in place and the site changes, although its text did not', async () => {
    assert.equal(await servedName(), 'before.example');
    writeCertificate('after.example');
    const env = { RENEWED_LINEAGE: at('lineage'), CERTIFICATES: at('certs'), TEXT: at('haproxy.cfg') };
    const hook = await sh(join(root, 'examples/certbot/holdfast'), env);
    assert.equal(hook.exit, 0, hook.out + hook.err);
    assert.equal(await servedName(), 'after.example');
    rmSync(at('lineage'), { recursive: true });
  });
});
