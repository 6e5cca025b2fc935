/** What few texts have, so that each of it comes up in some text of a hundred: one or two lines of it in a section. */
import { fileOf, type Ink, networks } from './ink.ts';
import { condition } from './questions.ts';
import { rareChange } from './rare-changes.ts';
import { rareQuestion } from './rare-questions.ts';

export interface Rare {
  readonly acls: readonly string[];
  /** Anywhere among the rules of a section. */
  readonly rules: readonly string[];
  /** Keywords with no order among rules. */
  readonly words: readonly string[];
}

const nothing: Rare = { acls: [], rules: [], words: [] };
const rules = (...lines: readonly string[]): Rare => ({ ...nothing, rules: lines });
const words = (...lines: readonly string[]): Rare => ({ ...nothing, words: lines });

export function rare(ink: Ink, isFront: boolean): Rare {
  const { chance } = ink;
  const kinds = [
    kept,
    kept,
    several,
    question,
    question,
    question,
    change,
    change,
    change,
    decision,
    behind,
    conditional,
    errors,
    ...(isFront ? [captured, watched, statistics] : []),
  ];
  return chance.pick(kinds)(ink);
}

/** A condition on an expression, and a rule that shows whether it held. */
function question(ink: Ink): Rare {
  const { chance } = ink;
  const asked = rareQuestion(ink);
  const shows = chance.pick([
    `http-request deny deny_status ${chance.pick([400, 404, 405, 429])}`,
    'http-request set-header x-asked yes',
    `http-request redirect location /asked`,
  ]);
  return rules(`${shows} if ${chance.percent(25) ? '!' : ''}{ ${asked} }`);
}

const change = (ink: Ink): Rare => rules(...rareChange(ink));

function decision(ink: Ink): Rare {
  const { chance } = ink;
  const when = condition(ink, 100);
  return rules(
    chance.pick([
      `http-request auth${when}`,
      `http-request auth realm closed${when}`,
      `http-request reject${when}`,
      `http-request use-service prometheus-exporter if { path /metrics }`,
      `http-request return status 201 content-type text/plain lf-string "%[method] %[url]"${when}`,
      `http-request return status 404 default-errorfiles${when}`,
      `http-request return status 302 hdr location /there${when}`,
      `http-request return status 200 content-type text/plain string "a b" hdr x-a %[path]${when}`,
      `http-request deny deny_status 405${when}`,
      `http-request deny status 451 content-type text/plain string no${when}`,
      `http-request tarpit status 503${when}`,
      `http-request redirect location /r?%[query] code 307${when}`,
      `http-request redirect prefix /%[path,word(1,/)] drop-query${when}`,
      `http-request redirect prefix https://x.test append-slash code 308${when}`,
      `http-request redirect scheme https code 301 if !{ ssl_fc }`,
      `http-request redirect location https://%[hdr(host),field(1,:),lower]%[capture.req.uri] if !{ ssl_fc } { path_beg /a }`,
      `http-request redirect location /seen set-cookie SEEN=1 if !{ cook(SEEN) -m found } { path_beg /s }`,
      `http-request redirect location %[hdr(x-one)] ignore-empty${when}`,
      `http-request deny if { path_beg /a } || { path_beg /s } !{ method GET }`,
      `http-request deny if { path_beg /a } or { path_beg /s } or { path_end .png }`,
      `http-request deny unless { path_beg / } !{ path_beg /api } || METH_GET`,
      `http-request deny if !METH_GET !METH_HEAD { path_beg /a }`,
      `http-request deny if HTTP_1.0`,
      `http-request deny if ! ! { path_beg /api }`,
      `http-request deny if { path_sub . } ! { path_end .png }`,
    ]),
  );
}

/** What HAProxy puts into requests behind all rules. */
function behind(ink: Ink): Rare {
  const { chance } = ink;
  ink.words.headers.push(['x-forwarded-for', '10.9.9.9'], ['x-real', '1']);
  const header = chance.pick(['', ' header X-Real']);
  const option = `option forwardfor${chance.pick(['', ' if-none', ` except ${chance.pick(networks.slice(0, 4))}`])}${header}`;
  const touched = header === '' ? 'x-forwarded-for' : 'x-real';
  return chance.pick([
    { ...words(option), rules: [`http-request set-header ${touched} set${condition(ink, 60)}`] },
    { ...words(option), rules: [`http-request del-header ${touched}${condition(ink, 60)}`] },
    { ...words(option), rules: [`http-request add-header ${touched} added${condition(ink, 60)}`] },
    words('http-send-name-header X-Name'),
    { ...words('http-send-name-header X-Name'), rules: ['http-request set-header X-Name mine'] },
    words('option forwardfor'),
    words('balance roundrobin'),
  ]);
}

/** What a backend asks of the address as it came, which its frontend has kept or not. */
function kept(ink: Ink): Rare {
  const keeps = ink.chance.pick([
    'http-request set-header x-kept %[capture.req.uri]',
    'acl kept capture.req.uri -m beg /a',
  ]);
  return rules(
    `http-request set-path /kept${condition(ink, 60)}`,
    keeps,
    `http-request deny if { capture.req.uri -m beg ${ink.chance.pick(['/a', '/s', '/'])} } { path_end ${ink.chance.pick(['t', '/', 'i'])} }`,
  );
}

/** Several lines of one header, which conditions ask one by one, all together, or by their number. */
function several(ink: Ink): Rare {
  const { chance } = ink;
  const name = chance.pick(['x-one', 'x-two', 'x-new']);
  const adds = Array.from(
    { length: 1 + chance.below(2) },
    (_, at) =>
      `http-request add-header ${name} ${chance.pick(['b', 'a,c', '%[path]'])}${condition(ink, at === 0 ? 50 : 20)}`,
  );
  const asks = chance.pick([
    `req.fhdr(${name}) -m str ${chance.pick(['b', 'a,c', 'one'])}`,
    `req.fhdr(${name}) -m reg ^[a-z]$`,
    `req.fhdr(${name}),lower -m end c`,
    `req.fhdr_cnt(${name}) ${chance.pick(['1', '2', 'gt 1'])}`,
    `hdr(${name}) ${chance.pick(['b', 'c', 'one'])}`,
    `hdr_cnt(${name}) ${chance.pick(['1', '2', 'gt 1'])}`,
    `hdr(${name},-1) ${chance.pick(['b', 'c'])}`,
    `hdr_sub(${name}) ${chance.pick(['a', ',', '/a'])}`,
  ]);
  const shows = chance.pick(['http-request deny deny_status 405', 'http-request set-header x-several yes']);
  return rules(...adds, `${shows} if ${chance.percent(25) ? '!' : ''}{ ${asks} }`);
}

function captured(ink: Ink): Rare {
  ink.words.headers.push(['x-one', 'captured-text'], ['user-agent', 'bot']);
  return {
    ...words('capture request header x-one len 8', 'capture request header user-agent len 64'),
    rules: [
      ...(ink.chance.percent(40) ? ['http-request capture path,word(1,/) len 3'] : []),
      `http-request set-header x-kept %[capture.req.hdr(${ink.chance.below(3)})]`,
      `http-request deny if { capture.req.hdr(${ink.chance.below(2)}) -m beg ${ink.chance.pick(['captured', 'b', 'o'])} }`,
    ],
  };
}

function watched(ink: Ink): Rare {
  ink.words.paths.push('/alive', '/alive');
  return words(
    'monitor-uri /alive',
    `monitor fail if ${ink.chance.pick(['{ src 127.0.0.1 }', 'FALSE', '{ nbsrv(P) lt 1 }', '{ hdr(host) -m found } { src 10.0.0.0/8 }'])}`.replace(
      '(P)',
      `(${ink.prefix}p0)`,
    ),
  );
}

function statistics(ink: Ink): Rare {
  const { chance, words: said } = ink;
  const uri = chance.pick(['/stats', '/admin/stats', '/st']);
  said.paths.push(uri, `${uri};csv`, `${uri}/x`);
  if (chance.percent(20)) {
    said.paths.push('/haproxy');
    said.queries.push('stats');
  }
  return words(
    'stats enable',
    ...(chance.percent(80) ? [`stats uri ${uri}`] : []),
    ...chance.pick([
      [],
      [],
      [`stats http-request ${chance.pick(['deny', 'allow', 'auth', 'auth realm x'])}${condition(ink, 100)}`],
      ['stats auth a:b'],
    ]),
    ...(chance.percent(15) ? ['stats admin if TRUE'] : []),
    ...(chance.percent(20) ? ['stats refresh 5s', 'stats hide-version'] : []),
  );
}

/** Answers of its own that are otherwise than their status, here or where it came by. */
function errors(ink: Ink): Rare {
  const { chance } = ink;
  const statuses = [401, 403, 404, 405, 429, 500];
  const first = chance.pick(['200 OK', '404 Not Found', '403 Forbidden', '302 Found']);
  const moved = first.startsWith('302') ? ['Location: https://sorry.test/'] : [];
  const file = fileOf(ink, `${ink.isFront ? 'f' : 'b'}.http`, [
    `HTTP/1.1 ${first}`,
    ...moved,
    'content-length: 5',
    '',
    'gone',
  ]);
  const status = chance.pick(statuses);
  const when = condition(ink, 100);
  return {
    ...words(
      chance.pick([
        `errorfile ${status} ${file}`,
        `errorfile ${status} ${file}`,
        `errorfile ${status} /dev/null`,
        `errorloc${chance.pick(['', '302', '303'])} ${status} https://gone.test/x`,
        `http-error status ${status} content-type text/plain string own`,
        `http-error status ${status} errorfile ${file}`,
      ]),
    ),
    rules: [
      chance.pick([
        `http-request deny deny_status ${status}${when}`,
        `http-request deny deny_status ${status}${when}`,
        `http-request deny${when}`,
        `http-request return status ${status} default-errorfiles${when}`,
        `http-request return status ${status}${when}`,
        `http-request deny status ${status} errorfile ${file}${when}`,
        `http-request auth${when}`,
        `http-request tarpit deny_status ${status}${when}`,
      ]),
    ],
  };
}

/** Lines that are there or not. */
function conditional(ink: Ink): Rare {
  const { chance } = ink;
  const term = () =>
    chance.pick([
      ...[
        '1',
        '0',
        '-1',
        '!0',
        '! 1',
        'defined(HF_PATH)',
        'defined(HF_NONE)',
        '!defined(HF_NONE)',
        '(1)',
        '(0 || 1)',
      ],
      ...[
        'streq("$HF_PATH",/api)',
        'streq("$HF_PATH",/app)',
        'strneq("$HF_HOST",a)',
        'strneq(x,x)',
        "streq('a',a)",
        '',
      ],
      ...[
        'version_atleast(2.4)',
        'version_before(2.4)',
        'version_atleast(3.9)',
        'feature(OPENSSL)',
        'feature(NOTHING)',
      ],
    ]);
  const parts = Array.from({ length: 1 + chance.below(3) }, term).filter((one) => one !== '');
  const held = parts.reduce(
    (line, one) => (line === '' ? one : `${line} ${chance.pick(['&&', '||'])} ${one}`),
    '',
  );
  const line = (number: number) => `http-request set-header x-held-${number} yes`;
  const inner = chance.percent(30) ? [`.if ${term()}`, line(4), '.else', line(5), '.endif'] : [];
  return rules(
    [
      `.if ${held}`,
      line(1),
      ...inner,
      ...(chance.percent(50) ? [`.elif ${term()}`, line(2)] : []),
      ...(chance.percent(60) ? ['.else', line(3)] : []),
      '.endif',
    ].join('\n'),
  );
}
