import type { RequestListener } from 'node:http';
import type { Placement } from '#dialects';
import type { EngineName, Site } from '#model';
import { builtinWorld } from './builtin.ts';
import { type Generation, haproxyWorld, nginxWorld, type PublicSocket, type TestServer } from './haproxy.ts';

/** What the worlds of all engines have: what a test needs that says the same of each. */
export interface EngineWorld {
  readonly folder: string;
  socket(): Promise<PublicSocket>;
  server(name: string, handle?: RequestListener): Promise<TestServer>;
  start(
    site: Site,
    options: {
      readonly name: string;
      readonly sockets: Readonly<Record<string, PublicSocket>>;
      readonly parked?: boolean;
      readonly neighbour?: string | null;
      readonly certificates?: Placement['certificates'];
      readonly ticketKeys?: string | null;
    },
  ): Promise<Generation>;
  close(): Promise<void>;
}

export const engineWorlds: Partial<Record<EngineName, () => Promise<EngineWorld>>> = {
  haproxy: haproxyWorld,
  builtin: builtinWorld,
};

/** With NGINX, whose dialect lacks some of what pools can say. */
export const everyEngineWorld: Readonly<Record<EngineName, () => Promise<EngineWorld>>> = {
  haproxy: haproxyWorld,
  builtin: builtinWorld,
  nginx: nginxWorld,
};
