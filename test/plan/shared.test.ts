/** A plan of large texts is quick because parts that are written alike are neither read nor compared twice. It has to be the same plan. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LiftFiles, liftHaproxy, liftNginx, liftOwn, Shared } from '#dialects';
import { type PlannedMeaning, planOf } from '#plan';
import type { meaning } from '#routing';
import { type Chance, chanceOf } from '../../proofs/plan/chance.ts';
import { askedOf, environment, madeText as madeHaproxy } from '../../proofs/plan/haproxy/texts.ts';

type Engine = 'haproxy' | 'nginx';

interface Made {
  readonly text: string;
  readonly files: Readonly<Record<string, string>>;
}

function madeText(chance: Chance): Made {
  const { lines, files } = madeHaproxy(chance, 't', '/made/t');
  const servers = (number: string) =>
    Array.from(
      { length: 1 + chance.below(3) },
      (_, at) =>
        `server s${at} 10.0.${number}.${at}:80${chance.pick(['', ' check', ' weight 3', ' backup'])}`,
    );
  const written = lines.map((line) =>
    askedOf(line)
      .replace(
        /\bBIND (\d+)$/,
        (_, port: string) => `bind :${port}${port === '443' ? ' ssl crt pair.pem' : ''}`,
      )
      .replace(/\bSERVER (\d+)$/, (_, number: string) => servers(number).join('\n  ')),
  );
  return { text: ['defaults', '  timeout server 60s', ...written].join('\n'), files };
}

/** A few lines otherwise: gone, twice, in another place, with another number in them. */
function edited(text: string, chance: Chance): string {
  const lines = text.split('\n');
  for (let edits = chance.below(4); edits > 0; edits -= 1) {
    const at = chance.below(lines.length);
    const line = lines[at] ?? '';
    const edit = chance.pick(['drop', 'twice', 'move', 'number', 'comment', 'blank'] as const);
    if (edit === 'drop') lines.splice(at, 1);
    else if (edit === 'twice') lines.splice(at, 0, line);
    else if (edit === 'move') lines.splice(chance.below(lines.length), 0, ...lines.splice(at, 1));
    else if (edit === 'number')
      lines[at] = line.replace(/\d(?=\D*$)/, (digit) => `${(Number(digit) + 1) % 10}`);
    else lines.splice(at, 0, edit === 'comment' ? '# a word' : '');
  }
  return lines.join('\n');
}

const filesOf = (files: Made['files']): LiftFiles => ({
  find: (pattern) => (files[pattern] === undefined ? [] : [pattern]),
  read: (path) => files[path] ?? null,
  environment: (name) => (environment as Readonly<Record<string, string>>)[name] ?? null,
});

/** Nothing of it is the same object as anything else, and nothing says where it came from. */
function slowly(engine: Engine, file: string, { text, files }: Made): PlannedMeaning {
  const { read, find, environment: variables } = filesOf(files);
  const lifted =
    engine === 'haproxy'
      ? liftHaproxy({ file, text, read, environment: variables })
      : liftNginx({ file, folder: '/etc/nginx', text }, { read, find });
  const copy: meaning.Meaning = structuredClone(lifted);
  const pools = copy.pools.map(({ source: _, ...pool }) => pool);
  return { file, dialect: engine, meaning: { ...copy, pools } };
}

function planned(one: () => PlannedMeaning, other: () => PlannedMeaning): unknown {
  try {
    const options = { traffic: null, policies: [] };
    return JSON.parse(JSON.stringify(planOf(one(), other(), options)));
  } catch (error) {
    return `${error}`;
  }
}

/** Made texts ask so much that a plan of two takes seconds: what is lifted is compared for many, plans of plainer ones. */
const lifts = 20;
const pairs = 24;

const quickly = (engine: Engine, file: string, { text, files }: Made, shared: Shared): PlannedMeaning => ({
  file,
  dialect: engine,
  meaning: liftOwn({ file, folder: '/etc/nginx', text }, engine, filesOf(files), shared),
});

const hosts = ['a.example', 'b.example', 'c.example'];
const paths = ['/', '/a', '/b/', '/b/c', '/d'];

/** Routes over hosts, some of whose words are in other places. */
const plainTexts: Readonly<Record<Engine, (chance: Chance) => string>> = {
  haproxy(chance) {
    const uses = Array.from({ length: 12 }, () => {
      const host = chance.pick([`{ hdr(host) -i ${chance.pick(hosts)} }`, 'is_a', '!is_a', '']);
      const path = `{ ${chance.pick(['path', 'path_beg'])} ${chance.pick(paths)} }`;
      return `  use_backend p${chance.below(6)} ${chance.pick(['if', 'if', 'unless'])} ${host} ${path}`;
    });
    const rule = chance.pick(['', '  http-request set-path /x%[path] if { path_beg /b }']);
    const pools = Array.from({ length: 6 }, (_, pool) =>
      [
        `backend p${pool}`,
        ...chance.some(['  balance leastconn', '  option httpchk', '  default-server inter 3s'], 2),
        ...Array.from(
          { length: 1 + chance.below(4) },
          (__, at) => `  server s${at} 10.0.${pool}.${at}:80 check`,
        ),
      ].join('\n'),
    );
    const front = [
      'defaults',
      '  mode http',
      '  timeout server 30s',
      'frontend f',
      '  bind :80',
      '  acl is_a hdr(host) -i a.example',
    ];
    return [...front, rule, ...uses, '  default_backend p0', ...pools, ''].join('\n');
  },
  nginx(chance) {
    const pools = Array.from({ length: 6 }, (_, pool) =>
      [
        `upstream p${pool} {`,
        ...chance.some(['least_conn;', 'keepalive 8;'], 1),
        ...Array.from(
          { length: 1 + chance.below(4) },
          (__, at) => `server 10.0.${pool}.${at}:80 weight=${1 + chance.below(2)};`,
        ),
        '}',
      ].join('\n'),
    );
    const servers = hosts.map((host) => {
      const kinds = chance.some(['', '=', '^~'], 3);
      const locations = [...new Set(kinds.map((kind) => `location ${kind} ${chance.pick(paths)}`))];
      // What one server sets, another may ask for.
      const sets = chance.pick(['', '', 'set $said p1;\n', 'set $other p2;\n']);
      const inside = () =>
        chance.pick(['', '', '', 'return 302 /$said$other;\n', 'proxy_set_header X-A $mapped;\n']);
      return `server {\nlisten 80;\nserver_name ${host};\n${sets}${locations.map((location) => `${location} {\n${inside()}proxy_pass http://${chance.pick([`p${chance.below(6)}`, '10.9.9.9:80'])};\n}`).join('\n')}\n}`;
    });
    const map = `map $http_x $mapped {\ndefault ${chance.below(3)};\na b;\n}`;
    return ['events {}', 'http {', map, ...pools, ...servers, '}', ''].join('\n');
  },
};

const plainly = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

// Not of NGINX's: values of their meanings stand in others so often that they cannot be written out.
test(`haproxy: ${lifts} texts are lifted alike, whether with another that is nearly the same or alone`, () => {
  for (let seed = 1; seed <= lifts; seed += 1) {
    const chance = chanceOf(seed);
    const before = madeText(chance);
    const after = { ...before, text: edited(before.text, chance) };
    const shared = new Shared();
    quickly('haproxy', 'before', before, shared);
    const { meaning: told } = quickly('haproxy', 'after', after, shared);
    const pools = told.pools.map(({ source: _, servers, settings, ...pool }) => ({
      ...pool,
      servers,
      settings,
    }));
    const alone = slowly('haproxy', 'after', after).meaning;
    assert.deepEqual(plainly({ ...told, pools }), plainly(alone), `seed ${seed}`);
  }
});

for (const engine of ['haproxy', 'nginx'] as const)
  test(`${engine}: ${pairs} pairs of texts have the same plan, whether parts of them are shared or not`, () => {
    let changed = 0;
    for (let seed = 1; seed <= pairs; seed += 1) {
      const chance = chanceOf(seed);
      const before: Made = { text: plainTexts[engine](chance), files: {} };
      const after: Made = { text: edited(before.text, chance), files: {} };
      const shared = new Shared();
      const fast = planned(
        () => quickly(engine, 'before', before, shared),
        () => quickly(engine, 'after', after, shared),
      );
      const slow = planned(
        () => slowly(engine, 'before', before),
        () => slowly(engine, 'after', after),
      );
      assert.deepEqual(fast, slow, `seed ${seed}`);
      if (JSON.stringify(fast).includes('"same":false')) changed += 1;
    }
    assert.ok(changed > pairs / 5, `only ${changed} changed anything`);
  });

test('nginx: a server that is written alike in both texts is none where nobody sets any more what it asks for', () => {
  const text = (set: string) =>
    `events {}\nhttp {\nserver {\nlisten 80;\nserver_name a.example;\nreturn 302 /$said;\n}\nserver {\nlisten 80;\nserver_name b.example;\n${set}return 204;\n}\n}\n`;
  const [before, after] = [text('set $said p1;\n'), text('')].map((one): Made => ({ text: one, files: {} }));
  assert.ok(before && after);
  const shared = new Shared();
  const lifted = (file: string, made: Made) => quickly('nginx', file, made, shared).meaning;
  lifted('before', before);
  assert.deepEqual(plainly(lifted('after', after)), plainly(slowly('nginx', 'after', after).meaning));
});
