/** A generated text with the requests that are asked of it: data alone, so that it can be kept and judged again. */
import type { meaning } from '#routing';
// By their modules: `#dialects` loads them once for the whole process, and mutants are loaded one after the other.
import { lift as liftHaproxy } from '../../src/dialects/haproxy/lift/index.ts';
import { SharedParts } from '../../src/dialects/haproxy/lift/source.ts';
import { liftNginx } from '../../src/dialects/nginx/lift/lift.ts';
import { SharedServers } from '../../src/dialects/nginx/lift/shared.ts';

export type EngineName = 'haproxy' | 'nginx';

/** One request, and how it is put on the wire. */
export interface Asked {
  readonly request: meaning.Request;
  /** `GET http://host/path`, which means the same as the path alone. */
  readonly absolute: boolean;
}

/** What is in the folder that texts serve files from; each says its name. */
export const rootFiles = ['there.txt', 'folder/index.html', 'a', 'error'] as const;

export interface Case {
  readonly engine: EngineName;
  /** What it is made from, again. */
  readonly seed: number;
  /** As it is lifted. */
  readonly text: string;
  /** Maps, lists and included texts that it names, by path. */
  readonly files: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  /** Which server stands at an address of the lifted text. */
  readonly servers: Readonly<Record<string, string>>;
  /** The folder whose files it may serve. Each file says `file NAME`. */
  readonly root: string | null;
  readonly asked: readonly Asked[];
  /** No rule changes what another asks: what is not known of a request is the same wherever it is asked. */
  readonly steady?: boolean;
}

/** What two texts have in common, as a plan lifts them. */
interface Shared {
  readonly haproxy: SharedParts;
  readonly nginx: SharedServers;
}

const lifts: Readonly<Record<EngineName, (one: Case, shared: Shared | null) => meaning.Meaning>> = {
  haproxy: ({ seed, text, files, environment }, shared) =>
    liftHaproxy({
      // Of every other text the lift is told what will run it.
      ...(seed % 2 === 0 ? { engine: { version: '2.6.12', features: ['OPENSSL'] } } : {}),
      ...(shared ? { shared: shared.haproxy } : {}),
      file: 'haproxy.cfg',
      text,
      read: (path) => files[path] ?? null,
      environment: (name) => environment[name] ?? null,
    }),
  nginx: ({ text, files }, shared) =>
    liftNginx(
      { file: 'nginx.conf', folder: '/etc/nginx', text },
      {
        find: (pattern) => (files[pattern] === undefined ? [] : [pattern]),
        read: (path) => files[path] ?? null,
      },
      shared?.nginx,
    ),
};

export const meaningOf = (one: Case): meaning.Meaning => lifts[one.engine](one, null);

/** Of two texts that are compared. */
export function meaningsOf(before: Case, after: Case): readonly [meaning.Meaning, meaning.Meaning] {
  const shared: Shared = { haproxy: new SharedParts(), nginx: new SharedServers() };
  return [lifts[before.engine](before, shared), lifts[after.engine](after, shared)];
}
