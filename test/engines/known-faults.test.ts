import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { engines, faultsOf, type KnownFault, versionOf } from '#engines';
import { engineNames } from '#model';

const all = engineNames.flatMap((name) => engines[name].knownFaults);

describe('the list of known faults', () => {
  it('has entries for both engines, each with its own name', () => {
    assert.ok(engines.haproxy.knownFaults.length >= 8);
    assert.ok(engines.nginx.knownFaults.length >= 8);
    assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
  });

  for (const { id, what, versions, sources, remedy } of all)
    it(`${id}: a name, a sentence, versions in their order, sources, a remedy`, () => {
      assert.match(id, /^(?:haproxy|nginx)-[a-z0-9.-]+$/);
      assert.match(what, /^[a-z].*[^.]$/);
      assert.match(remedy, /^[A-Z].*[^.]$/);
      assert.ok(versions.length > 0 && sources.length > 0);
      for (const { from, through } of versions) {
        const [first, last] = [versionOf(from), versionOf(through)];
        assert.ok(first && last, `${from}, ${through}`);
        assert.ok(faultsOf([{ ...anywhere, versions: [{ from, through }] }], from, '').length === 1);
        assert.ok(faultsOf([{ ...anywhere, versions: [{ from, through }] }], through, '').length === 1);
      }
      for (const source of sources)
        assert.match(
          source,
          /^https:\/\/(?:github\.com\/[\w-]+\/[\w-]+\/(?:issues|pull|commit|blob)\/\S+|nginx\.org\/en\/CHANGES)$/,
        );
    });
});

const anywhere: KnownFault = {
  id: 'haproxy-0',
  what: 'it stops',
  hits: 'start',
  effect: 'blocks',
  versions: [{ from: '2.6.10', through: '2.6.13' }],
  uses: [],
  sources: ['https://github.com/haproxy/haproxy/issues/0'],
  remedy: 'Wait',
};

describe('which of them stand against a text', () => {
  const names = (engine: 'haproxy' | 'nginx', version: string, text: string) =>
    faultsOf(engines[engine].knownFaults, version, text).map(({ id }) => id);

  it('by version: both ends belong to it, a distribution adds words of its own', () => {
    const known = (version: string) => faultsOf([anywhere], version, '').length;
    const seen = [
      '2.6.9',
      '2.6.10',
      '2.6.12-1+deb12u4',
      '2.6.13',
      '2.6.14',
      '3.2.12',
      '2.60.11',
      'dev',
      '',
    ].map(known);
    assert.deepEqual(seen, [0, 1, 1, 1, 0, 0, 0, 0, 0]);
  });

  it('the reload that is broken after one failure, in the versions of the thread', () => {
    const seen = ['3.2.8', '3.2.9', '3.2.10-1~bpo12+1', '3.2.11'].map((v) => names('haproxy', v, ''));
    assert.deepEqual(seen, [[], ['haproxy-3229'], ['haproxy-3229'], []]);
  });

  it('by the words in use: HTTP/2 of clients', () => {
    const bind = (alpn: string) => `frontend web\n  bind :443 ssl crt /etc/a.pem ${alpn}\n`;
    assert.deepEqual(names('haproxy', '3.2.15', bind('alpn h2,http/1.1')), ['haproxy-3337']);
    assert.deepEqual(names('haproxy', '3.2.15', bind('alpn http/1.1')), []);
    assert.deepEqual(
      names('haproxy', '3.2.15', `${bind('')}  # bind :443 alpn h2\n`),
      [],
      'not in a comment',
    );
  });

  it('each word that it needs', () => {
    const text = (...lines: string[]) => `http { server {\n${lines.join('\n')}\n} }`;
    const [listen, zero] = ['  listen 443 ssl http2;', '  keepalive_timeout 0;'];
    assert.deepEqual(names('nginx', '1.19.7', text(listen, zero)), ['nginx-1.19.8-keep-alive']);
    assert.deepEqual(names('nginx', '1.19.7', text(listen)), []);
    assert.deepEqual(names('nginx', '1.17.6', text("rewrite ^/old ''; ")), ['nginx-1.17.7-rewrite']);
  });
});
