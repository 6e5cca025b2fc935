import { type Origin, startOrigin } from './origins.ts';

/** The founding incident's scene: one pool, sized as pools are, and a change after which all servers but one do not exist. */
export interface Scene {
  readonly servers: readonly SceneServer[];
  close(): Promise<void>;
}

export interface SceneServer {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** What the change writes instead: the wrong subnet, where nothing answers. The same as `host` for the survivor. */
  readonly changedHost: string;
}

const serversAll = 10;
const survivors = 1;
const atOnceMax = 4;
/** A pool that could carry a fifth more than it has to: the survivor alone carries an eighth of the traffic. */
const headroom = 1.2;

export async function startScene(ratePerSecond: number): Promise<Scene> {
  const delayMs = (1_000 * atOnceMax) / (headroom * (ratePerSecond / serversAll));
  const origins = await Promise.all(
    Array.from({ length: serversAll }, (_, i) => startOrigin({ name: `web-${i + 1}`, delayMs, atOnceMax })),
  );
  return {
    servers: origins.map((origin, i) => ({
      name: origin.name,
      host: origin.host,
      port: origin.port,
      // Loopback too, so a connection is refused at once, and never leaves the machine.
      changedHost: i < survivors ? origin.host : `127.0.66.${i + 1}`,
    })),
    close: async () => {
      await Promise.all(origins.map((origin: Origin) => origin.close()));
    },
  };
}
