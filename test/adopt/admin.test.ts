import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { commandsIn, meaningOf } from '../../src/agent/admin/commands.ts';
import { type Origin, startOrigins } from '../world/origins.ts';
import { shopText } from '../world/shop.ts';
import { freePort, type Stack, startStack, until } from '../world/stack.ts';

describe('a command', () => {
  const keyOf = (command: string) => {
    const meaning = meaningOf(command);
    return meaning.kind === 'changes' ? meaning.key : meaning.kind;
  };

  test('that reads is not kept, and one that sets is, by what it sets', () => {
    assert.equal(keyOf('show stat'), 'reads');
    assert.equal(keyOf('disable server web/one'), 'state web/one');
    assert.equal(keyOf('set  server web/one  state drain'), 'state web/one');
    assert.equal(keyOf('set server web/one weight 10%'), 'weight web/one');
    assert.equal(keyOf('set weight web/one 10'), 'weight web/one');
    assert.equal(keyOf('set maxconn frontend http 10'), 'maxconn frontend http');
    assert.equal(keyOf('clear counters all'), null);
  });

  test('that would fight with the switching of generations is refused', () => {
    for (const command of [
      'disable frontend http',
      'shutdown frontend http',
      'set ssl cert a.pem <<',
      'add server web/x 1.2.3.4:80',
    ])
      assert.equal(meaningOf(command).kind, 'refused', command);
  });

  test('may stand with others on one line', () => {
    assert.deepEqual(commandsIn('show info; set server a/b agent-send x\\;y ;; show stat'), [
      'show info',
      'set server a/b agent-send x\\;y',
      'show stat',
    ]);
  });
});

describe('the admin socket', () => {
  let origins: Origin[];
  let stack: Stack;
  before(async () => {
    origins = await startOrigins(2);
    const http = await freePort();
    const servers = origins.map(({ name, port }) => ({ name, port }));
    stack = await startStack({
      siteText: (folder) => shopText({ http, https: null, engine: 'haproxy', servers }, folder),
      engine: 'haproxy',
    });
  });
  after(async () => {
    await stack.stop();
    for (const origin of origins) await origin.close();
  });

  /** Writes it and reads until the other side ends. */
  const tell = (text: string) =>
    new Promise<string>((resolve, reject) => {
      let said = '';
      const socket = connect(join(stack.run, 'admin.sock'), () => socket.end(text));
      socket.setEncoding('utf8').on('data', (chunk: string) => {
        said += chunk;
      });
      socket.on('error', reject);
      socket.on('end', () => resolve(said));
    });
  const standing = async () => {
    const { generations } = await stack.call('status', {});
    return generations.filter((g) => g.role === 'active' || g.role === 'standby');
  };
  /** What one generation itself says of a server, asked by its own socket. */
  const stateOf = async (generation: number, server: string) => {
    const { openCli } = await import('../../src/engines/haproxy/cli.ts');
    const cli = openCli(join(stack.run, `g${generation}`, 'control.sock'));
    const row = (await cli.ask('show stat', 2_000))
      .split('\n')
      .find((line) => line.startsWith(`web,${server},`));
    cli.close();
    return row?.split(',').slice(17, 19).join(' ') ?? 'none';
  };

  test('answers as the engine would, one line and the end', async () => {
    const said = await tell('show info\nshow stat\n');
    assert.match(said, /^Name: HAProxy/m);
    assert.doesNotMatch(said, /^# pxname/m);
    assert.ok(said.endsWith('\n\n'), JSON.stringify(said.slice(-20)));
    assert.match(await tell('prompt\nshow info\nquit\n'), /^> Name: HAProxy[\s\S]*\n> $/);
  });

  test('tells every living generation, records it, and keeps it for the next', async () => {
    await until('the standby answers', async () => {
      const two = await standing();
      for (const { generation } of two) await stateOf(generation, 'web-1');
      return two.length === 2;
    });
    assert.equal(await tell('disable server web/web-1; set server web/web-2 weight 7\n'), '\n\n');
    const before = await standing();
    assert.deepEqual(before.map(({ role }) => role).toSorted(), ['active', 'standby']);
    for (const { generation } of before) {
      assert.match(await stateOf(generation, 'web-1'), /^MAINT/);
      assert.match(await stateOf(generation, 'web-2'), / 7$/);
    }
    const records = await stack.call('records', { after: 0 });
    const [disabled] = records.flatMap(({ what }) => (what.kind === 'runtime' ? [what] : []));
    assert.equal(disabled?.command, 'disable server web/web-1');
    assert.deepEqual(
      disabled.answers.map(({ said }) => said),
      ['', ''],
    );

    const gone = await stack.pidOf('standby');
    process.kill(gone, 'SIGKILL');
    const fresh = await until('another standby', async () =>
      (await standing()).find((g) => g.role === 'standby' && g.pid !== gone && g.state === 'parked'),
    );
    await until('the kept commands', async () =>
      (await stateOf(fresh.generation, 'web-1')).startsWith('MAINT'),
    );
    assert.match(await stateOf(fresh.generation, 'web-2'), / 7$/);
  });

  test('keeps nothing that the engine did not take', async () => {
    assert.match(await tell('disable server web/nobody\n'), /No such server/i);
    assert.match(await tell('disable frontend http\n'), /Not done by Holdfast/);
    const { KeptCommands } = await import('../../src/agent/admin/kept.ts');
    const kept = new KeptCommands(stack.state).all;
    assert.ok(
      kept.every((command) => !command.includes('nobody')),
      kept.join(),
    );
  });
});
