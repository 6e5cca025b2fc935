/** Rules that change a request or decide, about as often as real files have them. */
import { hosts, type Ink, names, paths } from './ink.ts';
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
  if (kind < 95) return `http-request ${variable(ink)}${when}`;
  return `http-request allow${condition(ink, 100)}`;
}

function answered(ink: Ink): string {
  const how = ink.chance.pick([
    '',
    ' status 200 content-type text/plain string OK',
    ' status 404',
    ' status 200 content-type text/plain lf-string "p %[path] %[hdr(host)]"',
    ' status 503 content-type text/plain string busy hdr x-a b',
  ]);
  return `http-request return${how}${condition(ink, 100)}`;
}

function header(ink: Ink): string {
  const { chance, words } = ink;
  const name = chance.pick([...names, ...names, 'host']);
  const value = chance.pick([
    ...['one', '%[src]', '%[req.hdr(host)]', 'a%[path]b', '%[method]', '%[hdr(x-two)]', '%[dst_port]'],
    ...[
      '"%[path] %[query]"',
      '%[ssl_fc]',
      '%[hdr(x-one),lower]',
      '%[urlp(a)]',
      '%[cook(sid)]',
      '%ci',
      '50%%',
    ],
    ...[
      '%[req.fhdr(x-one)]',
      '%[path,field(2,/)]',
      '%[str(a_b)]',
      '%[hdr(x-two),regsub(o,0,g)]',
      '%HP',
      '%HM',
    ],
    ...['%[ssl_fc_sni]', '%[src],%[dst_port]', '%[hdr(x-one,1)]', '%[path,url_dec]', '%[var(txn.v0)]'],
  ]);
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
    'normalize-uri path-merge-slashes'.replace(/^.*$/, 'set-path /%[path,field(2,/)]'),
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
        ]
      : ['location /new', 'location /new?x=1', 'prefix https://n.test/a', 'location /%[path]']),
  ]);
  return `${keyword} ${target}${code}${target.startsWith('location') ? '' : options}${condition(ink, 100)}`;
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
  return `use_backend ${prefix}p${chance.below(poolsPerText)}${condition(ink, 97)}`;
}
