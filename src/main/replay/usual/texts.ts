import type { SceneServer } from '../scene.ts';

/** `default`: intervals as the popular collections and examples have them. `tuned`: as fast as these parts go. */
export const speeds = {
  default: { scrape: '15s', window: '1m', for: '1m', groupWait: '30s' },
  tuned: { scrape: '1s', window: '5s', for: '0s', groupWait: '0s' },
} as const;
export type Speed = keyof typeof speeds;

/**
 * As teams write it. Of 97 public configurations with servers 66 check them, 19 have `option redispatch`;
 * `timeout connect 5s`, `inter 2000` and `maxconn 4096` are the most frequent values of each.
 */
export function haproxyText(
  ports: { site: number; metrics: number },
  servers: readonly SceneServer[],
  isChanged: boolean,
): string {
  const line = ({ name, host, changedHost, port }: SceneServer) =>
    `  server ${name} ${isChanged ? changedHost : host}:${port} check`;
  return `global
  maxconn 4096

defaults
  mode http
  log global
  option httplog
  option dontlognull
  timeout connect 5s
  timeout client 50s
  timeout server 50s

frontend www
  bind 127.0.0.1:${ports.site}
  default_backend web

frontend metrics
  bind 127.0.0.1:${ports.metrics}
  http-request use-service prometheus-exporter if { path /metrics }

backend web
  balance roundrobin
  default-server inter 2000 fall 3 rise 2 maxconn 32
${servers.map(line).join('\n')}
`;
}

export function prometheusText(speed: Speed, metricsPort: number, alertmanagerPort: number | null): string {
  const alerting =
    alertmanagerPort === null
      ? ''
      : `alerting:
  alertmanagers:
    - static_configs:
        - targets: ['127.0.0.1:${alertmanagerPort}']
`;
  return `global:
  scrape_interval: ${speeds[speed].scrape}
  evaluation_interval: ${speeds[speed].scrape}
rule_files: [rules.yml]
${alerting}scrape_configs:
  - job_name: haproxy
    static_configs:
      - targets: ['127.0.0.1:${metricsPort}']
`;
}

/** Our own text. The idea, the share of a backend's 5xx over a minute, for a minute, is that of awesome-prometheus-alerts' HAProxy rules. */
export function rulesText(speed: Speed): string {
  const { window, for: forTime } = speeds[speed];
  return `groups:
  - name: haproxy
    rules:
      - alert: HaproxyBackendAnswers5xx
        expr: |
          sum by (proxy) (rate(haproxy_backend_http_responses_total{code="5xx"}[${window}]))
            > 0.05 * sum by (proxy) (rate(haproxy_backend_http_responses_total[${window}]))
        for: ${forTime}
        labels:
          severity: critical
        annotations:
          summary: more than 5 % of the answers of {{ $labels.proxy }} are 5xx
`;
}

export function alertmanagerText(speed: Speed, pagerPort: number, groupBy: readonly string[] = []): string {
  return `route:
  receiver: page
  group_by: [${groupBy.join(', ')}]
  group_wait: ${speeds[speed].groupWait}
receivers:
  - name: page
    webhook_configs:
      - url: http://127.0.0.1:${pagerPort}/page
`;
}
