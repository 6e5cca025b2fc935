import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Failure, serveWire, type WireClient, wireClient } from '#base';

describe('the wire between our own processes', () => {
  let folder = '';
  let client: WireClient;
  const server = serveWire({
    echo: (input) => input,
    refuse: () => {
      throw new Failure('HF302', '127.0.0.1:80 is in use', 'Choose another port.');
    },
    slip: () => {
      throw new Error('a slip');
    },
    hang: () => new Promise(() => {}),
  });

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-wire-'));
    const path = join(folder, 'a.sock');
    await new Promise<void>((resolve) => server.listen(path, resolve));
    client = wireClient(path);
  });
  after(() => {
    client.close();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('gives back what the peer answers', async () => {
    assert.deepEqual(await client.call('echo', { a: [1, null] }), { a: [1, null] });
  });

  it('a Failure of the peer comes with its code and its remedy', async () => {
    await assert.rejects(
      client.call('refuse', {}),
      (error) =>
        error instanceof Failure &&
        error.code === 'HF302' &&
        error.message === '127.0.0.1:80 is in use' &&
        error.remedy === 'Choose another port.',
    );
  });

  it('a mistake of the peer is an Error without a code', async () => {
    await assert.rejects(
      client.call('slip', {}),
      (error) => error instanceof Error && !(error instanceof Failure) && error.message === 'a slip',
    );
  });

  it('a peer that does not answer is given up after the time that was given', async () => {
    await assert.rejects(client.call('hang', {}, 20), /no answer to hang within 20 ms/);
  });
});
