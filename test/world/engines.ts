import type { RequestListener } from 'node:http';
import { test } from 'node:test';
import { type Placement, unsupportedBy } from '#dialects';
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

/** A case asks for what its engine refuses (HF021). */
class Refused extends Error {}

function refusing(engine: EngineName, open: () => Promise<EngineWorld>): () => Promise<EngineWorld> {
  return async () => {
    const world = await open();
    return {
      ...world,
      start(site, options) {
        const [refused] = unsupportedBy(site, engine);
        if (refused) throw new Refused(`${refused.path}: ${refused.message}`);
        return world.start(site, options);
      },
    };
  };
}

export const everyEngineWorld: Readonly<Record<EngineName, () => Promise<EngineWorld>>> = {
  haproxy: refusing('haproxy', haproxyWorld),
  builtin: refusing('builtin', builtinWorld),
  nginx: refusing('nginx', nginxWorld),
};

/** A case that every engine agrees about; left out, with the reason, for one that refuses what it asks for. */
export function agreed(what: string, body: () => Promise<void>): void {
  test(what, async (t) => {
    try {
      await body();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      t.skip(error.message);
    }
  });
}
