/** One site in two languages: as teams write it for HAProxy, and as a site.yaml. */
import type { Place, ServerName, UsualPlace } from './scenario.ts';

export interface Words {
  /** Lines of the frontend, in front of its default. */
  readonly rules?: string;
  readonly fallsTo?: string;
  readonly pools?: Readonly<Record<string, readonly ServerName[]>>;
  readonly more?: string;
}

const usualPools = { shop: ['shop-1', 'shop-2'], docs: ['docs-1'] } as const;

export function haproxyText({ port, metricsPort, servers }: UsualPlace, words: Words = {}): string {
  const { rules = '', fallsTo = 'shop', pools = usualPools, more = '' } = words;
  const backend = ([name, all]: readonly [string, readonly ServerName[]]) => `backend ${name}
  default-server check inter 2000 fall 3 rise 2
${all.map((one) => `  server ${one} 127.0.0.1:${servers[one].port}`).join('\n')}
`;
  return `global
  maxconn 4000
defaults
  mode http
  timeout connect 5s
  timeout client 50s
  timeout server 50s
frontend metrics
  bind 127.0.0.1:${metricsPort}
  http-request use-service prometheus-exporter if { path /metrics }
frontend www
  bind 127.0.0.1:${port}
${rules}  default_backend ${fallsTo}
${Object.entries(pools).map(backend).join('')}${more}`;
}

/** Open-source NGINX tells Prometheus nothing but that it answers. */
export function nginxText({ port, metricsPort, servers, folder }: UsualPlace, locations = ''): string {
  const upstream = ([name, all]: readonly [string, readonly ServerName[]]) => `  upstream ${name} {
${all.map((one) => `    server 127.0.0.1:${servers[one].port};`).join('\n')}
  }
`;
  return `worker_processes 2;
pid ${folder}/nginx.pid;
events { worker_connections 4000; }
http {
  access_log off;
${Object.entries(usualPools).map(upstream).join('')}  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://shop; }
${locations}  }
  server {
    listen 127.0.0.1:${metricsPort};
    location = /metrics { return 200 "nginx_up 1\\n"; }
    location = / { return 200; }
  }
}
`;
}

export interface SiteWords {
  readonly routes?: string;
  readonly pools?: Readonly<Record<string, readonly ServerName[]>>;
  readonly engine?: 'haproxy' | 'nginx';
  readonly check?: string;
  readonly host?: (server: ServerName) => string;
}

/** Every policy is the default. */
export function siteText({ port, servers }: Place, words: SiteWords = {}): string {
  const { pools = usualPools, engine = 'haproxy', check = '', host = () => '127.0.0.1' } = words;
  const { routes = '  - { name: shop, pool: shop }\n' } = words;
  const pool = ([name, all]: readonly [string, readonly ServerName[]]) => `  - name: ${name}
    servers:
${all.map((one) => `      - { name: ${one}, address: "${host(one)}:${servers[one].port}" }`).join('\n')}
    healthCheck: { path: /health, interval: 2s, rise: 2, fall: 3${check} }
`;
  return `site: t
listeners:
  - { name: http, address: "*:${port}" }
routes:
${routes}pools:
${Object.entries(pools).map(pool).join('')}balancers:
  - { name: lb-1, engine: ${engine}, address: 127.0.0.1 }
`;
}
