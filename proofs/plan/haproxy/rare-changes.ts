/** Rules that change a request as few texts do. */
import type { Chance } from '../chance.ts';
import type { Ink } from './ink.ts';
import { condition, mapOf } from './questions.ts';

/** Expressions that take parts, and what is made of them; some that could be tried in very many ways. */
const taking: readonly (readonly [string, string])[] = [
  ['^/([^/]*)(/.*)?$', '/t\\2/\\1'],
  ['([a-z])([a-z])', '\\2\\1'],
  ['(a|ap|api)(.*)', '/<\\1>\\2'],
  ['^((/[a-z]+)+)(/?)$', '/g\\2\\3\\1'],
  ['(([a-z]*)[a-z0-9]*)*$', '/n\\1'],
  ['^(.*?)(/[^/]*)$', '\\2-\\1'],
  ['/(?:(x)|(a))', '/b\\1c\\2'],
  ['(a?)(p*)(i|$)', '\\3\\2\\1'],
  ['[aeiou]', '_'],
  ['/+', '/'],
  ['x*', '-'],
  ['(/)(?=api)', '\\1\\1'],
  ['(?<=/)([a-z]+)', 'w\\0'],
].map(([from = '', to = '']) => [from, to.replaceAll(/[<>]/g, '')] as const);

interface Drawn {
  readonly ink: Ink;
  readonly chance: Chance;
  /** One that it is about. */
  readonly header: string;
}

/** A line, and one that shows what it did. */
export function rareChange(ink: Ink): readonly string[] {
  const { chance, words: said } = ink;
  said.headers.push(['x-one', chance.pick(['one,two', 'ab?c', 'a=1', '', 'a.b'])]);
  const header = chance.pick(['x-one', 'x-two', 'x-new']);
  const kinds = [onAddress, onAddress, onHeaders, onHeaders, onMore, onVariables];
  const line = chance.pick(chance.pick(kinds)({ ink, chance, header }));
  for (const variable of ['txn.v0', 'req.v1', 'txn.v2', 'txn.v1'])
    if (line.includes(`(${variable})`) && !ink.variables.includes(variable)) ink.variables.push(variable);
  const shown =
    ink.variables.length > 0 && line.startsWith('set-var')
      ? [`http-request set-header x-var %[var(${chance.pick(ink.variables)})]`]
      : [];
  return [`http-request ${line}${condition(ink, 50)}`, ...shown];
}

function onAddress({ chance, header }: Drawn): readonly string[] {
  return [
    `replace-value x-one ^o(.*)$ \\1`,
    `replace-header x-one (?i)ONE(.)? <\\0>`.replaceAll(/[<>]/g, ''),
    'del-header one -m end',
    'del-header X- -m beg',
    'del-header -o -m sub',
    'del-header x-new',
    'del-header host',
    'set-query %[hdr(x-one)]',
    'set-query %[hdr(x-two)]',
    'set-query %[query,upper]',
    'set-path %[path,lower]',
    'set-path %[path,upper]',
    'set-path /x%[path,bytes(1,3)]',
    'set-path /x%[hdr(x-one)]',
    'set-path /x%[urlp(a)]',
    'set-path "/y?b=%[method]"',
    'set-path %[path,regsub(a,?)]',
    'set-path %[path,word(1,?)]',
    'set-path /%[path,field(2,/)]/%[path,field(3,/)]',
    'set-pathq /pq',
    'set-pathq /pq?x=1',
    'set-pathq %[path]',
    'set-pathq %[pathq]',
    'set-pathq /b%[url]',
    'set-uri http://other.test/u',
    'set-uri http://other.test/u%[path]',
    'set-path /p%[path]%[method]',
    'set-path %[path,regsub(a,b?c)]',
    'set-path %[path,field(2,/),lower]',
    'set-path /%[query]',
    'set-uri https://other.test/u?q=1',
    'set-uri /u?v=1',
    'set-uri %[path]?z=%[hdr(x-one)]',
    'replace-path /(.*) /r/\\1?w=1',
    'replace-path ^/[a-z]+ \\0/x',
    'replace-uri (.*)\\?.* \\1',
    'replace-pathq /a(.*) /b\\1%[hdr(x-one)]',
    ...taking.map(([from, to]) => `replace-path ${from} /${to.replace(/^\//, '')}`),
    ...taking.map(
      ([from, to]) =>
        `set-header ${header} "%[path,regsub('${from.replaceAll('$', '\\$')}','${to}'${chance.pick(['', ',g', ',i', ',gi'])})]"`,
    ),
    ...taking.map(([from, to]) => `replace-header x-one ${from} ${to}`),
    'normalize-uri path-merge-slashes',
    'normalize-uri path-strip-dot',
    'normalize-uri path-strip-dotdot',
    'normalize-uri path-strip-dotdot full',
    'normalize-uri fragment-strip',
    'normalize-uri query-sort-by-name',
    'normalize-uri percent-to-uppercase',
  ];
}

function onHeaders({ header }: Drawn): readonly string[] {
  return [
    `set-header ${header} %f`,
    `set-header ${header} %b`,
    `set-header ${header} %fi:%fp`,
    `set-header ${header} %cp`,
    `set-header ${header} "%{+Q}[path]"`,
    `set-header ${header} "%{-Q}[path]"`,
    `set-header ${header} %[fe_name]-`,
    `set-header ${header} %[base]`,
    `set-header ${header} %[baseq]`,
    `set-header ${header} %[dst]:%[dst_port]`,
    `set-header ${header} %[int(4),mul(3)]`,
    `set-header ${header} "%[path,regsub('[/]','-',g)]"`,
    `set-header ${header} "%[path,regsub('^/([a-z]+)','x\\1')]"`,
    `set-header ${header} %[path,word(1,/)]`,
    `set-header ${header} %[path,word(-1,/)]`,
    `set-header ${header} %[path,field(-1,/)]`,
    `set-header ${header} %[path,ltrim(/)]`,
    `set-header ${header} %[path,rtrim(/)]`,
  ];
}

function onMore({ ink, chance, header }: Drawn): readonly string[] {
  return [
    `set-header ${header} %[hdr(x-one,-1)]`,
    `set-header ${header} %[hdr(host),host_only]`.replace(',host_only', chance.pick(['', ',host_only'])),
    `set-header ${header} %[hdr_cnt(x-one)]`,
    `set-header ${header} %[capture.req.uri]`,
    `set-header ${header} %[capture.req.method]%[capture.req.ver]`,
    `set-header ${header} %[url]`,
    `set-header ${header} %[pathq]`,
    `set-header ${header} %[req.ver]`,
    `set-header ${header} %[src,map_ip(${mapOf(ink, 'ip')},none)]`,
    `set-header ${header} %[path,map_beg(${mapOf(ink, 'beg')})]`,
    `set-header ${header} %[path,map_reg(${mapOf(ink, 'reg')},no)]`,
    `set-header ${header} %[hdr(x-one),map_str(${mapOf(ink, 'str')},no)]`,
    `set-header ${header} %[env(HF_PATH)]`,
    `set-header ${header} %[src_port]`,
    `set-header ${header} a\\ b`,
    `set-header ${header} 'single "quoted"'`,
    `set-header ${header} "double 'quoted' \${HF_PATH}"`,
    `set-header ${header} \\x41\\t\\#`,
    `add-header ${header} more`,
    `add-header host more.test`,
    'set-method %[hdr(x-one),upper]'.replace('%[hdr(x-one),upper]', chance.pick(['PATCH', 'PURGE', 'HEAD'])),
  ];
}

function onVariables({ ink }: Drawn): readonly string[] {
  return [
    'set-var-fmt(txn.v0) "%{+Q}[path]%{-Q}[method]"',
    'set-var-fmt(txn.v1) "%[var(txn.v0)]-%[hdr(x-one)]"',
    'set-var(txn.v0) url',
    'set-var(txn.v0) hdr(x-one),field(2,-)',
    'set-var(req.v1) path,word(1,/)',
    'set-var(txn.v2) method',
    'set-var(txn.v1) src,map_ip(M)'.replace('M', mapOf(ink, 'ip')),
    'set-nice 5',
    'set-log-level silent',
    'set-src hdr(x-forwarded-for)',
    'set-src src',
  ];
}
