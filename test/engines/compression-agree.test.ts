import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { siteOf } from '../model/site.ts';
import { agreed, type EngineWorld, everyEngineWorld } from '../world/engines.ts';
import { until } from '../world/haproxy.ts';

const limitMs = 20_000;
const page = '<p>Once upon a time there was a page that was not short at all.</p>\n'.repeat(200);

/** Answers that are compressed, and those that are not, asked of every engine. */
for (const [engine, open] of Object.entries(everyEngineWorld))
  describe(`${engine} compresses answers`, () => {
    let world: EngineWorld;
    let web: number;
    /** Lets the second half of a stream go. */
    let more = () => {};
    before(async () => {
      world = await open();
      const server = await world.server('web', ({ url, method }, response) => {
        const has = (word: string) => url?.includes(word);
        if (has('type=json')) response.setHeader('content-type', 'application/json; charset=utf-8');
        else response.setHeader('content-type', has('type=png') ? 'image/png' : 'text/html; charset=utf-8');
        if (has('strong')) response.setHeader('etag', '"abc"');
        if (has('weak')) response.setHeader('etag', 'W/"abc"');
        if (has('vary')) response.setHeader('vary', 'Cookie');
        if (has('packed')) response.setHeader('content-encoding', 'gzip');
        if (has('204')) response.writeHead(204).end();
        else if (has('304')) response.writeHead(304).end();
        else if (has('500')) response.writeHead(500).end(page);
        else if (has('short')) response.setHeader('content-length', '3').end('abc');
        else if (has('stream')) {
          response.write(page);
          more = () => response.end('the end');
        } else if (method === 'HEAD') response.setHeader('content-length', String(page.length)).end();
        else response.end(has('packed') ? gzipSync(page) : page);
      });
      web = server.port;
    });
    after(() => world.close());

    let started = 0;
    const start = async (words: string) => {
      const http = await world.socket();
      started += 1;
      const site = siteOf(`site: packed
listeners: [{ name: http, address: "127.0.0.1:${http.port}" }]
routes: [{ name: web, pool: web }]
pools: [{ name: web, servers: ["127.0.0.1:${web}"], compression: ${words} }]
balancers: [{ name: lb-1, address: 127.0.0.1 }]
`);
      const generation = await world.start(site, { name: `c${started}`, sockets: { http } });
      await until(
        'its server is up',
        async () => (await generation.control.servers(limitMs)).every(({ state }) => state === 'up'),
        limitMs,
      );
      return http.port;
    };

    agreed('for clients that take it, with Vary for all, and once', async () => {
      const port = await start('{}');
      for (const accepts of ['gzip', 'br, gzip;q=0.5', 'deflate, GZIP']) {
        const packed = await get(port, '/', accepts);
        assert.equal(packed.headers['content-encoding'], 'gzip', accepts);
        assert.equal(packed.headers['content-length'], undefined);
        assert.equal(gunzipSync(packed.body).toString(), page);
        assert.deepEqual(varies(packed), ['accept-encoding']);
      }
      for (const accepts of ['', 'br', 'gzip;q=0']) {
        const plain = await get(port, '/', accepts);
        assert.equal(plain.headers['content-encoding'], undefined, accepts);
        assert.equal(plain.body.toString(), page);
        assert.deepEqual(varies(plain), ['accept-encoding']);
      }
      const before = await get(port, '/packed', 'gzip');
      assert.equal(gunzipSync(before.body).toString(), page);
      assert.deepEqual(varies(await get(port, '/vary', 'gzip')), ['accept-encoding', 'cookie']);
    });

    agreed('of the types that are named only, and never what has no body or went wrong', async () => {
      const port = await start('{ types: [text/html, application/json] }');
      const codingOf = async (path: string, method = 'GET') =>
        (await get(port, path, 'gzip', method)).headers['content-encoding'];
      assert.equal(await codingOf('/?type=json'), 'gzip');
      for (const path of ['/?type=png', '/204', '/304', '/500'])
        assert.equal(await codingOf(path), undefined, path);
      const head = await get(port, '/', 'gzip', 'HEAD');
      // NGINX says what it would do with GET.
      const said = engine === 'nginx' ? 'gzip' : undefined;
      assert.deepEqual([head.status, head.headers['content-encoding'], head.body.length], [200, said, 0]);
    });

    agreed('with an ETag that is weak then', async () => {
      const port = await start('{}');
      assert.equal((await get(port, '/strong', 'gzip')).headers.etag, 'W/"abc"');
      assert.equal((await get(port, '/weak', 'gzip')).headers.etag, 'W/"abc"');
      assert.equal((await get(port, '/strong', '')).headers.etag, '"abc"');
    });

    agreed('but not short ones', async () => {
      const port = await start('{ minSize: 1KiB }');
      assert.equal((await get(port, '/short', 'gzip')).body.toString(), 'abc');
      assert.equal((await get(port, '/', 'gzip')).headers['content-encoding'], 'gzip');
    });

    agreed('as they come: a stream is not held back', async () => {
      const port = await start('{}');
      let heard = 0;
      const whole = get(port, '/stream', 'gzip', 'GET', (bytes) => {
        heard += bytes;
      });
      await until('the first half is there', () => heard > 0, limitMs);
      more();
      assert.equal(gunzipSync((await whole).body).toString(), `${page}the end`);
    });
  });

interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

function get(
  port: number,
  path: string,
  accepts: string,
  method = 'GET',
  hear: (bytes: number) => void = () => {},
): Promise<Got> {
  const headers = accepts === '' ? {} : { 'accept-encoding': accepts };
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        hear(chunk.length);
      });
      answer.on('error', reject);
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
      );
    });
    sent.setTimeout(limitMs, () => sent.destroy(new Error(`no answer to ${path}`)));
    sent.on('error', reject).end();
  });
}

/** HAProxy may say one twice. */
function varies({ headers }: Got): string[] {
  const said = [headers.vary ?? []].flat().join(',').toLowerCase();
  return [...new Set(said.split(/[ ,]+/).filter((word) => word !== ''))].sort();
}
