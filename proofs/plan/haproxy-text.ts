/** Random texts of HAProxy, their constructs about as often as real files have them. */
import type { Random } from '../../test/world/random.ts';
import { noWords, pick, type Words } from './requests.ts';

/** Text with `BIND` lines to be filled in, and names that begin with its own prefix. */
export interface MadeText {
  readonly text: string;
  readonly words: Words;
}

export const poolsPerText = 5;

const paths = [
  '/api',
  '/api/v1',
  '/static',
  '/admin',
  '/',
  '/img/a.png',
  '/shop/cart',
  '/app',
  '/.well-known/x',
  '/Login',
];
const hosts = [
  'www.example.com',
  'shop.example.com',
  'api.example.com',
  'example.com',
  'blog.test',
  'a.b.test',
];
const values = ['one', 'two', 'WebSocket', 'gzip, br', 'Mozilla/5.0', 'bot', '17', 'https'];
const names = ['x-one', 'x-two', 'upgrade', 'user-agent', 'x-forwarded-proto'];
const networks = ['10.0.0.0/8', '192.168.1.0/24', '127.0.0.1', '172.16.0.0/12'];
const sources = ['10.1.2.3', '192.168.1.9', '192.168.2.9', '127.0.0.1', '8.8.8.8'];

export function haproxyText(random: Random, prefix: string): MadeText {
  const words = noWords();
  words.sources.push(...sources);
  words.paths.push(pick(random, paths, '/'), '/');
  words.hosts.push(pick(random, hosts, 'a.test'));
  const maker = new Maker(random, prefix, words);
  const front = maker.section(true);
  const pools = Array.from({ length: poolsPerText }, (_, number) => maker.pool(number));
  const isOpen = random.next() < 0.85;
  const rest = isOpen ? [`  default_backend ${prefix}p${random.integer(poolsPerText)}`] : [];
  return {
    text: [`frontend ${prefix}f`, '  mode http', 'BIND', ...front, ...rest, ...pools, ''].join('\n'),
    words,
  };
}

class Maker {
  readonly #random: Random;
  readonly #prefix: string;
  readonly #words: Words;
  #acls: string[] = [];
  #variables: string[] = [];

  constructor(random: Random, prefix: string, words: Words) {
    this.#random = random;
    this.#prefix = prefix;
    this.#words = words;
  }

  #pick<T>(from: readonly T[], otherwise: T): T {
    return pick(this.#random, from, otherwise);
  }

  #chance(of: number): boolean {
    return this.#random.next() < of;
  }

  pool(number: number): string {
    const rules = this.#chance(0.3) ? this.section(false) : [];
    return [`backend ${this.#prefix}p${number}`, '  mode http', ...rules, `SERVER ${number}`].join('\n');
  }

  section(isFront: boolean): readonly string[] {
    this.#acls = [];
    const acls = Array.from({ length: this.#random.integer(isFront ? 6 : 3) }, () => this.#acl());
    const rules = Array.from({ length: this.#random.integer(isFront ? 7 : 4) }, () => this.#rule());
    const redirects = Array.from({ length: this.#random.integer(2) }, () => this.#redirect('redirect'));
    const uses = isFront ? Array.from({ length: 1 + this.#random.integer(6) }, () => this.#use()) : [];
    const monitor = isFront && this.#chance(0.1) ? ['monitor-uri /up'] : [];
    if (monitor.length > 0) this.#words.paths.push('/up');
    return [...acls, ...monitor, ...rules, ...redirects, ...uses].map((line) => `  ${line}`);
  }

  #acl(): string {
    const isAgain = this.#acls.length > 0 && this.#chance(0.25);
    const name = isAgain ? this.#pick(this.#acls, 'acl0') : `acl${this.#acls.length}`;
    if (!isAgain) this.#acls.push(name);
    return `acl ${name} ${this.#question()}`;
  }

  #use(): string {
    const chance = this.#random.next();
    if (chance < 0.1) {
      const key = this.#pick(
        [
          'req.hdr(host),lower,map',
          'path,map_beg',
          'path,map_dir',
          'hdr(host),lower,map_dom',
          'hdr(host),map_end',
          'path,map_reg',
        ],
        'path,map',
      );
      const method = key.split(',').at(-1) ?? 'map';
      this.#words.hosts.push(...hosts);
      const fallback = this.#chance(0.5) ? `,${this.#prefix}p1` : '';
      return `use_backend %[${key}(FOLDER/${this.#prefix}${method}.map${fallback})]${this.#condition(0.5)}`;
    }
    return `use_backend ${this.#prefix}p${this.#random.integer(poolsPerText)}${this.#condition(0.97)}`;
  }

  #condition(chance: number): string {
    if (!this.#chance(chance)) return '';
    const terms = Array.from({ length: 1 + (this.#chance(0.35) ? 1 : 0) + (this.#chance(0.1) ? 1 : 0) }, () =>
      this.#term(),
    );
    const joined = terms.reduce(
      (line, term) => `${line}${this.#chance(0.3) ? this.#pick([' or ', ' || '], ' or ') : ' '}${term}`,
    );
    return ` ${this.#chance(0.12) ? 'unless' : 'if'} ${joined}`;
  }

  #term(): string {
    const not = this.#chance(0.25) ? this.#pick(['!', '! '], '!') : '';
    if (this.#chance(0.08))
      return not + this.#pick(['TRUE', 'METH_GET', 'METH_POST', 'LOCALHOST', 'HTTP_1.1', 'FALSE'], 'TRUE');
    if (this.#acls.length > 0 && this.#chance(0.6)) return not + this.#pick(this.#acls, 'acl0');
    return `${not}{ ${this.#question()} }`;
  }

  #question(): string {
    const chance = this.#random.next();
    if (chance < 0.3) return this.#pathQuestion();
    if (chance < 0.6) return this.#hostQuestion();
    if (chance < 0.7) return 'ssl_fc';
    if (chance < 0.83) return this.#headerQuestion();
    if (chance < 0.87) return `src ${this.#pick(networks, '127.0.0.1')} ${this.#pick(networks, '127.0.0.1')}`;
    if (chance < 0.91) return `method ${this.#pick(['GET', 'POST HEAD', 'PUT', 'get'], 'GET')}`;
    if (chance < 0.95 && this.#variables.length > 0) {
      const name = this.#pick(this.#variables, 'txn.v0');
      return this.#pick(
        [
          `var(${name}) -m found`,
          `var(${name}) -m str ${this.#pick(values, 'x').split(' ')[0]}`,
          `var(${name}) -m bool`,
          `var(${name}) -m beg -i w`,
        ],
        'TRUE',
      );
    }
    return this.#queryQuestion();
  }

  #pathQuestion(): string {
    const path = this.#pick(paths, '/');
    this.#words.paths.push(path);
    const fold = this.#chance(0.3) ? ' -i' : '';
    const more = this.#chance(0.25) ? ` ${this.#pick(paths, '/')}` : '';
    return this.#pick(
      [
        `path_beg${fold} ${path}${more}`,
        `path_beg${fold} ${path}${more}`,
        `path${fold} ${path}${more}`,
        `path -m str${fold} ${path}`,
        `path_end${fold} ${path.slice(-4)}`,
        `path_sub${fold} ${path.slice(1, 4) || 'a'}`,
        `path_dir${fold} ${path.split('/')[1] || 'a'}`,
        `path_reg${fold} ^${path.replaceAll('.', '\\.')}(/|$)`,
        `path_reg${fold} /[a-z]+[0-9]?$`,
        `path_len ${this.#pick(['gt 5', '4:9', '1', 'le 3'], '1')}`,
        `url_beg${fold} ${path}`,
        `base_beg${fold} ${this.#pick(hosts, 'a')}${path}`,
        `path,lower -m beg ${path.toLowerCase()}`,
        `path,field(2,/) -m str ${path.split('/')[1] || 'api'}`,
        `pathq ${path}`,
        `path -m found`,
      ],
      'path /',
    );
  }

  #hostQuestion(): string {
    const host = this.#pick(hosts, 'a.test');
    this.#words.hosts.push(host);
    const fold = this.#chance(0.6) ? ' -i' : '';
    const hdr = this.#pick(['hdr', 'req.hdr'], 'hdr');
    return this.#pick(
      [
        `${hdr}(host)${fold} ${host} ${this.#pick(hosts, host)}`,
        `${hdr}(host)${fold} ${host}`,
        `hdr_beg(host)${fold} ${host.split('.')[0]}.`,
        `hdr_end(host)${fold} .${host.split('.').slice(-2).join('.')}`,
        `hdr_dom(host)${fold} ${host.split('.').slice(-2).join('.')}`,
        `hdr_sub(host)${fold} ${host.slice(1, 5)}`,
        `hdr_reg(host)${fold} ^(www|shop)\\.${host.split('.').at(-1)}`,
        `${hdr}(host),lower ${host}`,
        `hdr(host),field(1,:) -m str${fold} ${host}`,
        `hdr(host) -m dom${fold} ${host.split('.')[0]}`,
        `hdr(host) -m len ${host.length}`,
      ],
      'TRUE',
    );
  }

  #headerQuestion(): string {
    const name = this.#pick(names, 'x-one');
    const value = this.#pick(values, 'one');
    this.#words.headers.push([name, value]);
    const [first = 'one'] = value.split(',');
    return this.#pick(
      [
        `hdr(${name}) -i ${first}`,
        `hdr(${name}) ${first}`,
        `hdr_sub(${name}) -i ${first.slice(0, 3)}`,
        `hdr_beg(${name}) ${first.slice(0, 2)}`,
        `hdr(${name}) -m found`,
        `hdr_cnt(${name}) ${this.#pick(['eq 0', 'gt 1', '1', 'ge 1'], 'eq 0')}`,
        `hdr_val(${name}) ${this.#pick(['ge 10', '17', 'lt 0', '0:20'], '17')}`,
        `req.fhdr(${name}) -m sub ${first.slice(-2)}`,
        `hdr_len(${name}) ${this.#pick(['gt 3', '3', '0'], '3')}`,
        `hdr(${name}),length gt 3`,
      ],
      'TRUE',
    );
  }

  #queryQuestion(): string {
    const [name = 'a', value = '1'] = this.#pick(['a=1', 'b=two', 'lang=de'], 'a=1').split('=');
    this.#words.queries.push(`${name}=${value}`, `z=0&${name}=${value}`);
    return this.#pick(
      [
        `query -m found`,
        `query -m sub ${name}=${value}`,
        `url_param(${name}) ${value}`,
        `urlp(${name}) -m found`,
        `url_sub ${value}`,
        `url_reg [?&]${name}=`,
      ],
      'TRUE',
    );
  }

  #rule(): string {
    const chance = this.#random.next();
    const when = this.#condition(0.75);
    if (chance < 0.3) return `http-request ${this.#header()}${when}`;
    if (chance < 0.45)
      return `http-request deny${this.#pick(['', '', ' deny_status 404', ' status 429'], '')}${this.#condition(1)}`;
    if (chance < 0.58) return this.#redirect('http-request redirect');
    if (chance < 0.66)
      return `http-request return${this.#pick(['', ' status 200 content-type text/plain string OK', ' status 404'], '')}${this.#condition(1)}`;
    if (chance < 0.8) return `http-request ${this.#path()}${when}`;
    if (chance < 0.95) return `http-request ${this.#variable()}${when}`;
    return `http-request allow${this.#condition(1)}`;
  }

  #header(): string {
    const name = this.#pick([...names, 'host'], 'x-one');
    const value = this.#pick(
      ['one', '%[src]', '%[req.hdr(host)]', 'a%[path]b', '%[method]', '%[hdr(x-two)]', '%[dst_port]'],
      'one',
    );
    if (name === 'host') {
      const host = this.#pick(hosts, 'a.test');
      this.#words.hosts.push(host);
      return `set-header Host ${host}`;
    }
    return this.#pick(
      [
        `set-header ${name} ${value}`,
        `set-header ${name} ${value}`,
        `add-header ${name} ${value}`,
        `del-header ${name}`,
        `replace-header ${name} ^(.)(.*)$ \\2-\\1`,
      ],
      'del-header x',
    );
  }

  #path(): string {
    const path = this.#pick(paths, '/');
    this.#words.paths.push(path);
    return this.#pick(
      [
        `set-path /new%[path]`,
        `set-path %[path,regsub(^${path},/x)]`,
        `set-path ${path}`,
        `replace-path ${path}(/)?(.*) /\\2`,
        `replace-path (.*)\\.png$ \\1.jpg`,
        `set-query b=two`,
        `set-query %[query,regsub(a=,c=)]`,
        `set-uri /n%[path]?%[query]`,
        `set-pathq /pq?x=%[hdr(host)]`,
        `replace-uri ^(.*)$ /u\\1`,
        `replace-pathq ([^?]*)(\\?(.*))? \\1?p=\\3`,
        `set-path /q?y=1`,
        `set-method POST`,
      ],
      'set-path /',
    );
  }

  #variable(): string {
    const name = `txn.v${this.#random.integer(3)}`;
    if (!this.#variables.includes(name)) this.#variables.push(name);
    return this.#pick(
      [
        `set-var(${name}) hdr(host),lower`,
        `set-var(${name}) str(one)`,
        `set-var(${name}) bool(true)`,
        `set-var(${name}) path`,
        `set-var(${name}) hdr(x-one)`,
        `unset-var(${name})`,
        `set-var(${name}) int(0)`,
        `set-var(${name}) path,concat(-,txn.v0,!)`,
      ],
      'unset-var(txn.v0)',
    );
  }

  #redirect(keyword: string): string {
    const isRule = keyword !== 'redirect';
    const code = this.#chance(0.5) ? ` code ${this.#pick([301, 302, 303, 307, 308], 301)}` : '';
    const options = this.#pick(['', '', '', ' drop-query', ' append-slash', ' drop-query append-slash'], '');
    const target = this.#pick(
      [
        'scheme https',
        'scheme https',
        'location https://www.example.com/',
        'prefix https://new.test',
        'prefix /p',
        'prefix /',
        isRule ? 'location https://%[hdr(host)]%[capture.req.uri]' : 'location /new',
        isRule ? 'location /x%[path]?%[query]' : 'location /new?x=1',
        isRule ? 'prefix https://%[hdr(host),lower]' : 'prefix https://n.test/a',
      ],
      'scheme https',
    );
    return `${keyword} ${target}${code}${target.startsWith('location') ? '' : options}${this.#condition(1)}`;
  }
}

/** Map files for texts: keys, and numbers of pools. */
export function mapFiles(prefix: string): Readonly<Record<string, string>> {
  const lines = (keys: readonly string[]) =>
    keys.map((key, index) => `${key} ${prefix}p${index % poolsPerText}`).join('\n');
  return {
    'map.map': lines([...hosts, 'example.com', 'unknown']),
    'map_beg.map': lines(['/', '/api', '/api/v1', '/app', '/shop/']),
    'map_dir.map': lines(['static', 'api', 'v1/x', 'cart']),
    'map_dom.map': lines(['shop', 'example.com', 'test']),
    'map_end.map': lines(['.com', 'b.test', '.test']),
    'map_reg.map': lines(['^/a[a-z]+$', '\\.png$', '^/$']),
  };
}
