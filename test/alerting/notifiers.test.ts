import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { SMTPServer } from 'smtp-server';
import type { Delivery } from '#alerting';
import { testMessage } from '#alerting';
import { secretReader } from '#base';
import { isInner, poster, resolver } from '#probe';
import { senderOf } from '../../src/alerting/notifiers/index.ts';
import type { NotifierHow } from '../../src/alerting/settings.ts';
import { selfSigned } from '../world/certificate.ts';
import { type Receiver, startReceiver } from '../world/receiver.ts';

/** Each notifier against a real receiver on loopback. */
describe('notifiers', () => {
  let receiver: Receiver;
  let folder: string;
  before(async () => {
    receiver = await startReceiver();
    folder = mkdtempSync(join(tmpdir(), 'hf-notify-'));
  });
  after(async () => {
    await receiver.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const send = (
    how: NotifierHow,
    to = '',
    allowed: readonly string[] = ['127.0.0.1', 'localhost'],
  ): Promise<Delivery> => {
    const env = { KEY: 'hunter2', HOOK: `${receiver.url}/secret-hook`, PATH: process.env.PATH ?? '' };
    const resolve = resolver(allowed);
    const ports = { post: poster(resolve), resolve, secret: secretReader(env), env };
    const message = {
      ...testMessage('shop', 'n', to, 'person:eve', 1_700_000_000_000),
      what: 'page' as const,
    };
    return senderOf(how, ports)(message, AbortSignal.timeout(60_000));
  };
  const hook = (): NotifierHow => ({
    kind: 'webhook',
    url: { kind: 'url', url: receiver.url },
    secret: null,
  });

  it('speaks the words of Slack, Teams and PagerDuty', async () => {
    const url = { kind: 'env', name: 'HOOK' } as const;
    assert.equal((await send({ kind: 'slack', url })).kind, 'sent');
    const slack = receiver.got.at(-1);
    assert.equal(slack?.path, '/secret-hook');
    assert.ok(Array.isArray(slack?.body.blocks) && typeof slack?.body.text === 'string');
    await send({ kind: 'teams', url });
    assert.match(receiver.got.at(-1)?.text ?? '', /application\/vnd\.microsoft\.card\.adaptive/);
    const routingKey = { kind: 'env', name: 'KEY' } as const;
    await send({ kind: 'pagerduty', routingKey, url: receiver.url, changes: true });
    const pager = receiver.got.at(-1);
    assert.equal(pager?.path, '/v2/enqueue');
    assert.equal(pager?.body.event_action, 'trigger');
    assert.equal(pager?.body.routing_key, 'hunter2');
    assert.equal(pager?.body.dedup_key, 'holdfast/shop/test/1700000000000');
  });

  it('tries again what may be taken later, and never what will not be; a redirect is not followed', async () => {
    const cases = [
      [500, false],
      [429, false],
      [400, true],
      [302, true],
    ] as const;
    for (const [status, final] of cases) {
      const before = receiver.got.length;
      receiver.answer = () => ({
        status,
        headers: { location: `${receiver.url}/inner`, 'retry-after': '7' },
      });
      const outcome = await send(hook());
      assert.ok(outcome.kind === 'failed' && outcome.final === final, `${status} ${JSON.stringify(outcome)}`);
      if (status === 429) assert.equal(outcome.retryAfterMs, 7_000);
      assert.equal(receiver.got.length, before + 1);
    }
    receiver.answer = () => ({ status: 200 });
  });

  it('reaches no inner address but a host that the owner named', async () => {
    const before = receiver.got.length;
    for (const host of ['127.0.0.1', 'localhost', '2130706433', '[::1]', '[::ffff:127.0.0.1]', '0.0.0.0']) {
      const url = `http://${host}:${receiver.port}/`;
      await assert.rejects(
        send({ kind: 'webhook', url: { kind: 'url', url }, secret: null }, '', []),
        { code: 'HF603' },
        host,
      );
    }
    assert.equal(receiver.got.length, before);
    for (const inner of [
      '10.1.2.3',
      '169.254.169.254',
      '192.168.0.1',
      '172.16.9.9',
      '100.64.0.1',
      'fe80::1',
      'fd00::1',
      '::ffff:10.0.0.1',
      '::',
    ])
      assert.ok(isInner(inner), inner);
    for (const outer of ['8.8.8.8', '172.32.0.1', '2606:4700::1111']) assert.ok(!isInner(outer), outer);
    // One bad address among several is enough.
    const mixed = resolver([], undefined, async () => [
      { address: '8.8.8.8', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ]);
    await assert.rejects(mixed('rebind.example', 443), { code: 'HF603' });
  });

  it('says where a secret should be, and never what it is', async () => {
    const how: NotifierHow = { kind: 'slack', url: { kind: 'env', name: 'KEY' } };
    await assert.rejects(
      send(how),
      (error: Error) => !error.message.includes('hunter2') && error.message.includes('KEY'),
    );
    await assert.rejects(send({ kind: 'slack', url: { kind: 'file', path: join(folder, 'none') } }), {
      code: 'HF604',
    });
  });

  it('runs a command without a shell, and ends one that hangs', async () => {
    const run = (...words: string[]) =>
      send({ kind: 'command', run: words, timeoutMs: 5_000 }, "$(touch x)'");
    const told = await run(process.execPath, '-e', 'console.log(process.env.HOLDFAST_TO, process.env.KEY)');
    assert.deepEqual(told, { kind: 'sent', said: "$(touch x)' undefined " });
    const refused = await run(process.execPath, '-e', 'process.exit(3)');
    assert.ok(refused.kind === 'failed' && refused.final);
    const hung = await send({ kind: 'command', run: ['sleep', '600'], timeoutMs: 50 });
    assert.ok(hung.kind === 'failed' && !hung.final);
  });

  it('sends mail over TLS alone, with the same Message-ID for every try', async () => {
    const { key, cert } = selfSigned('localhost');
    writeFileSync(join(folder, 'ca.pem'), cert);
    const mails: string[] = [];
    const server = new SMTPServer({
      secure: true,
      key,
      cert,
      authOptional: false,
      onAuth: ({ username, password }, _, done) =>
        done(password === 'hunter2' ? null : new Error('no'), { user: username }),
      onData(stream, _, done) {
        const parts: Buffer[] = [];
        stream.on('data', (part: Buffer) => parts.push(part));
        stream.on('end', () => {
          mails.push(Buffer.concat(parts).toString('utf8'));
          done();
        });
      },
    });
    server.on('error', () => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.server.address() as AddressInfo;
    const how = (ca: string | null): NotifierHow => ({
      kind: 'email',
      host: 'localhost',
      port,
      tls: 'implicit',
      from: 'holdfast@shop.example',
      user: 'holdfast',
      password: { kind: 'env', name: 'KEY' },
      ca,
    });
    try {
      for (let i = 0; i < 2; i += 1) {
        const outcome = await send(how(join(folder, 'ca.pem')), 'eve@shop.example');
        assert.equal(outcome.kind, 'sent', JSON.stringify(outcome));
      }
      const ids = mails.map((mail) => /^Message-ID: (.*)$/im.exec(mail)?.[1]);
      assert.equal(ids.length, 2);
      assert.equal(ids[0], ids[1]);
      assert.match(mails[0] ?? '', /Users see: Nothing: this is a test\./);
      // A certificate that nobody vouches for is no TLS.
      assert.equal((await send(how(null), 'eve@shop.example')).kind, 'failed');
    } finally {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
  });
});
