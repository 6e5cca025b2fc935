/** Texts with what real files use, each asked of a real HAProxy and of its meaning: both must say the same. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { meaning } from '#routing';
import { lift } from '../../../src/dialects/haproxy/lift/index.ts';
import { until } from '../../world/haproxy.ts';

const { fateOf, requestOf } = meaning;

const common = `global
  log /dev/null local0
defaults
  mode http
  timeout connect 20s
  timeout client 60s
  timeout server 60s
`;

/** The inside of a frontend, what stands behind it, and requests: method, path, headers, source address. */
interface Case {
  readonly front: string;
  readonly behind?: string;
  readonly asked: readonly (readonly [string, Readonly<Record<string, string>>?, string?])[];
}

const answers = (names: readonly string[]) =>
  names.map((name, index) => `backend ${name}\n  http-request return status 21${index}\n`).join('');

const networks = '10.0.0.0/8 far\n10.1.0.0/16 near\n# none\n192.0.2.7 one\n';

const cases: Readonly<Record<string, Case>> = {
  'quotes of a format': {
    front: `http-request set-header x-a "%{+Q}[path]"
      http-request set-var-fmt(txn.b) "%{+Q}[path]"
      http-request return status 201 if { req.hdr(x-a) /a } { var(txn.b) -m str '"/a"' }`,
    asked: [['/a'], ['/b']],
  },
  'addresses in a header': {
    front: `http-request return status 201 if { hdr_ip(x-from) 10.1.2.0/23 192.0.2.1 }
      http-request return status 202 if { req.hdr_ip(x-last,-1) 10.0.0.0/8 }`,
    asked: [
      ['/', { 'x-from': '10.1.2.1' }],
      ['/', { 'x-from': '10.1.3.255' }],
      ['/', { 'x-from': '10.1.4.1' }],
      ['/', { 'x-from': '10.1.2.1:80' }],
      ['/', { 'x-from': '10.1.2.1:8x' }],
      ['/', { 'x-from': '9.9.9.9, 010.1.2.1' }],
      ['/', { 'x-from': 'unknown, 192.0.2.1' }],
      ['/', { 'x-from': '192.0.2.10' }],
      ['/', { 'x-last': '9.9.9.9, 10.2.3.4' }],
      ['/', { 'x-last': '10.2.3.4, 9.9.9.9' }],
    ],
  },
  'words, and what is true': {
    front: `http-request return status 201 if { req.hdr(x-w),word(2,:.) b }
      http-request return status 202 if { req.hdr(x-w),word(-1,.) zz }
      http-request return status 203 if { req.hdr(x-w),word(-2,/) yy }
      http-request return status 204 if { req.fhdr_cnt(x-many),bool }
      http-request return status 205 if { req.fhdr(x-n),bool }
      http-request return status 206 if { req.fhdr(x-n),not }
      http-request set-var(txn.v) str(1) if { path /set }
      http-request return status 207 if { var(txn.v),bool -m bool }
      http-request return status 208 if { var(txn.v),not -m bool }`,
    asked: [
      ...['b.b', 'a..b', ':a:b', 'x.zz.', 'zz', 'yy/x//', '/yy/', 'a'].map(
        (word) => ['/', { 'x-w': word }] as const,
      ),
      ['/', { 'x-many': '1' }],
      ...['1', '0', 'abc', '7x', ''].map((n) => ['/', { 'x-n': n }] as const),
      ['/set'],
      ['/'],
    ],
  },
  'the client among networks of a map': {
    front: `http-request return status 201 if { src,map_ip(NETWORKS) near }
      http-request return status 202 if { src,map_ip(NETWORKS) -m found }
      http-request return status 203 if { src,map_ip(NETWORKS,far) far }`,
    asked: [
      ['/', {}, '10.1.9.9'],
      ['/', {}, '10.2.9.9'],
      ['/', {}, '192.0.2.7'],
      ['/', {}, '192.0.2.8'],
    ],
  },
  'names of proxies': {
    front: `http-request set-header x-a %f/%b
      http-request return status 201 if { hdr(x-a) t2/t2 } { path /front }
      http-request return status 202 if { fe_name t2 } { path /name }
      use_backend named if { path_beg /b }`,
    behind: `backend named
      http-request set-header x-b %f/%b
      http-request return status 203 if { hdr(x-b) t3/named } { be_name named }
      http-request return status 204`,
    asked: [['/front'], ['/name'], ['/b']],
  },
  'a form that is sent to the statistics page': {
    front: `stats enable
      stats uri /stats`,
    asked: [['/stats'], ['HEAD /stats?x'], ['POST /stats'], ['POST /stats/x'], ['POST /other']],
  },
  'the request line, where a format of the frontend has it kept': {
    front: `http-request set-method POST if { path /set }
      http-request set-header x-m %HM
      http-request set-header x-l "%HP %HQ %HV"
      http-request return status 201 if { hdr(x-m) GET } { path /set }
      http-request return status 202 if { hdr(x-m) POST }
      http-request return status 203 if { req.fhdr(x-l) -m str "/a ?b=1 HTTP/1.1" }
      http-request return status 204 if { capture.req.uri -m end /c }`,
    asked: [['/set'], ['POST /'], ['/a?b=1'], ['/b/c'], ['/']],
  },
  'the request line, where nobody has it kept': {
    front: `http-request return status 201 if { capture.req.uri -m found }
      http-request return status 202 if { capture.req.method GET }
      default_backend unkept`,
    behind: `backend unkept
      http-request set-header x-m %HM
      http-request return status 203 if { hdr(x-m) <BADREQ> } { path /a }
      http-request return status 204 unless { hdr(x-m) <BADREQ> }
      http-request return status 205`,
    asked: [['/a'], ['/']],
  },
  'a log that wants the request line': {
    front: `option httplog
      http-request return status 201 if { capture.req.uri -m beg /a }`,
    asked: [['/a'], ['/']],
  },
  'words that are not there, and pluses behind a question mark': {
    front: `http-request return status 201 if { hdr(x-w),word(2,/.) -m found } { hdr(x-w) -m found }
      http-request return status 202 if { hdr(x-p),url_dec -m str "a+b?c d" }
      http-request return status 203 if { hdr(x-p),url_dec(1) -m str "a b" }`,
    asked: [
      ['/', { 'x-w': 'one.' }],
      ['/', { 'x-p': 'a+b?c+d' }],
      ['/', { 'x-p': 'a+b' }],
      ['/', { 'x-p': 'b+a' }],
    ],
  },
  'headers named by a regex, and formats with quotes': {
    front: `http-request del-header ^x-f -m reg
      http-request set-header x-q %{+Q}[path]
      http-request set-var-fmt(txn.q) %{+Q}[path]
      http-request return status 201 if { hdr(x-for) -m found }
      http-request return status 202 if { hdr(y-for) -m found }
      http-request return status 203 if { hdr(x-q) /q } { var(txn.q) -m str '"/q"' }`,
    asked: [['/', { 'x-for': '1' }], ['/', { 'y-for': '1' }], ['/q']],
  },
  'lines of a header, and their parts': {
    front: `http-request add-header x-two more if { path /more }
      http-request return status 201 if { req.fhdr_cnt(x-one) gt 1 }
      http-request return status 202 if { hdr_cnt(x-one) gt 1 }
      http-request return status 203 if { req.fhdr_cnt(x-two) 2 }
      http-request return status 204 if { req.fhdr_cnt(x-two) 1 }`,
    asked: [
      ['/', { 'x-one': 'a, b' }],
      ['/', { 'x-two': 'a' }],
      ['/more', { 'x-two': 'a' }],
      ['/more'],
      ['/', { 'x-one': 'a' }],
    ],
  },
  'HTTP over a plain connection': {
    front: `mode tcp
      tcp-request inspect-delay 20s
      tcp-request content accept if HTTP
      acl ssh payload(0,7) -m bin 5353482d322e30
      use_backend p0 if ssh
      use_backend p1 if !HTTP
      use_backend p2 if { hdr(host) -i a.example }
      use_backend p3 if { path_beg /x } or { req.payload(0,4) -m str POST }
      default_backend p4`,
    behind: answers(['p0', 'p1', 'p2', 'p3', 'p4']),
    asked: [['/', { host: 'A.example' }], ['/x'], ['POST /'], ['/']],
  },
};

describe('what is put into a request behind all rules', () => {
  const sent = (rules: string, sourceAddress = '10.1.2.3') => {
    const back = 'backend p\n  mode http\n  server s1 10.0.0.1:80\n';
    const text = `${common}frontend f\n  bind :80\n  ${rules}\n  default_backend p\n${back}`;
    const what = lift({ file: 'haproxy.cfg', text, read: () => null, environment: () => null });
    const fate = fateOf(what, requestOf({ sourceAddress })).ways[0]?.fate;
    return fate?.kind === 'pool' ? { host: fate.sent.host, ...fate.sent.headers } : null;
  };

  test('the address of the client, beside what a rule has set', () => {
    const rule = 'http-request set-header X-Real-IP %[src]';
    const host = 'www.example.com';
    assert.deepEqual(sent(`option forwardfor header X-Real-IP\n  ${rule}`), {
      host,
      'x-real-ip': '10.1.2.3, 10.1.2.3',
    });
    assert.deepEqual(sent(`option forwardfor header X-Real-IP if-none\n  ${rule}`), {
      host,
      'x-real-ip': '10.1.2.3',
    });
    assert.deepEqual(sent(`option forwardfor except 10.0.0.0/8 header X-Real-IP\n  ${rule}`), {
      host,
      'x-real-ip': '10.1.2.3',
    });
    assert.deepEqual(sent(`option forwardfor\n  ${rule}`), { host, 'x-real-ip': '10.1.2.3' });
  });

  test('the name of the server', () => {
    const text = `${common}listen l\n  bind :80\n  http-send-name-header Host\n`;
    const host = (servers: string) => {
      const source = { file: 'haproxy.cfg', text: text + servers, read: () => null, environment: () => null };
      const fate = fateOf(lift(source), requestOf({})).ways[0]?.fate;
      return fate?.kind === 'pool' ? fate.sent.host : null;
    };
    assert.equal(host('  server one 10.0.0.1:80\n'), 'one');
    assert.equal(typeof host('  server one 10.0.0.1:80\n  server two 10.0.0.2:80\n'), 'object');
  });
});

describe('what real files use, in a real HAProxy', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hf-lift-'));
  chmodSync(folder, 0o755);
  const entrance = (index: number) => join(folder, `${index}.sock`);
  const list = join(folder, 'networks');
  let child: ChildProcess | null = null;

  const textOf = ({ front, behind = '' }: Case, index: number, bind: string) =>
    `frontend t${index}\n  ${bind}\n  ${front}\n  ${/mode tcp|stats|default_backend/.test(front) ? '' : 'http-request return status 200'}\n${behind}\n`
      .replaceAll('NETWORKS', list)
      .replaceAll(/t\d\/t\d|(?<=fe_name )t\d|t\d(?=\/named)/g, (name) => name.replaceAll(/\d/g, `${index}`));

  before(async () => {
    writeFileSync(list, networks);
    const file = join(folder, 'haproxy.cfg');
    const binds = Object.values(cases).map((one, index) =>
      textOf(one, index, `bind unix@${entrance(index)} accept-proxy`),
    );
    writeFileSync(file, common + binds.join(''));
    child = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' });
    await until('HAProxy listens', () => reached(entrance(binds.length - 1)));
  });

  after(async () => {
    const gone = new Promise((done) => child?.once('close', done));
    if (child?.exitCode === null && child.kill('SIGKILL')) await gone;
    rmSync(folder, { recursive: true, force: true });
  });

  Object.entries(cases).forEach(([name, one], index) => {
    test(name, async () => {
      const text = common + textOf(one, index, 'bind :80');
      const read = () => networks;
      const what = lift({ file: 'haproxy.cfg', text, read, environment: () => null });
      assert.deepEqual(what.notUnderstood, []);
      const statuses = new Set<number>();
      for (const [
        line,
        { host = 'www.example', ...headers } = {},
        sourceAddress = '127.0.0.1',
      ] of one.asked) {
        const [url = '', method = 'GET'] = line.split(' ').reverse();
        const [path = '', query = null] = url.split('?');
        const request = requestOf({ method, scheme: 'http', host, path, query, headers, sourceAddress });
        const { ways, exact } = fateOf(what, request);
        assert.ok(exact, `${line} ${JSON.stringify(headers)}`);
        const fate = ways[0]?.fate;
        const lines = [`Host: ${host}`, ...Object.entries(headers).map(([key, value]) => `${key}: ${value}`)];
        const sent = `PROXY TCP4 ${sourceAddress} 127.0.0.1 4000 80\r\n${method} ${url} HTTP/1.1\r\n${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`;
        const status = await statusOf(entrance(index), sent);
        statuses.add(status);
        assert.equal(fate && 'status' in fate ? fate.status : fate?.kind, status, sent);
      }
      assert.ok(statuses.size > 1, 'the requests of a case have several answers');
    });
  });
});

function reached(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(path, () => {
      socket.destroy();
      done(true);
    }).on('error', () => done(false));
  });
}

function statusOf(path: string, sent: string): Promise<number> {
  return new Promise((done, fail) => {
    let got = '';
    const socket = connect(path, () => socket.write(sent));
    socket.on('data', (chunk) => {
      got += chunk.toString('latin1');
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(got)?.[1];
      if (status === undefined) return;
      socket.destroy();
      done(Number(status));
    });
    socket.on('error', fail);
    socket.on('close', () => fail(new Error(`no answer to ${sent}`)));
  });
}
