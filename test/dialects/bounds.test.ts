import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type LiftFiles, liftOwn } from '#dialects';
import type { OwnDialectName } from '#model';
import { meaning } from '#routing';

const { difference, fateOf, requestOf, sizeOf, valueSizeMax } = meaning;
const nowhere: LiftFiles = { find: () => [], read: () => null, environment: () => null };
const many = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');

function lifted(dialect: OwnDialectName, text: string): meaning.Meaning {
  const file = dialect === 'haproxy' ? 'haproxy.cfg' : 'nginx.conf';
  return liftOwn({ file, folder: '/etc', text }, dialect, nowhere);
}

const http = (inside: string) => lifted('nginx', `events {}\nhttp {\n${inside}\n}\n`);
const frontend = (inside: string) =>
  lifted(
    'haproxy',
    `frontend f\n  mode http\n  bind :80\n${inside}\n  default_backend b\nbackend b\n  mode http\n  server s 127.0.0.1:81\nbackend c\n  mode http\n  server s 127.0.0.1:82\n`,
  );
const complexLines = ({ notUnderstood }: meaning.Meaning) =>
  notUnderstood.flatMap(({ place, why }) => (/too complex/.test(why) ? [place.line] : []));

/** Compared with itself, asked once, looked through for dead rules: none of it may run away. */
function gone(text: meaning.Meaning): void {
  const { differences, complete } = difference(text, text);
  assert.deepEqual([differences.length, complete], [0, true]);
  assert.ok(fateOf(text, requestOf({ path: '/cart' })).ways.length > 0);
  meaning.unreached(text);
}

describe('no text makes it run away', () => {
  test('nginx.conf: files that all include each other', () => {
    const names = Array.from({ length: 40 }, (_, index) => `/etc/${index}.inc`);
    let [found, read] = [0, 0];
    const around: LiftFiles = {
      find: () => {
        found += 1;
        return names;
      },
      read: () => {
        read += 1;
        return 'include /etc/*.inc;\n';
      },
      environment: () => null,
    };
    const text = 'events {}\nhttp {\n  include /etc/*.inc;\n  server { listen 80; return 204; }\n}\n';
    const { notUnderstood, listeners } = liftOwn(
      { file: 'nginx.conf', folder: '/etc', text },
      'nginx',
      around,
    );
    assert.deepEqual([found, read], [1, names.length]);
    assert.ok(notUnderstood.some(({ why }) => /includes itself/.test(why)));
    assert.ok(notUnderstood.some(({ why }) => /more than \d+ includes/.test(why)));
    assert.equal(listeners.length, 1, 'what is not included is understood');
  });

  test('nginx.conf: maps that double', () => {
    const text = http(
      `map $uri $m0 { default "$http_a$http_b"; }\n${many(23, (index) => `map $uri $m${index + 1} { default "$m${index}$m${index}"; }`)}
server { listen 80; return 302 /$m22; }`,
    );
    assert.ok(complexLines(text).length > 0);
    gone(text);
  });

  test('nginx.conf: text that is set to itself twice, again and again', () => {
    const text = http(
      `server { listen 80; set $a "aaaaaaaaaa";\n${many(64, () => 'set $a "$a$a";')}\nreturn 302 /$a; }`,
    );
    assert.ok(complexLines(text).length > 0);
    gone(text);
  });

  test('haproxy.cfg: a header that is set to itself twice, again and again: from some line on it is not known', () => {
    const text = frontend(
      `${many(64, () => '  http-request set-header x %[req.hdr(x)]%[req.hdr(x)]')}\n  use_backend c if { hdr(x) aa }`,
    );
    const [line = 0] = complexLines(text);
    assert.ok(line > 6 && line < 30, `${line}`);
    gone(text);
  });

  test('haproxy.cfg: a path that is rewritten 300 times', () => {
    const text = frontend(
      many(
        300,
        (index) => `  http-request replace-path (.*)a${index}(.*) \\2x${index}\\1 if { path_sub a${index} }`,
      ),
    );
    assert.ok(complexLines(text).length > 0);
    gone(text);
  });

  test('nginx.conf: a map with 50,000 entries is a table', () => {
    const text = http(
      `map $uri $m {\n${many(50_000, (index) => `/${index} ${index};`)}\n~^/x x;\n}\nserver { listen 80; if ($m = 5) { return 403; } return 200 "$m."; }`,
    );
    const fate = (path: string) => fateOf(text, requestOf({ path })).ways[0]?.fate;
    const word = (path: string) => {
      const now = fate(path);
      return now?.kind === 'answer' ? now.status : now?.kind;
    };
    assert.equal(word('/5'), 403);
    assert.equal(word('/6'), 200);
    assert.equal(word('/xy'), 200);
    const { differences } = difference(text, text);
    assert.equal(differences.length, 0);
  });

  test('haproxy.cfg: of thousands of rules that are dead some hundred are told', () => {
    const text = frontend(many(1_500, (index) => `  use_backend c if { path_beg /${index} }`));
    const { steps, complete } = meaning.unreached(text);
    assert.ok(!complete && steps.length >= 100 && steps.length < 1_000, `${steps.length}`);
    assert.ok(steps.every(({ takenBy }) => takenBy.length > 0));
  });

  test('haproxy.cfg: conditions over all parts of a request, each with the others', () => {
    const text = frontend(
      many(
        12,
        (index) =>
          `  use_backend ${index % 2 ? 'b' : 'c'} if { path_reg x${index}.*y } { hdr(h${index}) -m reg z.*${index} } or !{ query -m sub q${index} } { src 10.${index}.0.0/16 }`,
      ),
    );
    gone(text);
  });

  test('what a value is made of is counted as often as it stands there', () => {
    let value: meaning.Value = meaning.field('host');
    for (let at = 0; at < 40; at += 1)
      value = { kind: 'orElse', of: { kind: 'lower', of: value }, otherwise: value };
    assert.ok(sizeOf(value) > 2 ** 40 && valueSizeMax < 2 ** 40);
  });
});
