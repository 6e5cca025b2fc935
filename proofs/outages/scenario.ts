/** What an outage is made of: a site, requests to it, and what was done to it; on the usual stack and here. */
import type { LoadPlan } from '../../test/world/load.ts';
import type { Typed, UpSite } from '../../test/world/up.ts';

/** The web servers of every scenario. All are well, by their health check. */
export const serverNames = ['shop-1', 'shop-2', 'docs-1', 'admin-1', 'broken-1', 'staging-1'] as const;
export type ServerName = (typeof serverNames)[number];
export type Servers = Readonly<Record<ServerName, { readonly port: number }>>;

export interface Place {
  readonly folder: string;
  readonly port: number;
  readonly servers: Servers;
}

export interface UsualPlace extends Place {
  readonly metricsPort: number;
}

export interface Usual {
  /** Absent: HAProxy. */
  readonly engine?: 'nginx';
  readonly text: string;
  /** The file as it is then; absent: as it was. */
  readonly bad?: string;
  /** How the service takes up its file: a reload, or an end and a start as some handlers do it. */
  readonly by: 'reload' | 'restart';
  /** What happens to the world outside the file, before it is taken up; and back. */
  readonly world?: { readonly breaks: () => void; readonly mends: () => void };
  /** The tool that rolls the file out comes again after the page, so often. */
  readonly again?: number;
  /** The command line that runs the engine in another world: of this one's words. */
  readonly on?: (file: string, ...args: string[]) => readonly string[];
  /** Its program. */
  readonly haproxy?: string;
}

export interface OursPlace extends Place {
  readonly write: (name: string, text: string) => string;
  readonly cli: (...args: string[]) => Typed;
  readonly site: UpSite;
}

export interface Ours {
  readonly text: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly on?: (file: string, ...args: string[]) => readonly string[];
  /** Does the same; says what came of it. */
  act(place: OursPlace): Promise<string>;
}

export interface Scenario {
  readonly name: string;
  /** Where it happened, and who tells it. */
  readonly source: string;
  /** In one line. */
  readonly story: string;
  readonly loads: readonly (Pick<LoadPlan, 'hostname' | 'path' | 'ratePerSecond'> & {
    readonly expectBody: string;
  })[];
  usual(place: UsualPlace): Usual;
  ours(place: Place): Ours;
  /** What has to come of it here, in what `act` said; and how many requests it may cost. */
  readonly wanted: RegExp;
  readonly failedMax: number;
}
