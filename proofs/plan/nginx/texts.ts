/** Random texts of NGINX, their constructs about as often as real files have them. */
import type { Chance } from '../chance.ts';

/** Where the parts of a generated text are on this machine. */
export interface Machine {
  /** Ports of servers that say who they are. */
  readonly origins: readonly number[];
  /** A folder with a few files. */
  readonly root: string;
  /** Ports that are free. */
  readonly http: number;
  readonly https: number;
  /** A certificate with its key. */
  readonly pair: string;
  /** In front of the path of each file that the text includes. */
  readonly filesAt: string;
}

export interface MadeText {
  readonly text: string;
  /** What it includes, by path. */
  readonly files: Readonly<Record<string, string>>;
}

/** Names that are likely to meet: a location's, a rewrite's and a request's path are made of the same few parts. */
const segments = ['a', 'api', 'img', 'ab', 'v1', 'x.php', 'pic.jpg', 'A', 'a b', 'a+b', 'x;y'] as const;
const names = [
  'a.example',
  'b.example',
  'www.a.example',
  '*.a.example',
  '.b.example',
  'www.*',
  'x.y.example',
  '*.example',
  'api.b.example',
  'x.*',
] as const;
const expressions = [
  '^/a',
  '\\.php$',
  '^/(api|img)/(.*)$',
  '^/(?<first>[a-z]+)/?',
  '\\.(jpg|png)$',
  '^/([^/]+)/v1',
  '/x',
  '^/[a-z]+$',
  '(a+)b',
] as const;
const values = [
  '$uri',
  '$request_uri',
  '$args',
  '$arg_q',
  '$http_x_kind',
  '$host',
  '$request_method',
  '$cookie_c',
  '$http_host',
  '$scheme',
  '$is_args$args',
  '$server_name',
  '$server_port',
  '$remote_addr',
  '$query_string',
  '$document_root',
  '$ssl_server_name',
  '$https',
  '$is_args',
  '$arg_a',
  '$http_user_agent',
  '$http_cookie',
  '$http_x_forwarded_for',
  '$proxy_add_x_forwarded_for',
  '$server_protocol',
  '$content_length',
] as const;

/** One set of servers on ports of its own, with its own maps. `id` keeps the names of several in one process apart. */
export function madeText(chance: Chance, id: number, machine: Machine): MadeText {
  const part = new Part(chance, id, machine);
  return { text: part.text(), files: part.files };
}

class Part {
  readonly files: Record<string, string> = {};
  readonly #chance: Chance;
  readonly #id: number;
  readonly #machine: Machine;
  /** Variables that maps, `geo` and `split_clients` make. */
  readonly #own: string[] = [];
  #named: string[] = [];
  #hasPool = false;
  #hasMap = false;
  #standard = false;

  constructor(chance: Chance, id: number, machine: Machine) {
    this.#chance = chance;
    this.#id = id;
    this.#machine = machine;
  }

  text(): string {
    const chance = this.#chance;
    const upstream = `upstream u${this.#id} { server ${this.#origin()}; server ${this.#origin()}${chance.pick(['', ' backup', ' weight=3', ' down'])}; }`;
    const other = `upstream w${this.#id} { ${chance.pick(['', 'least_conn; ', 'ip_hash; ', 'hash $uri; '])}server ${this.#origin()}; }`;
    const tables = Array.from({ length: chance.below(3) }, (_, map) => this.#map(map));
    if (chance.percent(12)) tables.push(this.#geo());
    if (chance.percent(8)) tables.push(this.#split());
    this.#hasMap = chance.percent(15);
    if (this.#hasMap) tables.push(this.#mapOfPools());
    const count = chance.pick([1, 1, 2, 3]);
    const servers = Array.from({ length: count }, (_, index) => this.#server(index));
    return [upstream, other, ...tables, ...servers].join('\n');
  }

  #variableOf(kind: string): string {
    const name = `$${kind}${this.#id}`;
    this.#own.push(name);
    return name;
  }

  #geo(): string {
    const chance = this.#chance;
    const networks = ['127.0.0.0/8', '127.1.0.0/16', '127.0.0.1', '10.0.0.0/8', '127.2.0.0-127.2.255.255'];
    const isRanges = chance.percent(20);
    const lines = networks
      .filter((network) => network.includes('-') === isRanges && chance.percent(60))
      .map((network, at) => `${network} ${chance.pick(['one', 'two', '1', '0', `net${at}`])};`);
    const standard = chance.percent(70) ? `default ${chance.pick(['none', '0', '1'])};` : '';
    const source = chance.percent(20) ? '$arg_ip ' : '';
    return `geo ${source}${this.#variableOf('geo')} { ${isRanges ? 'ranges; ' : ''}${standard} ${lines.join(' ')} }`;
  }

  /** By a hash that nobody can tell in advance: one of what it gives has to be what comes. */
  #split(): string {
    const key = this.#chance.pick(['$remote_addr', '$remote_addr$http_x_kind', '$arg_q', '$request_id']);
    return `split_clients "${key}" ${this.#variableOf('split')} { 30% a; 20.5% /b; * one; }`;
  }

  #mapOfPools(): string {
    const chance = this.#chance;
    const source = chance.pick(['$host', '$uri', '$http_x_kind', '$arg_q', '$cookie_c', '$ssl_server_name']);
    const keys = chance.some(['a.example', '~^/a', 'a', '~*^WWW', 'b.example', '""'], 3);
    const to = () => chance.pick([`u${this.#id}`, `w${this.#id}`, this.#origin()]);
    const lines = [...new Set(keys)].map((key) => `${key} ${to()};`);
    return `map ${source} $pool${this.#id} { default ${to()}; ${lines.join(' ')} }`;
  }

  #origin = () => `127.0.0.1:${this.#chance.pick(this.#machine.origins)}`;

  #path(): string {
    const parts = this.#chance.some(segments, 3);
    return `/${parts.join('/')}${this.#chance.percent(40) && parts.length > 0 ? '/' : ''}`;
  }

  #map(index: number): string {
    const source = this.#chance.pick([
      ...[
        '$uri',
        '$host',
        '$http_x_kind',
        '$arg_q',
        '$request_method',
        '$cookie_c',
        '$scheme',
        '$remote_addr',
      ],
      ...['$uri$arg_q', '$http_host', '$request_uri', '$ssl_server_name', '$http_x_forwarded_proto'],
    ]);
    const hostnames = source === '$host' && this.#chance.percent(70);
    const keys = hostnames
      ? this.#chance.some(['a.example', '*.example', '.b.example', 'www.*'], 3)
      : [
          ...this.#chance.some(
            ['a', 'B', '/a', '/api/', '""', 'GET', 'POST', 'https', '127.0.0.1', 'b.example'],
            3,
          ),
          ...this.#chance.some(['~^/a', '~*b$', '"~^(?<m>[a-z]+)$"', '~(.)$', '~^127\\.', '~\\.example'], 2),
        ];
    const lines = [...new Set(keys)].map(
      (key) =>
        `${key} ${this.#chance.pick(['one', 'two', '""', '$host', '0', '1', '/mapped', '$uri', 'x$arg_q'])};`,
    );
    const standard = this.#chance.percent(60) ? `default ${this.#chance.pick(['none', '0', '$uri'])};` : '';
    return `map ${source} ${this.#variableOf(`map${index}_`)} { ${hostnames ? 'hostnames; ' : ''}${standard} ${lines.join(' ')} }`;
  }

  #server(index: number): string {
    const chance = this.#chance;
    this.#named = chance.percent(40) ? ['@fall', '@other'].slice(0, 1 + chance.below(2)) : [];
    const said = new Set<string>(chance.some(names, 3));
    if (chance.percent(10)) said.add('~^(?<sub>[a-z]+)\\.dyn\\.example$');
    const serverName = said.size > 0 ? `server_name ${[...said].join(' ')};` : '';
    const standard = index > 0 && chance.percent(15) && !this.#standard ? ' default_server' : '';
    if (standard) this.#standard = true;
    const { http, https, pair } = this.#machine;
    const doors = chance.pick(['both', 'both', 'http', index > 0 ? 'https' : 'both']);
    const ssl = chance.percent(20) ? ' http2' : '';
    const pool = chance.percent(10) ? [`set $up ${chance.pick(['u', 'w'])}${this.#id};`] : [];
    this.#hasPool = pool.length > 0;
    const lines = [
      doors === 'https' ? '' : `listen 127.0.0.1:${http}${standard};`,
      ...(doors === 'http'
        ? []
        : [
            `listen 127.0.0.1:${https} ssl${ssl};`,
            `ssl_certificate ${pair};`,
            `ssl_certificate_key ${pair};`,
          ]),
      serverName,
      ...pool,
      ...(chance.percent(6) ? ['merge_slashes off;'] : []),
      ...this.#shared(),
      ...(chance.percent(25) ? this.#codes(1, 'server') : []),
      ...(chance.percent(12) ? this.#included() : []),
      ...this.#locations(),
      ...this.#named.map((name) => `location ${name} { ${this.#inside(1, 'named').join(' ')} }`),
    ];
    return `server {\n  ${lines.filter(Boolean).join('\n  ')}\n}`;
  }

  /** Directives that inner blocks inherit. */
  #shared(): readonly string[] {
    const chance = this.#chance;
    const found: string[] = [];
    if (chance.percent(30)) found.push(`root ${this.#machine.root};`);
    if (chance.percent(15))
      found.push(
        `proxy_set_header Host ${chance.pick(['$host', '$http_host', 'fixed.example', '$proxy_host'])};`,
      );
    if (chance.percent(10))
      found.push(`proxy_set_header X-Seen "${chance.pick([...values, ...this.#own])}";`);
    if (chance.percent(15))
      found.push(
        `error_page ${chance.pick(['404', '403 404', '403', '500 502', '405'])} ${chance.pick(['', '=200 ', '= '])}${this.#errorTarget()};`,
      );
    if (chance.percent(6))
      found.push(
        chance.pick([
          'deny all;',
          'allow 127.0.0.1; deny all;',
          'deny 127.0.0.0/8;',
          'deny 127.1.0.0/16; allow 127.0.0.0/8; deny all;',
          'allow 127.2.0.0/15; deny all;',
          'allow 10.0.0.0/8; deny all;',
        ]),
      );
    if (chance.percent(4)) found.push('absolute_redirect off;');
    if (chance.percent(4)) found.push('port_in_redirect off;');
    if (chance.percent(4)) found.push('server_name_in_redirect on;');
    return found;
  }

  #included(): readonly string[] {
    const path = `${this.#machine.filesAt}.${Object.keys(this.files).length}.conf`;
    this.files[path] =
      `# included\nlocation = /included { ${this.#inside(1, '/included', true).join(' ')} }\n`;
    return [`include ${path};`];
  }

  #errorTarget(): string {
    const [named] = this.#named;
    if (named && this.#chance.percent(40)) return named;
    return this.#chance.pick(['/error', '/a/error', '/error?e=1', 'http://elsewhere.example/', '/api/']);
  }

  #locations(): readonly string[] {
    const chance = this.#chance;
    const seen = new Set<string>();
    const found: string[] = [];
    if (chance.percent(70)) found.push(`location / { ${this.#inside(2, '/').join(' ')} }`);
    for (let count = chance.below(6); count > 0; count--) {
      const kind = chance.pick(['', '', '', '', '=', '^~', '~', '~', '~*']);
      const isRegex = kind.startsWith('~');
      const name = isRegex ? chance.pick(expressions) : this.#path();
      const key = isRegex ? `${kind} ${name}` : `${kind === '=' ? '=' : ''} ${name}`;
      if (seen.has(key) || (name === '/' && kind !== '=')) continue;
      seen.add(key);
      found.push(
        `location ${kind} "${name}" { ${this.#inside(2, isRegex ? 'regex' : name, kind === '=').join(' ')} }`,
      );
    }
    return found;
  }

  #inside(depth: number, name: string, exact = false): readonly string[] {
    const chance = this.#chance;
    const isPath = name.startsWith('/');
    const nested =
      depth > 1 && !exact && isPath && chance.percent(8)
        ? [
            `location "${name === '/' ? '' : name.replace(/\/$/, '')}/${chance.pick(segments)}" { ${this.#inside(1, name).join(' ')} }`,
            ...(chance.percent(30)
              ? [`location ~ "${chance.pick(expressions)}" { ${this.#inside(1, 'regex').join(' ')} }`]
              : []),
          ]
        : [];
    const codes = chance.percent(45) ? this.#codes(2, name) : [];
    const internal = chance.percent(4) ? ['internal;'] : [];
    const limited =
      isPath && chance.percent(4)
        ? [`limit_except ${chance.pick(['GET', 'POST', 'GET POST'])} { deny all; }`]
        : [];
    const files =
      chance.percent(8) && name !== 'named'
        ? [
            `try_files ${chance.pick(['$uri', '$uri $uri/', '/there.txt', '$uri.html'])} ${chance.pick(['/fallback', '=404', '/api/?t=$uri', '=403', this.#named[0] ?? '/a'])};`,
          ]
        : [];
    const all = [
      ...internal,
      ...codes,
      ...limited,
      ...files,
      ...(chance.percent(25) ? this.#shared() : []),
      ...nested,
      this.#end(name),
    ];
    // One folder for each location.
    return all.filter(
      (line, at) =>
        !/^(?:root|alias) /.test(line) || all.findIndex((one) => /^(?:root|alias) /.test(one)) === at,
    );
  }

  #end(name: string): string {
    const chance = this.#chance;
    const kind = chance.below(100);
    if (kind < 60) return this.#pass(name);
    if (kind < 72) return this.#return();
    if (kind < 78 && name.startsWith('/'))
      return `alias ${this.#machine.root}${name.endsWith('/') ? '/' : ''};`;
    if (kind < 84) return `root ${this.#machine.root};`;
    return kind < 94 ? this.#pass(name) : '';
  }

  #pass(name: string): string {
    const chance = this.#chance;
    const named = ['$up', '$up', `$pool${this.#id}`];
    const usable = named.filter((one) => (one === '$up' ? this.#hasPool : this.#hasMap));
    if (usable.length > 0 && chance.percent(35)) {
      const uri = chance.pick(['', '', '$request_uri', '/x$uri$is_args$args', '/fixed', '$uri']);
      return `proxy_pass http://${chance.pick(usable)}${uri};`;
    }
    const hosts = [`u${this.#id}`, `w${this.#id}`, this.#origin()];
    const uris = name.startsWith('/')
      ? ['', '', '', '/', '/new', '/new/', '/q?z=1', '/$uri', '$uri', '$request_uri', '/r$is_args$args']
      : ['', '', '', '$request_uri', '/fix$is_args$args', '/c/$1$is_args$args', '$uri'];
    const method = chance.percent(3) ? 'proxy_method POST; ' : '';
    const header = chance.percent(20)
      ? `proxy_set_header X-Own "${chance.pick([...values, '$1', 'text', ''])}"; `
      : '';
    return `${method}${header}proxy_pass http://${chance.pick(hosts)}${chance.pick(uris)};`;
  }

  #return(): string {
    const chance = this.#chance;
    const value = chance.pick(values);
    return chance.pick([
      `return 301 https://$host$request_uri;`,
      `return 302 ${this.#path()};`,
      `return 200 "${value}";`,
      'return 404;',
      'return 403;',
      'return 204;',
      'return 444;',
      `return https://other.example$uri;`,
      `return 308 ${value};`,
      `return 503 "busy ${value}";`,
      `return 200;`,
      `return 418 "$1-$2";`,
      'return 405;',
      'return 301 $uri/;',
    ]);
  }

  #variable(): string {
    const own = this.#own;
    return this.#chance.pick([...values, ...own, ...own, ...own, '$v1', '$v2', '$1']);
  }

  /** Directives of the rewrite module. */
  #codes(depth: number, name: string): readonly string[] {
    const count = 1 + this.#chance.below(2);
    return Array.from({ length: count }, () => this.#code(depth, name));
  }

  #code(depth: number, name: string): string {
    const chance = this.#chance;
    const kind = chance.below(100);
    if (kind < 25)
      return `set ${chance.pick(['$v1', '$v2'])} "${chance.pick(['0', '1', 'x', '', this.#variable(), this.#variable().replace(/\$(\w+)$/, (_, name: string) => `$\{${name}}y`)])}";`;
    if (kind < 55) return this.#rewrite();
    if (kind < 90 && depth > 0) return this.#if(depth, name);
    return kind < 94 ? 'break;' : `set $v1 "${this.#variable()}";`;
  }

  #rewrite(): string {
    const chance = this.#chance;
    const source = chance.pick([
      '^/a(.*)$',
      '^(.*)$',
      '^/(api|img)/(.*)$',
      '/x',
      '^/([^/]+)/(.*)$',
      '(.*)/$',
      '\\.php$',
      '^/ab',
    ]);
    const groups = source.split('(').length - 1;
    const taken = groups === 0 ? '' : chance.pick(['$1', '/$1', groups > 1 ? '/$2' : '$1']);
    const target = chance.pick([
      `/img${taken}`,
      `/new${taken}?k=1`,
      `/a${taken}`,
      `/b${taken}?`,
      `/api/v1`,
      `https://r.example${taken}`,
      `$scheme://r.example/z${taken}?y`,
      `/q?w=${taken === '' ? '$uri' : taken.replace('/', '')}`,
    ]);
    const flag = chance.pick(['', '', ' last', ' last', ' break', ' redirect', ' permanent']);
    return `rewrite "${source}" "${target}"${flag};`;
  }

  #if(depth: number, name: string): string {
    const chance = this.#chance;
    const variable = this.#variable().replace('$1', '$v1').replace('$is_args$args', '$is_args');
    const condition = chance.pick([
      variable,
      `${variable} = ${chance.pick(['a', '1', 'GET', '""', '/a', 'one', 'POST', 'a.example'])}`,
      `${variable} != ${chance.pick(['one', '""', 'x', '/api/'])}`,
      `${variable} ~ "${chance.pick(['^/a', '(.)$', '^(?<i>[a-z]+)$', 'b', 'GET|POST'])}"`,
      `${variable} ~* "${chance.pick(['^/A', 'EXAMPLE$', '^$'])}"`,
      `${variable} !~ "${chance.pick(['^/a', 'x', '^a$'])}"`,
      `-f ${this.#machine.root}/there.txt`,
      `!-d ${this.#machine.root}/gone`,
    ]);
    const inner = this.#codes(depth - 2, name).filter((line) => !line.startsWith('if'));
    const end = chance.percent(45)
      ? [this.#return()]
      : name !== 'server' && chance.percent(25)
        ? [`proxy_pass http://${this.#origin()};`]
        : [];
    return `if (${condition}) { ${[...inner, ...end].join(' ')} }`;
  }
}
