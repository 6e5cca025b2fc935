import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type BuiltinText, builtinDialect, type Placement } from '#dialects';
import { builtinEngine } from '#engines';
import { listenerOf, poolOf, routeTo, siteOf, someTls } from '../world/sites.ts';

const placement: Placement = {
  generation: 7,
  threads: 1,
  listeners: { http: { kind: 'fd', fd: 3 } },
  control: '/run/x/control.sock',
  entrance: '/run/x/entrance.sock',
  neighbour: '/run/y/entrance.sock',
  certificates: {},
  ticketKeys: null,
  servers: null,
};
const site = siteOf({
  pools: [poolOf('web', [8_001, 8_002])],
  routes: [routeTo('web', { path: { type: 'RegularExpression', value: '/a+' } })],
});

/** Who runs a check when the tests run as root: nobody. */
const identity = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : null;

describe("the built-in engine's text", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'hf-'));
    chmodSync(folder, 0o777);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function check(text: string) {
    const file = join(folder, builtinDialect.fileName);
    writeFileSync(file, text);
    const binary = await builtinEngine.find();
    assert.ok(binary);
    return builtinEngine.check(binary, file, folder, identity);
  }

  test('is stable, and a line that moves in the site changes nothing', () => {
    const text = builtinDialect.lower(site, placement);
    const [route] = site.routes;
    assert.ok(route);
    const moved = { ...site, routes: [{ ...route, place: { file: 'site.yaml', line: 99, column: 1 } }] };
    assert.equal(builtinDialect.lower(moved, placement), text);
  });

  test('a rehearsal replaces the servers, and nothing else', () => {
    const servers = { 'web/s1': '127.0.0.9:1', 'web/s2': 'unix@/run/z.sock' };
    const text = JSON.parse(builtinDialect.lower(site, placement)) as BuiltinText;
    const rehearsed = JSON.parse(builtinDialect.lower(site, { ...placement, servers })) as BuiltinText;
    assert.deepEqual(
      rehearsed.pools[0]?.servers.map((server) => server.at),
      [
        { kind: 'tcp', host: '127.0.0.9', port: 1 },
        { kind: 'unix', path: '/run/z.sock' },
      ],
    );
    assert.deepEqual({ ...rehearsed, pools: [] }, { ...text, pools: [] });
  });

  test('the check accepts what lower makes', async () => {
    const verdict = await check(builtinDialect.lower(site, placement));
    assert.match(verdict.output, /builtin\.json is valid$/);
    assert.equal(verdict.accepted, true);
  });

  test('the check refuses what it cannot use, and says where', async () => {
    const text = JSON.parse(builtinDialect.lower(site, placement)) as BuiltinText;
    const tls = siteOf({ ...site, listeners: [listenerOf('http', 443, someTls)] });
    const secure = (file: string) =>
      builtinDialect.lower(tls, { ...placement, certificates: { http: [file] } });
    const noCertificate = join(folder, 'empty.pem');
    writeFileSync(noCertificate, 'nothing');
    const [listener] = text.listeners;
    const wrong: Readonly<Record<string, [string, RegExp]>> = {
      'no JSON': ['{', /is not JSON/],
      'an unknown key': [JSON.stringify({ ...text, colour: 1 }), /"colour"/],
      'two mistakes': [JSON.stringify({ ...text, format: 2, generation: -1 }), /format[^\n]*\n.*generation/],
      'no such pool': [JSON.stringify({ ...text, pools: [] }), /no pool is called web/],
      'its own neighbour': [JSON.stringify({ ...text, neighbour: text.entrance }), /loop/],
      'a regular expression': [
        JSON.stringify({
          ...text,
          listeners: [
            {
              ...listener,
              rules: [
                {
                  route: 'r',
                  conditions: [{ kind: 'path', match: 'regex', value: '(' }],
                  action: { kind: 'reject' },
                },
              ],
            },
          ],
        }),
        /Invalid regular expression/,
      ],
      'a missing certificate': [secure('/nowhere.pem'), /listeners\.http: ENOENT/],
      'a certificate that is none': [secure(noCertificate), /listeners\.http: /],
      'TLS without a certificate': [builtinDialect.lower(tls, placement), /TLS needs a certificate/],
    };
    for (const [what, [bytes, expected]] of Object.entries(wrong)) {
      const verdict = await check(bytes);
      assert.equal(verdict.accepted, false, what);
      assert.match(verdict.output, expected, what);
      assert.ok(
        verdict.output.split('\n').every((line) => line.startsWith('holdfast built-in engine: ')),
        verdict.output,
      );
    }
  });
});
