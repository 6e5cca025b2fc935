import { parse } from 'yaml';
import { assert, type Diagnostic, messageOf, type Place } from '#base';
import { buildBalancer, buildGuard, buildListeners } from './build.ts';
import { buildPool } from './build-pools.ts';
import type { OwnText } from './own.ts';
import type { ParsedSite } from './parse.ts';
import type { Algorithm, HttpCheck, Pool, Server } from './pool.ts';
import { partSchemas, siteSchema } from './schema.ts';
import type { Balancer, Listener, ListenerTls, Site } from './site.ts';

/** What a survey of an own text found; everything that it does not say gets the defaults of a site file. */
export interface SurveyedSite {
  readonly name: string;
  readonly listeners: readonly {
    readonly name: string;
    readonly host: string;
    readonly port: number;
    readonly tls: boolean;
    readonly dualStack: boolean;
    readonly place: Place;
  }[];
  readonly pools: readonly SurveyedPool[];
  readonly balancer: Pick<Balancer, 'name' | 'engine' | 'address' | 'place'>;
  readonly own: OwnText;
}

export interface SurveyedPool {
  readonly name: string;
  readonly algorithm: Algorithm;
  readonly servers: readonly Pick<Server, 'name' | 'host' | 'port' | 'weight' | 'place'>[];
  /** Null: a TCP connection is enough, or the text says more than a probe can ask. */
  readonly check: { readonly path: string; readonly expectStatus: number } | null;
  readonly place: Place;
}

const somewhere: Place = { file: '', line: 1, column: 1 };

export function ownSite(surveyed: SurveyedSite): ParsedSite {
  const { name, listeners, pools, balancer, own } = surveyed;
  const { guard, mistake } = ownGuard(own);
  if (mistake) return { site: null, diagnostics: [mistake] };
  const balancerPart = partSchemas.balancers.parse({ name: 'lb', address: '127.0.0.1' });
  const site: Site = {
    name,
    listeners: listeners.map(listenerOf),
    routes: [],
    pools: pools.map(poolOf),
    balancers: [{ ...buildBalancer(balancerPart, 0, () => somewhere), ...balancer }],
    timeouts: { clientMs: 60_000, requestMs: 15_000, keepAliveMs: 60_000 },
    accessLog: null,
    guard: buildGuard(guard),
    errorPages: [],
    own,
  };
  return { site, diagnostics: [] };
}

const guardComment = /^\s*#\s*holdfast:\s*guard:\s*(.*)$/;

/** `# holdfast: guard: { bake: 1m }`, a comment of the text: the one thing that a site file says and an engine does not. */
function ownGuard({ text, file }: OwnText) {
  const lines = text.split('\n');
  const index = lines.findIndex((line) => guardComment.test(line));
  const said = guardComment.exec(lines[index] ?? '')?.[1];
  const standard = siteSchema.shape.guard.parse({});
  if (said === undefined) return { guard: standard, mistake: null };
  const place = { file, line: index + 1, column: 1 };
  const wrong = (message: string): Diagnostic => {
    const remedy = 'Write it as in a site file: # holdfast: guard: { bake: 1m }';
    return { code: 'HF011', severity: 'error', place, path: 'guard', message, remedy };
  };
  try {
    const read = siteSchema.shape.guard.safeParse(parse(said) ?? {});
    if (read.success) return { guard: read.data, mistake: null };
    const issues = read.error.issues.map((issue) => `${issue.path.join('.')} expected ${issue.message}`);
    return { guard: standard, mistake: wrong(issues.join('; ').trim()) };
  } catch (error) {
    return { guard: standard, mistake: wrong(messageOf(error).split('\n')[0] ?? '') };
  }
}

/** Certificates stay the text's own affair. */
function listenerOf({ tls, dualStack, ...given }: SurveyedSite['listeners'][number]): Listener {
  const part = partSchemas.listeners.parse({ name: 'listener', address: '*:1' });
  const [standard] = buildListeners(part, 0, '/', () => somewhere);
  assert(standard, 'one address, one listener');
  const ownTls: ListenerTls = { certificates: [], minVersion: '1.2', http2: true, clients: null };
  const listener = { ...standard, ...given, tls: tls ? ownTls : null };
  return dualStack ? { ...listener, dualStack } : listener;
}

function httpCheckOf({ path, expectStatus }: NonNullable<SurveyedPool['check']>): HttpCheck {
  const asked = { method: 'GET', host: null, headers: [], expectBody: null } as const;
  return { ...asked, path, expectStatus: [{ from: expectStatus, to: expectStatus }] };
}

function poolOf({ servers, check, ...given }: SurveyedPool): Pool {
  const part = partSchemas.pools.parse({ name: 'pool', servers: ['127.0.0.1:1'] });
  const standard = buildPool(part, 0, '/', () => somewhere);
  const healthCheck = { ...standard.healthCheck, http: check && httpCheckOf(check) };
  return {
    ...standard,
    ...given,
    healthCheck,
    servers: servers.flatMap((server) => standard.servers.map((plain) => ({ ...plain, ...server }))),
  };
}
