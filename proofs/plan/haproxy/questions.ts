/** Conditions, about as often as real files have them. */
import { fileOf, hosts, type Ink, names, networks, paths, values } from './ink.ts';

/** Behind `if` or `unless`, or nothing. */
export function condition(ink: Ink, share: number): string {
  const { chance } = ink;
  if (!chance.percent(share)) return '';
  const count = 1 + (chance.percent(35) ? 1 : 0) + (chance.percent(10) ? 1 : 0);
  const joined = Array.from({ length: count }, () => term(ink)).reduce(
    (line, one) => `${line}${chance.percent(30) ? chance.pick([' or ', ' || ']) : ' '}${one}`,
  );
  return ` ${chance.percent(12) ? 'unless' : 'if'} ${joined}`;
}

function term(ink: Ink): string {
  const { chance, acls } = ink;
  const not = chance.percent(25) ? chance.pick(['!', '! ']) : '';
  if (chance.percent(8))
    return (
      not +
      chance.pick([
        ...['TRUE', 'METH_GET', 'METH_POST', 'LOCALHOST', 'HTTP_1.1', 'HTTP_1.0', 'FALSE', 'HTTP'],
        ...['METH_PUT', 'METH_DELETE', 'METH_HEAD', 'METH_OPTIONS', 'HTTP_URL_ABS', 'HTTP_URL_SLASH'],
        ...['HTTP_URL_STAR', 'HTTP_CONTENT', 'WAIT_END', 'HTTP_2.0'],
      ])
    );
  if (acls.length > 0 && chance.percent(60)) return not + chance.pick(acls);
  return `${not}{ ${question(ink)} }`;
}

/** A fetch, its flags and patterns: what stands behind the name in an `acl` line. */
export function question(ink: Ink): string {
  const { chance } = ink;
  const kind = chance.below(100);
  if (kind < 26) return ofPath(ink);
  if (kind < 50) return ofHost(ink);
  if (kind < 57) return 'ssl_fc';
  if (kind < 62) return ofName(ink);
  if (kind < 74) return ofHeader(ink);
  if (kind < 79) return ofSource(ink);
  if (kind < 83) return ofMethod(ink);
  if (kind < 89) return ofCookie(ink);
  if (kind < 94 && ink.variables.length > 0) return ofVariable(ink);
  if (kind < 97) return ofQuery(ink);
  return ofEngine(ink);
}

const folding = (ink: Ink, share: number) => (ink.chance.percent(share) ? ' -i' : '');

function ofPath(ink: Ink): string {
  const { chance, words } = ink;
  const path = chance.pick(paths);
  words.paths.push(path);
  const fold = folding(ink, 30);
  const more = chance.percent(25) ? ` ${chance.pick(paths)}` : '';
  const segment = path.split('/')[1] || 'a';
  const list = () =>
    fileOf(ink, `l${chance.below(100)}.lst`, ['# a list', '', ...chance.some(paths, 3), ' /app']);
  return chance.pick([
    () => `path_beg${fold} ${path}${more}`,
    () => `path_beg${fold} ${path}${more}`,
    () => `path${fold} ${path}${more}`,
    () => `path -m str${fold} ${path}`,
    () => `path_end${fold} ${path.slice(-4)}`,
    () => `path_sub${fold} ${path.slice(1, 4) || 'a'}`,
    () => `path_dir${fold} ${segment}`,
    () => `path_dom${fold} ${segment}`,
    () => `path_reg${fold} ^${path.replaceAll('.', '\\.').replaceAll('+', '\\+')}(/|$)`,
    () => `path_reg${fold} /[a-z]+[0-9]?$`,
    () => `path_reg${fold} \\.(png|JPG|php)$ ^/(api|app)`,
    () => `path_len ${chance.pick(['gt 5', '4:9', '1', 'le 3', 'lt 200'])}`,
    () => `url_beg${fold} ${path}`,
    () => `url${fold} ${path}`,
    () => `base_beg${fold} ${chance.pick(hosts)}${path}`,
    () => `base${fold} ${chance.pick(hosts)}${path}`,
    () => `base_sub${fold} com${path}`,
    () => `path,lower -m beg ${path.toLowerCase()}`,
    () => `path,upper -m end ${path.slice(-3).toUpperCase()}`,
    () => `path,field(2,/) -m str ${segment}`,
    () => `path,url_dec -m beg${fold} ${path}`,
    () => `path,word(1,/) -m str ${segment}`,
    () => `path,bytes(1,3) -m str ${path.slice(1, 4) || 'api'}`,
    () => `pathq ${path}`,
    () => 'path -m found',
    () => `path_beg${fold} -f ${list()}`,
    () => `path${fold} -f ${list()} ${path}`,
    () => `path_sub -- ${path.slice(1, 3) || '-i'}`,
    () => `path_beg${fold} "\${HF_PATH}"`,
    () => 'path_beg "$HF_PATH/v1" /\\ x',
    () => `path -i -m beg ${path}${more}`,
    () => `path -m reg -i ^${path.replaceAll('.', '\\.').replaceAll('+', '\\+')}`,
    () => `path -m dir${fold} ${segment}`,
    () => `path,ltrim(/) -m beg ${path.slice(1)}x ${segment}`,
    () => `path,rtrim(/) ${path}`,
    () => `path,regsub(/+,/,g) -m beg ${path}`,
    () => `path,url_dec,lower -m sub ${path.slice(1, 4).toLowerCase() || 'a'}`,
    () => `path,lower,regsub(^/api,) -m beg /v1 ${path}`,
    () => `path -m beg -M -f ${mapOf(ink, 'beg')}`,
    () =>
      `base_reg${fold} ^[^/]*example\\.com${path === '/' ? '/' : path.replaceAll('.', '\\.').replaceAll('+', '\\+')}`,
    () => `base_dir${fold} ${segment}`,
    () => `url_dir${fold} ${segment}`,
    () => `url_dom${fold} ${segment}`,
    () => `capture.req.uri -m beg${fold} ${path}`,
    () => `path -m len ${path.length}`,
    () => `path,length ${path.length}`,
    () => `path,map_beg(${mapOf(ink, 'beg')}) -m str ${ink.prefix}p1`,
    () => `path,map_reg(${mapOf(ink, 'reg')},no) -m str no`,
    () => 'path,not',
  ])();
}

function ofHost(ink: Ink): string {
  const { chance, words } = ink;
  const host = chance.pick(hosts);
  words.hosts.push(host);
  const fold = folding(ink, 60);
  const hdr = chance.pick(['hdr', 'req.hdr']);
  const domain = host.split('.').slice(-2).join('.');
  const list = () =>
    fileOf(ink, `h${chance.below(100)}.lst`, ['# hosts', ...chance.some(hosts, 3), 'a.test']);
  return chance.pick([
    () => `${hdr}(host)${fold} ${host} ${chance.pick(hosts)}`,
    () => `${hdr}(host)${fold} ${host}`,
    () => `${hdr}(Host) -i ${host}`,
    () => `hdr_beg(host)${fold} ${host.split('.')[0]}.`,
    () => `hdr_end(host)${fold} .${domain}`,
    () => `hdr_dom(host)${fold} ${domain}`,
    () => `hdr_sub(host)${fold} ${host.slice(1, 5)}`,
    () => `hdr_reg(host)${fold} ^(www|shop)\\.${host.split('.').at(-1)}`,
    () => `hdr_reg(host)${fold} ^[^.]+\\.${domain.replaceAll('.', '\\.')}(:[0-9]+)?$`,
    () => `${hdr}(host),lower ${host}`,
    () => `hdr(host),field(1,:) -m str${fold} ${host}`,
    () => `hdr(host) -m dom${fold} ${host.split('.')[0]}`,
    () => `hdr(host) -m len ${host.length}`,
    () => `hdr(host)${fold} -f ${list()}`,
    () => `hdr(host),host_only,lower ${host}`.replace(',host_only', ''),
    () => `hdr(host),lower,map_str(${mapOf(ink, 'str')},none) -m beg ${ink.prefix}p`,
    () => 'hdr(host) -i "$HF_HOST"',
    () => 'hdr(host) -m found',
    () => 'hdr_cnt(host) eq 0',
    () => `hdr_len(host) ${chance.pick(['gt 12', '11', '0'])}`,
    () => `hdr(host),regsub(:.*$,) -m str${fold} ${host}`,
    () => `hdr(host),regsub(^www\\.,,i),lower ${host}`,
    () => `req.hdr(host),field(1,:),lower -m end .${domain}`,
    () => `hdr(host),rtrim(.) -m str${fold} ${host}`,
    () => `hdr(host),word(1,.) -m str${fold} ${host.split('.')[0]}`,
    () => `hdr(host) -m reg -i ^${host.split('.')[0]}\\.`,
    () => `hdr(host) -i -m end ${domain}`,
    () => `hdr_dir(host)${fold} ${host}`,
    () => `hdr(host),map_dom(${mapOf(ink, 'dom')}) -m found`,
    () => `hdr(host),lower,map_end(${mapOf(ink, 'end')},no) -m str no`,
    () => 'hdr_ip(host) 127.0.0.0/8',
    () => `hdr(host,1)${fold} ${host}`,
  ])();
}

/** What the ClientHello asks for. */
function ofName(ink: Ink): string {
  const { chance, words } = ink;
  const host = chance.pick(hosts);
  words.hosts.push(host);
  const fold = folding(ink, 50);
  return chance.pick([
    `ssl_fc_sni${fold} ${host}`,
    `ssl_fc_sni_end${fold} .${host.split('.').slice(1).join('.')}`,
    `ssl_fc_sni_reg${fold} ^www\\.`,
    `ssl_fc_sni -m beg${fold} ${host.slice(0, 3)}`,
    'ssl_fc_has_sni',
    `ssl_fc_sni,lower -m str ${host}`,
    'ssl_fc_sni -m found',
  ]);
}

function ofHeader(ink: Ink): string {
  const { chance, words } = ink;
  const name = chance.pick(names);
  const value = chance.pick(values);
  words.headers.push([name, value]);
  const [first = 'one'] = value.split(',');
  return chance.pick([
    `hdr(${name}) -i -- ${first}`,
    `hdr(${name}) -- ${first}`,
    `hdr_sub(${name}) -i -- ${first.slice(0, 3)}`,
    `hdr_beg(${name}) -- ${first.slice(0, 2)}`,
    `hdr_end(${name}) -- ${first.slice(-2)}`,
    `hdr_reg(${name}) -i ^[a-z]+$`,
    `hdr_dir(${name}) -- ${first}`,
    `hdr(${name}) -m found`,
    `hdr_cnt(${name}) ${chance.pick(['eq 0', 'gt 1', '1', 'ge 1'])}`,
    `hdr_val(${name}) ${chance.pick(['ge 10', '17', 'lt 0', '0:20', 'ne 0'].slice(0, 4))}`,
    `req.fhdr(${name}) -m sub -- ${first.slice(-2)}`,
    `req.fhdr(${name}) -m str -- ${first}`,
    `hdr_len(${name}) ${chance.pick(['gt 3', '3', '0', 'ge 0'])}`,
    `hdr(${name}),length gt 3`,
    `hdr(${name}),lower -m str -- ${first.toLowerCase()}`,
    `hdr(${name},1) -- ${first}`,
    `hdr(${name},-1) -- ${first}`,
    `hdr_ip(${name}) 10.0.0.0/8`,
    `req.fhdr_cnt(${name}) ${chance.pick(['eq 0', 'gt 1', 'ge 1'])}`,
    `req.hdr_cnt(${name}) eq 0`,
    `hdr(${name}),upper -m sub -- ${first.slice(0, 2).toUpperCase()}`,
    `hdr(${name}),ltrim(o) -m beg -- ${first.slice(1)}`,
    `hdr(${name}),regsub([^a-z],,g) -m str ${first.toLowerCase().replaceAll(/[^a-z]/g, '') || 'one'}`,
    `hdr(${name}),field(1,/) -m str -- ${first.split('/')[0]}`,
    `hdr(${name}),word(2,/.) -m found`,
    `req.fhdr(${name}) -m reg -i ^[a-z]+$`,
    `req.fhdr(${name}) -m end -- ${first.slice(-3)}`,
    `hdr(${name}),bool`,
    `hdr_dom(${name}) -i -- ${first}`,
    'hdr(x-long) -m len gt 200',
    'hdr(x-long) -m end long',
  ]);
}

function ofSource(ink: Ink): string {
  const { chance } = ink;
  const list = () =>
    fileOf(ink, `n${chance.below(100)}.lst`, ['# networks', ...chance.some(networks, 3), '127.0.0.1']);
  return chance.pick([
    () => `src ${chance.pick(networks)} ${chance.pick(networks)}`,
    () => `src ${chance.pick(networks)} ${chance.pick(networks)}`,
    () => `src -f ${list()}`,
    () => `src,map_ip(${mapOf(ink, 'ip')},none) -m str ${ink.prefix}p1`,
    () => `src -m str ${chance.pick(['10.1.2.3', '127.0.0.1'])}`,
    () => `dst_port ${chance.pick(['80', '443', '1:100', 'gt 80'])}`,
    () => 'src_port gt 1024',
    () => `dst ${chance.pick(['127.0.0.1', '127.0.0.0/8', '10.0.0.0/8'])}`,
    () => 'src 0.0.0.0/0',
    () => `src ::1 ${chance.pick(networks)}`,
    () => `hdr_ip(x-forwarded-for${chance.pick(['', ',1', ',-1'])}) ${chance.pick(networks)}`,
    () => `src,map_ip(${mapOf(ink, 'ip')}) -m found`,
    () => 'dst_port -m int eq 80',
    () => `req.ver ${chance.pick(['1.0', '1.1'])}`,
  ])();
}

const ofMethod = ({ chance }: Ink): string =>
  `method ${chance.pick(['GET', 'POST HEAD', 'PUT', 'get', 'PATCH', '-i patch', 'PURGE GET', '-m str POST'])}`;

function ofCookie(ink: Ink): string {
  const { chance, words } = ink;
  const name = chance.pick(['sid', 'lang', 'SID']);
  const value = chance.pick(['abc', 'de', '17']);
  words.headers.push([
    'cookie',
    chance.pick([`${name}=${value}`, `a=1; ${name}=${value}`, `${name}=${value};b=2`]),
  ]);
  return chance.pick([
    `cook(${name}) ${value}`,
    `cook(${name}) -m found`,
    `req.cook(${name}) -i ${value.toUpperCase()}`,
    `cook_beg(${name}) ${value.slice(0, 1)}`,
    `cook_sub(${name}) ${value.slice(1)}`,
    `cook_reg(${name}) ^[a-z]+$`,
    `cook_len(${name}) gt 2`,
    `hdr_sub(cookie) ${name}=`,
    `cook(${name}),lower -m str ${value}`,
    `cook_end(${name}) ${value.slice(-1)}`,
    `cook(${name}),bool`,
    `cook(${name}) -m reg -i ^[A-Z]`,
    `hdr_reg(cookie) (^|;\\ *)${name}=[a-z]`,
    `hdr_cnt(cookie) gt 0`,
  ]);
}

function ofVariable({ chance, variables }: Ink): string {
  const name = chance.pick(variables);
  return chance.pick([
    `var(${name}) -m found`,
    `var(${name}) -m str -- ${chance.pick(values).split(' ')[0]}`,
    `var(${name}) -m bool`,
    `var(${name}) -m beg -i w`,
    `var(${name}) -m sub example`,
    `var(${name}),lower -m str one`,
    `var(${name}) -m int gt 0`,
    `var(${name}) -m len gt 3`,
    `var(${name}) -m reg -i ^[a-z]+$`,
    `var(${name}) -m end com`,
    `var(${name}),not -m bool`,
    `var(${name}),field(1,.) -m str www`,
  ]);
}

function ofQuery(ink: Ink): string {
  const { chance, words } = ink;
  const [name = 'a', value = '1'] = chance.pick(['a=1', 'b=two', 'lang=de']).split('=');
  words.queries.push(`${name}=${value}`, `z=0&${name}=${value}`, `${name.toUpperCase()}=${value}`);
  return chance.pick([
    'query -m found',
    `query -m sub ${name}=${value}`,
    `query -m beg ${name}=`,
    `url_param(${name}) ${value}`,
    `url_param(${name}) -m beg ${value.slice(0, 1)}`,
    `urlp(${name}) -m found`,
    `urlp_reg(${name}) ^[a-z]+$`,
    `urlp_len(${name}) gt 1`,
    `urlp_val(${name}) ge 1`,
    `url_sub ${value}`,
    `url_reg [?&]${name}=`,
    `url_end ${value}`,
    'url_len gt 12',
  ]);
}

/** What neither the text nor the request says, and what always holds. */
function ofEngine({ chance, prefix, words }: Ink): string {
  words.headers.push(['authorization', chance.pick(['Basic dTpw', 'Basic dTp4'])]);
  return chance.pick([
    `nbsrv(${prefix}p0) lt 1`,
    `fe_conn(${prefix}f) gt 100000`,
    `http_auth(${prefix}u)`,
    `http_auth(${prefix}u)`,
    `sc_http_req_rate(0) gt 100000`,
    `sc0_http_req_rate gt 100000`,
    'rand(100) lt 50',
    'always_true',
    'always_false',
    'req.body_len gt 0',
    'ssl_c_used',
    'ssl_fc_alpn -i h2',
    'fc_http_major eq 1',
    'int(5) gt 3',
    'bool(true)',
    'env(HF_PATH) -m beg /a',
    `fe_name -m beg ${prefix}f`,
    `be_name -m sub ${prefix}p`,
    'capture.req.method GET',
    'capture.req.ver -m end 1.1',
    'capture.req.hdr(0) -m found',
    'capture.req.hdr(0) -m sub example',
    'http_first_req',
    'src_is_local',
  ]);
}

/** A map's file: keys, and names of pools. */
export function mapOf(ink: Ink, method: string): string {
  const keys = mapKeys[method] ?? hosts;
  const lines = keys.map((key, index) => `${key} ${ink.prefix}p${index % 5}`);
  if (method === 'str' || method === 'beg' || method === 'dir') ink.words.paths.push('/api/v1', '/shop/');
  ink.words.hosts.push(...hosts);
  return fileOf(ink, `${method}.map`, ['# a map', ...lines]);
}

const mapKeys: Readonly<Record<string, readonly string[]>> = {
  str: [...hosts, 'example.com', 'unknown', '/api', '/'],
  beg: ['/', '/api', '/api/v1', '/app', '/shop/'],
  dir: ['static', 'api', 'v1/x', 'cart'],
  dom: ['shop', 'example.com', 'test'],
  end: ['.com', 'b.test', '.test', '.png'],
  sub: ['hop', 'api', 'a'],
  reg: ['^/a[a-z]+$', '\\.png$', '^/$'],
  ip: ['10.0.0.0/8', '10.1.0.0/16', '127.0.0.1', '192.168.0.0/16'],
};
