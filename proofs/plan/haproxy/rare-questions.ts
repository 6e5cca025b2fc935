/** Questions that few texts ask. */
import type { Chance } from '../chance.ts';
import { fileOf, hosts, type Ink, paths } from './ink.ts';
import { mapOf } from './questions.ts';

interface Drawn {
  readonly ink: Ink;
  readonly chance: Chance;
  readonly path: string;
  readonly host: string;
  /** A segment. */
  readonly word: string;
}

export function rareQuestion(ink: Ink): string {
  const { chance, words: said } = ink;
  const path = chance.pick(paths);
  const host = chance.pick(hosts);
  said.paths.push(path);
  said.hosts.push(host);
  const word = chance.pick(['api', 'v1', 'static', 'a']);
  const drawn: Drawn = { ink, chance, path, host, word };
  const kinds = [onExpressions, onWords, onConstants, onAddresses, onTexts, onTheRest];
  const asked = chance.pick(chance.pick(kinds)(drawn));
  for (let left = 2; left > 0; left -= 1) said.headers.push(['x-one', chance.pick(valuesFor(asked))]);
  return asked;
}

/** What a header has that is asked so. */
function valuesFor(asked: string): readonly string[] {
  if (asked.includes('hdr_ip'))
    return [
      '10.1.2.3',
      '10.1.2.9',
      '8.1.1.1, 10.1.2.3',
      '192.168.1.77',
      '010.1.2.3:80',
      '11.0.0.1',
      '10.1.2',
      '::1',
    ];
  if (/hdr_val|hdr_cnt|urlp_val|bool|not/.test(asked))
    return ['7', '6', '0', '8', '-3', 'a', '', 'one,two', 'a,b,c'];
  return ['one,two', '10.1.2.3', '7', 'a-b_c.d', 'one two', 'apipa/v12', '/api/v1', 'a.png', 'static', 'aab'];
}

const listOf = (ink: Ink, lines: readonly string[]) => fileOf(ink, `r${ink.chance.below(100)}.lst`, lines);

function onExpressions({ chance }: Drawn): readonly string[] {
  return [
    ...expressions.map((source) => `path_reg${chance.pick(['', ' -i'])} ${source}`),
    ...expressions.map((source) => `hdr_reg(x-one)${chance.pick(['', ' -i'])} ${source}`),
  ];
}

function onWords({ word }: Drawn): readonly string[] {
  return [
    `path,word(-1,/) -m str ${word}`,
    `path,word(2,/) -m str ${word}`,
    `path,word(-2,/.) -m str ${word}`,
    `path,field(-1,/) -m str ${word}`,
    `path,field(3,/.) -m str ${word}`,
    `path,field(-2,/) -m str ${word}`,
    `hdr(x-one),word(1,_-.) -m str a`,
    `hdr(x-one,1),word(2,_-) -m str b`,
    `path,ltrim(/) -m beg ${word}`,
    `path,rtrim(/ab) -m end ${word.slice(0, 2)}`,
    'path,ltrim(/a-z) -m len gt 2',
    'path,length,not',
    'hdr(x-one),bool',
    'hdr(x-one),not',
    'hdr_cnt(x-one),bool',
    'hdr_val(x-one),not',
    'int(3),add(2),mul(2),sub(1) 9',
    'int(3),add(txn.v0) 3',
    'int(7),div(2) 3',
    'int(7),mod(4) 3',
    'int(7),div(0) 0',
    'int(-7),mod(4) lt 0',
    'int(5),bool',
    'str(one) -m str one',
    'str(a.b),field(2,.) -m str b',
  ];
}

function onConstants({ path, host }: Drawn): readonly string[] {
  return [
    'str(7),field(1,.) 7',
    'str(12),bytes(1,1) -m str 2',
    'str(a7) -m int 0',
    'str(7x) -m int 7',
    'str(7),add(1) 8',
    'str(a),bool',
    'str(0),not',
    'int(0),not',
    'int(-3) lt 0',
    'bool(true)',
    'bool(0)',
    'bool(false) -m bool',
    'env(HF_PATH) -m str /api',
    'env(HF_HOST) -m end example.com',
    'always_true',
    'always_false',
    'wait_end',
    'req.proto_http',
    'fe_name -m end f',
    'be_name -m found',
    `base -i ${host}${path}`,
    `base_dir ${path.slice(1).split('/')[0] || 'a'}`,
    `baseq -m beg ${host}`,
    `baseq -m sub a=1`,
  ];
}

function onAddresses({ ink }: Drawn): readonly string[] {
  return [
    'cook(sid),bool',
    'cook(sid),not',
    'urlp(a),bool',
    'urlp(a),not',
    'hdr(x-one,2) two',
    'hdr_ip(x-one,2) 10.0.0.0/8',
    'hdr_ip(x-one,-1) 10.0.0.0/8',
    'hdr_ip(x-one,1) 10.1.2.3',
    'path_dir /',
    'path_dir /a/',
    'path_dom .',
    'url_dir a',
    'dst 127.0.0.0/8',
    'dst 127.0.0.1',
    'dst 10.0.0.0/8',
    'dst 127.0.0.0/24 10.1.1.1',
    'src -n 10.1.2.3',
    'src 10.1.2.3/255.0.0.0',
    'src ::1 2001:db8::/32',
    'src 10.1.2.0/25 192.168.1.8/29',
    'src 127',
    `src -f ${listOf(ink, ['10.1.0.0/16', '# a comment', '', '8.8.8.8'])}`,
    `src,map_ip(${mapOf(ink, 'ip')}) -m found`,
    `src,map_str(${mapOf(ink, 'str')}) -m found`,
    'src,regsub(^10,x) -m beg x',
    'src,length gt 8',
    'src -m beg 10.',
    'src -m len 8',
    'src_port 40000',
    'src_port 39000:40000',
    'dst_port 80 8080',
    `hdr_ip(x-one) 10.0.0.0/8 192.168.1.0/24`,
    'hdr_ip(x-one) 10.1.2.3',
    'hdr_ip(x-one) 10.1.2.0/29',
    'hdr_ip(x-one) 10.1.2.3/30 8.0.0.0/7',
    'hdr_ip(x-one) 2001:db8::/32 10.1.2.3',
  ];
}

function onTexts({ ink, chance, path, host, word }: Drawn): readonly string[] {
  return [
    `path_beg -M -f ${listOf(ink, ['/api one', '/app two', '/ three'].slice(0, 1 + chance.below(2)))}`,
    `path_beg -f ${listOf(ink, ['/api one', '/app'])}`,
    `path -u ${chance.below(1_000_000)} ${path}`,
    `path_beg -i -n -- ${path}`,
    `path -m dir -i ${word.toUpperCase()}`,
    `path -m dom ${word}`,
    `path_dir ${word}/v1/`,
    `path_dir /${word}`,
    `hdr_dom(host) -i .${host.split('.').slice(1).join('.')}`,
    `path_len ${chance.pick(['ge 5', '5:', ':8', 'lt 0', 'eq 4 8', '4 9:20', 'le 9'])}`,
    `hdr_cnt(x-one) -- ${chance.pick(['gt 1', 'lt 1', '2', '0:1', 'le 0', 'ge 2', '1:'])}`,
    `hdr_val(x-one) -- ${chance.pick(['gt 6', '7', '0', 'le 7', ':3', 'lt 8'])}`,
    `urlp_val(a) ${chance.pick(['gt 0', '1', '0:1', 'eq 0'])}`,
    'urlp(a) -m len 1',
    `hdr(host),host_only,lower ${host}`.replace(',host_only', chance.pick(['', ',host_only'])),
    `hdr(x-one),lower,upper -m str ONE`,
    `path,upper,lower -m beg ${path.toLowerCase()}`,
    `path,regsub(a,b) -m sub b`,
    `path,regsub(A,b,gi) -m sub bb`,
    `path,regsub(^/,,) -m beg ${word}`,
    'path,url_dec -m sub " "',
    'query,url_dec -m sub A',
    'path,bytes(1) -m beg a',
    'path,bytes(2,2) -m str pi',
    'path,concat(.x) -m end .x',
    'str(a),concat(b,txn.v0,c) -m beg ab',
  ];
}

function onTheRest({ ink, path, word }: Drawn): readonly string[] {
  return [
    'capture.req.uri -m beg /a',
    'capture.req.method GET',
    'capture.req.method -m str POST',
    'capture.req.ver -m str HTTP/1.1',
    'req.ver 1.0',
    `url -i ${path}`,
    `url_dom ${word}`,
    `url_len lt 9`,
    `pathq -m sub ?`,
    'hdr(x-none) -m found',
    'hdr_len(x-one) 3:9',
    'req.fhdr_cnt(x-one) 2',
    'req.fhdr(x-one) -m sub ,',
    'cook_cnt(sid) ge 1',
    'ssl_fc 1',
    'ssl_fc -m bool',
    'ssl_fc 0',
    'hdr(x-one) -m bool',
    'path -m bool',
    'src -m found',
    'method -m len 3',
    'method -i get',
    'method GET POST PURGE',
    'method PURGE',
    'nbsrv(nosuch) ge 0'.replace('nosuch', `${ink.prefix}p0`),
    'rand(10) lt 5',
  ];
}

/** What expressions are made of. Without blanks, quotes and `#`, as a line of HAProxy wants them. */
const expressions: readonly string[] = [
  ...[
    '^/a(pi|pp)/?',
    '^/[^/]+/v\\d+',
    '/\\w+\\.(?:png|jpe?g)$',
    '^/(?i)API',
    '^/(?:a|b){1,2}',
    '^/a{2}',
    '[0-9]{1,3}$',
  ],
  ...[
    '^/(?!admin)',
    '(?<=/)v1',
    '(?<!a)pi$',
    '^/(?=api).*1$',
    '\\bapi\\b',
    '\\Bpi',
    '^/\\Qa+b\\E',
    '^/a\\+b',
  ],
  ...[
    '^[[:alpha:]/]+$',
    '[[:digit:]]',
    '[^[:alnum:]/]',
    '^[\\w/.-]*$',
    '[\\s\\d]',
    '\\x61pi',
    '\\141pi',
    '[\\x61-\\x63]p',
  ],
  ...['^/.*?/v', '^/[a-z]+?/', '^/[a-z]++/', '^/(?>a|ap)pi', '(?<n>a)pi', '(?P<n>s)t', '^(?:/[a-z]+)*$'],
  ...[
    '\\.$',
    '^$',
    '^/$',
    'a.i',
    '[.]png',
    '[]a]',
    '[^]]pi',
    '[a-]',
    '\\/api',
    '(?s)a.*',
    '(?m)^/',
    '(?x)/a',
    '(?-i)API',
  ],
  ...[
    '\\Aa?',
    '/\\Z',
    '/\\z',
    '\\R',
    '\\h',
    '\\N',
    '[A-Fa-f0-9]{2,}',
    '(a|)b',
    '(|a)pi',
    'x{0}/',
    'a{,3}',
    '/{1}',
    '\\d*',
    '\\D\\S\\W',
  ],
  ...[
    '^/(a(p)(i))',
    '(?:)',
    '(?#comment)',
    '(/[a-z]){2}',
    '(([a-z]+)/)+',
    '(a|aa)+$',
    '(a*)*b',
    '[\\Wa]',
    '\\e',
  ],
].filter((source) => !/[\s#]/.test(source));
