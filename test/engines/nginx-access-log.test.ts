import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ownDialects } from '#dialects';
import { lineReader } from '../../src/engines/nginx/access-log.ts';
import { followForeign } from '../../src/engines/nginx/foreign-log.ts';

function logsOf(text: string, prefix: string | null = null) {
  const found = ownDialects.nginx.accessLogs?.(
    { file: 'nginx.conf', folder: '/etc/nginx', text, includes: [] },
    prefix,
  );
  assert.ok(found);
  const logs = found.logs.map(({ path, formats }) => `${path} ${formats.map(({ name }) => name).join('+')}`);
  return { logs, unseen: found.unseen.map(({ place, why }) => `${place.line} ${why}`) };
}

const combined = {
  name: 'combined',
  text: '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"',
};

describe('what somebody’s access log says', () => {
  it('of a request in the usual format', () => {
    const read = lineReader(combined);
    const line =
      '10.0.0.9 - sue b [23/Nov/2026:14:00:00 +0000] "GET /a?b=\\x22 200 HTTP/1.1" 502 157 "-" "curl/8 (x) 404"';
    assert.deepEqual(read(line), { status: 502, upstreams: [], timeMs: null });
    for (const other of ['', 'GET / 200', line.replace(' 502 ', ' - '), `${line}more`])
      assert.equal(read(other), null);
  });

  it('of servers, tried one after the other, and their times', () => {
    const text =
      '$remote_addr "$request" $status $upstream_addr $upstream_status $upstream_response_time $request_id';
    const read = lineReader({ name: 'servers', text });
    assert.deepEqual(read('::1 "GET / HTTP/1.1" 200 10.0.0.1:80, [::1]:81 502, 200 0.001, 0.250 f00'), {
      status: 200,
      upstreams: ['10.0.0.1:80', '[::1]:81'],
      timeMs: 251,
    });
    assert.deepEqual(read('::1 "GET / HTTP/1.1" 301 - - - f00'), {
      status: 301,
      upstreams: [],
      timeMs: null,
    });
    assert.deepEqual(read('::1 "GET / HTTP/1.1" 502 web 502 0.000 f00')?.upstreams, ['web']);
  });

  it('as JSON', () => {
    const read = lineReader({ name: 'j', text: '{"r":"$request","status":"$status","a":"$upstream_addr"}' });
    const line =
      '{"r":"GET /\\",\\"status\\":\\"200 HTTP/1.1","status":"503","a":"10.0.0.1:80 : 10.0.0.2:80"}';
    assert.deepEqual(read(line), { status: 503, upstreams: ['10.0.0.1:80', '10.0.0.2:80'], timeMs: null });
  });

  it('in a time that grows with the line, whatever stands in it', () => {
    const read = lineReader({ name: 'x', text: '$a $b $c $d $e $f $g $h $status' });
    const started = performance.now();
    assert.equal(read(`${' '.repeat(200_000)}x`), null);
    assert.equal(lineReader(combined)('- '.repeat(200_000)), null);
    assert.ok(performance.now() - started < 20_000);
  });
});

describe('logs that a text names', () => {
  it('are those of the innermost level, each request in one of them', () => {
    const text = `http {
  log_format servers escape=json '$status '
    '$upstream_addr';
  access_log logs/all.log servers buffer=32k;
  access_log syslog:server=10.0.0.1;
  server { location / { } location /health { access_log off; } }
  server { access_log /var/log/own.log; location /b { access_log /var/log/own.log servers; } }
}`;
    assert.deepEqual(logsOf(text, '/srv/nginx'), {
      logs: ['/srv/nginx/logs/all.log servers', '/var/log/own.log combined+servers'],
      unseen: ['6 says that nothing is logged'],
    });
  });

  it('are Debian’s where it names none, and none where every server has its own', () => {
    assert.deepEqual(logsOf('http { server { } }').logs, ['/var/log/nginx/access.log combined']);
    assert.deepEqual(logsOf('http { access_log off; server { access_log /a.log; } }'), {
      logs: ['/a.log combined'],
      unseen: [],
    });
  });

  it('that cannot be counted are named', () => {
    const text = `http {
log_format bare '$request';
server { access_log /a.log bare; }
server { access_log /b.log none; }
server { access_log /c-$host.log; }
server { access_log /d.log combined if=$bad; }
server { access_log /e.log combined gzip; }
server { access_log syslog:server=10.0.0.1; }
}`;
    const { logs, unseen } = logsOf(text);
    assert.deepEqual(logs, []);
    const lines = unseen.map((one) => Number(one.split(' ')[0]));
    assert.deepEqual(lines, [3, 4, 5, 6, 7, 8]);
    assert.match(
      unseen.join('\n'),
      /without \$status[\s\S]*does not have[\s\S]*only a request[\s\S]*some requests/,
    );
  });
});

describe('a log of somebody else', () => {
  function withLog(use: (path: string) => void): void {
    const folder = mkdtempSync(join(tmpdir(), 'hf-log-'));
    try {
      use(join(folder, 'access.log'));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  it('is followed from its end, by whole lines, through rotation by name and by copying', () => {
    withLog((path) => {
      let now = 0;
      writeFileSync(path, 'old\n');
      const log = followForeign(path, () => now);
      assert.deepEqual(log.read(), []);
      appendFileSync(path, 'one\ntw');
      assert.deepEqual(log.read(), ['one']);
      appendFileSync(path, 'o\n');
      assert.deepEqual(log.read(), ['two']);
      renameSync(path, `${path}.1`);
      assert.deepEqual(log.read(), []);
      writeFileSync(path, 'four\n');
      appendFileSync(`${path}.1`, 'three\n');
      now = 2_500;
      assert.deepEqual(log.read(), ['three']);
      assert.deepEqual(log.read(), ['four']);
      truncateSync(path);
      appendFileSync(path, 'v\n');
      assert.deepEqual(log.read(), ['v']);
      log.close();
    });
  });

  it('that is no file, or not there, is none', () => {
    withLog((path) => {
      assert.throws(() => followForeign(path, () => 0).read(), /ENOENT/);
      symlinkSync('/dev/stdout', path);
      assert.throws(() => followForeign(path, () => 0).read(), /no file that can be followed/);
    });
  });
});
