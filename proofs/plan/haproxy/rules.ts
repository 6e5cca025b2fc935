/** Rules that change a request or decide, about as often as real files have them. */
import { fileOf, hosts, type Ink, names, paths } from './ink.ts';
import { condition, mapOf } from './questions.ts';

export const poolsPerText = 5;

/** A line of `http-request`. */
export function rule(ink: Ink): string {
  const { chance } = ink;
  const kind = chance.below(100);
  const when = condition(ink, 75);
  if (kind < 30) return `http-request ${header(ink)}${when}`;
  if (kind < 43)
    return `http-request deny${chance.pick(['', '', ' deny_status 404', ' status 429'])}${condition(ink, 100)}`;
  if (kind < 46)
    return `http-request ${chance.pick(['tarpit', 'reject', 'tarpit deny_status 429'])}${condition(ink, 100)}`;
  if (kind < 58) return redirect(ink, 'http-request redirect');
  if (kind < 66) return answered(ink);
  if (kind < 80) return `http-request ${address(ink)}${when}`;
  if (kind < 93) return `http-request ${variable(ink)}${when}`;
  if (kind < 98) return `http-request ${beside(ink)}`;
  return `http-request allow${condition(ink, 100)}`;
}

/** Rules about the engine's own state, users, and what moves no request. */
function beside(ink: Ink): string {
  const { chance, prefix, words } = ink;
  const some = () => condition(ink, 40);
  words.headers.push(['authorization', 'Basic dTpw']);
  const kept = ink.isFront
    ? ['capture req.hdr(host) len 9', 'capture path len 20']
    : ['set-timeout server 50s'];
  return chance.pick([
    () => `track-sc0 src table ${prefix}p0${some()}`,
    () => `track-sc0 src table ${prefix}p0`,
    () => `deny deny_status 429 if { sc_http_req_rate(0,${prefix}p0) gt 100000 }`,
    () => `auth realm one unless { http_auth(${prefix}u) }`,
    () => `auth if !{ http_auth(${prefix}u) } { path_beg /admin }`,
    () => `set-log-level silent${some()}`,
    () => `set-nice 1${some()}`,
    () => `early-hint Link "</a>; rel=preload"${some()}`,
    () => `disable-l7-retry${some()}`,
    () => `set-priority-class int(1)${some()}`,
    () => `strict-mode on`,
    () => `silent-drop${condition(ink, 100)}`,
    () => `${chance.pick(kept)}${some()}`,
    () => `set-src hdr(x-forwarded-for)${some()}`,
    () => `wait-for-handshake${some()}`,
    () => `normalize-uri ${chance.pick(normalizers)}${some()}`,
    () => `normalize-uri ${chance.pick(normalizers)}${some()}`,
    () => `use-service prometheus-exporter if { path /metrics } FALSE`,
  ])();
}

const normalizers: readonly string[] = [
  ...['path-merge-slashes', 'path-strip-dot', 'path-strip-dotdot', 'path-strip-dotdot full'],
  ...[
    'fragment-strip',
    'fragment-encode',
    'query-sort-by-name',
    'percent-to-uppercase',
    'percent-decode-unreserved',
  ],
];

function answered(ink: Ink): string {
  const how = ink.chance.pick([
    '',
    ' status 200 content-type text/plain string OK',
    ' status 404',
    ' status 200 content-type text/plain lf-string "p %[path] %[hdr(host)]"',
    ' status 503 content-type text/plain string busy hdr x-a b',
    ' status 301 hdr location https://%[hdr(host)]/',
    ' status 200 content-type text/plain lf-string "%[src] %HM %[query]"',
    ' status 429 default-errorfiles',
    ' content-type text/plain string "a b"',
  ]);
  const file = ink.chance.percent(8) ? ` status 200 content-type text/plain ${bodyFile(ink)}` : how;
  return `http-request return${file}${condition(ink, 100)}`;
}

const bodyFile = (ink: Ink): string =>
  ink.chance.percent(50)
    ? `file ${fileOf(ink, 'body.txt', ['a file'])}`
    : `lf-file ${fileOf(ink, 'lf.txt', ['%[path] of %[hdr(host)]'])}`;

/** What a request is made into, as formats have it. */
export function format(ink: Ink): string {
  const { chance } = ink;
  if (chance.percent(2)) return `%[path,map_beg(${mapOf(ink, 'beg')},none)]`;
  if (chance.percent(2)) return `%[hdr(host),lower,map(${mapOf(ink, 'str')})]`;
  const picked = chance.pick(formats);
  return ink.isFront && picked === '%[be_name]' ? '%b' : picked;
}

const formats: readonly string[] = [
  ...['one', '%[src]', '%[req.hdr(host)]', 'a%[path]b', '%[method]', '%[hdr(x-two)]', '%[dst_port]'],
  ...['"%[path] %[query]"', '%[ssl_fc]', '%[hdr(x-one),lower]', '%[urlp(a)]', '%[cook(sid)]', '%ci', '50%%'],
  ...['%[req.fhdr(x-one)]', '%[path,field(2,/)]', '%[str(a_b)]', '%[hdr(x-two),regsub(o,0,g)]', '%HP', '%HM'],
  ...['%[ssl_fc_sni]', '%[src],%[dst_port]', '%[hdr(x-one,1)]', '%[path,url_dec]', '%[var(txn.v0)]'],
  ...['%HU', '%HQ', '%HV', '%r', '%HPO', '%b', '%f', '%fi', '%fp', '%{+Q}[path]', '%[fe_name]', '%[be_name]'],
  ...['%[capture.req.uri]', '%[capture.req.method]', '%[capture.req.hdr(0)]', '%[capture.req.ver]', '%[url]'],
  ...['%[hdr(x-one),ltrim(o)]', '%[path,rtrim(/)]', '%[hdr(host),word(1,.)]', '%[int(5),add(3)]', '%[dst]'],
  ...['%[env(HF_PATH)]', '%[req.ver]', '%[hdr_ip(x-forwarded-for)]', '%[base]', '%[pathq]', '%[bool(true)]'],
  ...['%[str(x),concat(-,txn.v0,-)]', '%[ssl_fc_sni,lower]', '%[query,url_dec]', '%[path,bytes(1,3)]'],
  ...['%[hdr(host),field(1,:),lower]', '%[hdr(x-two),regsub([^a-z],_,g)]', '%[req.cook(sid),upper]', '%rt'],
];

function header(ink: Ink): string {
  const { chance, words } = ink;
  const name = chance.pick([...names, ...names, 'host']);
  const value = format(ink);
  if (name === 'host') {
    const host = chance.pick(hosts);
    words.hosts.push(host);
    return chance.pick([
      `set-header Host ${host}`,
      `set-header Host ${host}`,
      'replace-header Host ^www\\.(.*)$ \\1',
    ]);
  }
  return chance.pick([
    `set-header ${name} ${value}`,
    `set-header ${name} ${value}`,
    `add-header ${name} ${value}`,
    `del-header ${name}`,
    `del-header ${name.slice(0, 3)} -m beg`,
    `replace-header ${name} ^(.)(.*)$ \\2-\\1`,
    `replace-header ${name} o 0`,
    `replace-header ${name} (.*) %[path]\\1`,
    `replace-value ${name} ^(.)(.*)$ \\2\\1`,
    `replace-value ${name} o 0`,
    `del-header ${name.slice(-3)} -m end`,
    `del-header ${name.slice(1, 3)} -m sub`,
    `del-header ^${name.slice(0, 3)} -m reg`,
  ]);
}

function address(ink: Ink): string {
  const { chance, words } = ink;
  const path = chance.pick(paths);
  words.paths.push(path);
  return chance.pick([
    'set-path /new%[path]',
    `set-path %[path,regsub(^${path.replaceAll('+', '.')},/x)]`,
    'set-path /%[path,regsub(/,-,g)]',
    `set-path ${path}`,
    `replace-path ${path.replaceAll('+', '.')}(/)?(.*) /\\2`,
    'replace-path (.*)\\.png$ \\1.jpg',
    'replace-path ^/([a-z]+)/(.*) /\\2/\\1',
    'set-query b=two',
    'set-query %[query,regsub(a=,c=)]',
    'set-query "%[query]&n=1"',
    'set-uri /n%[path]?%[query]',
    'set-uri %[path]',
    'set-pathq /pq?x=%[hdr(host)]',
    'replace-uri ^(.*)$ /u\\1',
    'replace-uri ^/api(.*)$ /v2\\1',
    'replace-pathq ([^?]*)(\\?(.*))? \\1?p=\\3',
    'set-path /q?y=1',
    'set-method POST',
    'set-method GET',
    'set-method %[hdr(x-one)]',
    'set-path /%[path,field(2,/)]',
    'set-path %[path,regsub(^/api/v1,/api/v2)]',
    'set-path "%[path,regsub(^/[^/]*,,)]"',
    'set-path /%[hdr(host),field(1,.)]%[path]',
    'set-path %[path,lower]',
    'set-path %[path,url_dec]',
    'set-query %[query,regsub(&?a=[^&]*,,g)]',
    'set-query a=%[path,word(1,/)]',
    'set-uri https://n.test%[path]',
    'set-uri /fixed',
    'replace-path ^/([^/]+)/([^/]+)(.*)$ /\\2\\3?from=\\1',
    'replace-uri ^https?://[^/]*(/.*)$ \\1',
    'replace-pathq ^(/[^?]*[^/?])(\\?.*)?$ \\1/\\2',
  ]);
}

function variable(ink: Ink): string {
  const { chance } = ink;
  const name = `${chance.pick(['txn', 'txn', 'req'])}.v${chance.below(3)}`;
  if (!ink.variables.includes(name)) ink.variables.push(name);
  return chance.pick([
    `set-var(${name}) hdr(host),lower`,
    `set-var(${name}) str(one)`,
    `set-var(${name}) bool(true)`,
    `set-var(${name}) path`,
    `set-var(${name}) hdr(x-one)`,
    `set-var(${name}) ssl_fc`,
    `set-var(${name}) cook(sid)`,
    `set-var(${name}) urlp(a)`,
    `set-var(${name}) src`,
    `set-var(${name}) hdr(host),field(1,:),lower`,
    `set-var-fmt(${name}) "%[hdr(host)]-%[path]"`,
    `unset-var(${name})`,
    `set-var(${name}) int(0)`,
    `set-var(${name}) path,concat(-,txn.v0,!)`,
    `set-var(${name}) str(${ink.prefix}p1)`,
    `set-var(${name}) ${chance.percent(30) ? `path,map_beg(${mapOf(ink, 'beg')})` : 'pathq'}`,
    `set-var(${name}) req.hdr(host),lower,regsub(:.*$,)`,
    `set-var(${name}) hdr(x-one),word(1,/)`,
    `set-var(${name}) method`,
    `set-var(${name}) dst_port`,
    `set-var(${name}) hdr_cnt(x-one)`,
    `set-var(${name}) hdr_val(x-one)`,
    `set-var(${name}) query`,
    `set-var(${name}) base`,
    `set-var(${name}) var(txn.v1)`,
    `set-var(${name}) hdr_ip(x-forwarded-for)`,
    `set-var(${name}) req.ver`,
    `set-var-fmt(${name}) %[path]`,
    `set-var(sess.s0) hdr(x-one)`,
  ]);
}

export function redirect(ink: Ink, keyword: string): string {
  const { chance } = ink;
  const isRule = keyword !== 'redirect';
  const code = chance.percent(50) ? ` code ${chance.pick([301, 302, 303, 307, 308])}` : '';
  const options = chance.pick(['', '', '', ' drop-query', ' append-slash', ' drop-query append-slash']);
  const target = chance.pick([
    'scheme https',
    'scheme https',
    'location https://www.example.com/',
    'prefix https://new.test',
    'prefix /p',
    'prefix /',
    ...(isRule
      ? [
          'location https://%[hdr(host)]%[capture.req.uri]',
          'location /x%[path]?%[query]',
          'prefix https://%[hdr(host),lower]',
          'location https://%[hdr(host),regsub(^www.,,)]%[path]',
          'location %[var(txn.v0)] ignore-empty',
          'scheme %[hdr(x-forwarded-proto)]',
          'prefix https://www.%[hdr(host)]',
          'location https://%[hdr(host),field(1,:)]%[pathq]',
          'location https://%[hdr(host)]:8443%[path]',
          'prefix %[path,word(1,/)]',
          'location "%[path,regsub(^/a,/b)]"',
          ...(chance.percent(30) ? [`location %[path,map_beg(${mapOf(ink, 'beg')})] ignore-empty`] : []),
          'scheme https if !{ ssl_fc }',
        ]
      : ['location /new', 'location /new?x=1', 'prefix https://n.test/a', 'location /%[path]']),
  ]);
  if (target.includes(' if ')) return `${keyword}${code} ${target}`;
  const cookie = chance.percent(8) ? chance.pick([' set-cookie a=b', ' clear-cookie a=']) : '';
  const own = target.startsWith('location') ? '' : options;
  const [first, last] = chance.percent(40) ? [code, ''] : ['', code];
  return `${keyword}${first} ${target}${last}${own}${cookie}${condition(ink, 100)}`;
}

export function use(ink: Ink): string {
  const { chance, prefix } = ink;
  if (chance.percent(12)) {
    const [method = 'str', key = 'path'] = chance
      .pick([
        ...[
          'str req.hdr(host),lower,map',
          'str req.hdr(host),lower,map_str',
          'beg path,map_beg',
          'dir path,map_dir',
        ],
        ...['dom hdr(host),lower,map_dom', 'end hdr(host),map_end', 'end path,map_end', 'reg path,map_reg'],
        ...[
          'sub path,map_sub',
          'ip src,map_ip',
          'beg base,field(2,/),map_beg',
          'str ssl_fc_sni,lower,map_str',
        ],
      ])
      .split(' ');
    const fallback = chance.percent(50) ? `,${prefix}p1` : '';
    return `use_backend %[${key}(${mapOf(ink, method)}${fallback})]${condition(ink, 50)}`;
  }
  if (chance.percent(3)) return `use_backend ${prefix}p%[hdr_val(x-one)]${condition(ink, 60)}`;
  if (chance.percent(2)) return `use_backend %[var(txn.v0)]${condition(ink, 60)}`;
  if (chance.percent(2)) return `use_backend ${prefix}p%[path,word(1,/),length]${condition(ink, 60)}`;
  if (chance.percent(1)) return `use_backend ${prefix}%[hdr(x-two)]${condition(ink, 60)}`;
  return `use_backend ${prefix}p${chance.below(poolsPerText)}${condition(ink, 97)}`;
}
