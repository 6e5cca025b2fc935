import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openCli } from '../../src/engines/haproxy/cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'hf-cli-'));
const path = join(folder, 'control.sock');
/** Answers every command with itself, but says nothing to `hang`. */
const engine: Server = createServer((socket) => {
  socket.on('error', () => {});
  socket.setEncoding('utf8').on('data', (text: string) => {
    for (const command of text.split('\n').filter(Boolean))
      if (command === 'prompt') socket.write('\n> ');
      else if (command !== 'hang') socket.write(`${command}\n\n> `);
  });
});
engine.listen(path);
await once(engine, 'listening');
after(() => {
  engine.close();
  rmSync(folder, { recursive: true, force: true });
});

test('a question that gets no answer takes none with it that was not asked yet', async () => {
  const cli = openCli(path);
  const hung = assert.rejects(cli.ask('hang', 50), /no answer to "hang" within 50 ms/);
  const next = cli.ask('show info', 20_000);
  await hung;
  assert.match(await next, /^show info/);
  cli.close();
});

test('a question that waited too long takes nothing with it', async () => {
  const cli = openCli(path);
  const first = assert.rejects(cli.ask('hang', 300), /"hang"/);
  await assert.rejects(cli.ask('show stat', 20), /"show stat" within 20 ms/);
  const third = cli.ask('show info', 20_000);
  await first;
  assert.match(await third, /^show info/);
  cli.close();
});
