/** Texts of small sites for stacks: one pool of origins behind a plain and a TLS listener. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { selfSigned } from './certificate.ts';

export interface ShopPlan {
  readonly http: number;
  /** Null: no TLS listener. */
  readonly https: number | null;
  readonly servers: readonly { readonly name: string; readonly port: number; readonly host?: string }[];
  readonly engine: string;
  readonly more?: string;
  /** As it stands in a pool; else a quick one. */
  readonly healthCheck?: string;
}

/** Notices soon that nobody listens; a machine that is out of breath is no dead server. */
const quickCheck = '{ path: /health, interval: 500ms, timeout: 3s, rise: 1, fall: 2 }';
/** For proofs that count every failed request on a machine that others use too. */
export const patientCheck = '{ path: /health, interval: 1s, timeout: 5s, rise: 1, fall: 3 }';

let made: { key: string; cert: string } | null = null;

export function shopText(plan: ShopPlan, folder: string): string {
  if (plan.https !== null) {
    made ??= selfSigned('shop.example');
    for (const [name, pem] of [
      ['cert.pem', made.cert],
      ['key.pem', made.key],
    ] as const) {
      writeFileSync(join(folder, name), pem);
      chmodSync(join(folder, name), 0o600);
    }
  }
  const tls =
    plan.https === null
      ? ''
      : `  - name: https\n    address: "*:${plan.https}"\n    tls: { certificates: [{ certificate: cert.pem, key: key.pem }] }\n`;
  const servers = plan.servers.map(
    (s) => `      - { name: ${s.name}, address: ${s.host ?? '127.0.0.1'}:${s.port} }`,
  );
  return `site: t
listeners:
  - { name: http, address: "*:${plan.http}" }
${tls}routes:
  - { name: web, pool: web }
pools:
  - name: web
    servers:
${servers.join('\n')}
    healthCheck: ${plan.healthCheck ?? quickCheck}
balancers:
  - { name: lb-1, engine: ${plan.engine}, address: 127.0.0.1 }
${plan.more ?? 'guard:\n  canary: { steps: [0.25, 1], step: 1s }\n  bake: 1s\n'}`;
}
