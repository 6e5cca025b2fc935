import type { CandidateResult } from '#contract';
import { type Site, streamsOf } from '#model';
import { askStreamEntrance, certificateOf } from '#probe';
import { describeStream, type StreamWitness, streamWitnesses } from '#routing';

const witnessMsMax = 5_000;
const directMsMax = 2_000;
const serversAskedMax = 8;

/**
 * One connection of every TCP and TLS route, by the candidate's entrance: before the first user's. A TCP connection must
 * stay open, or its server speak; with TLS the handshake must be with a server of the route's pools.
 */
export async function askStreams(entrance: string, site: Site): Promise<CandidateResult['witnesses']> {
  const asked: CandidateResult['witnesses'][number][] = [];
  for (const witness of streamWitnesses(streamsOf(site)))
    asked.push({ request: describeStream(witness), status: await statusOf(entrance, site, witness) });
  return asked;
}

async function statusOf(
  entrance: string,
  site: Site,
  witness: StreamWitness,
): Promise<CandidateResult['witnesses'][number]['status']> {
  const answer = await askStreamEntrance(entrance, witness, witnessMsMax).catch(() => null);
  if (answer === null) return 0;
  if (answer.kind !== 'handshake') return 'connected';
  const known = await certificatesOf(site, witness);
  return known.has(answer.certificate) ? 'handshake' : 0;
}

/** What the servers of the route's pools show when they are asked directly. */
async function certificatesOf(site: Site, { rule, name }: StreamWitness): Promise<ReadonlySet<string>> {
  const pools = site.pools.filter((pool) => rule.shares.some((share) => share.pool === pool.name));
  const asked = pools
    .flatMap((pool) => pool.servers.map((server) => ({ pool, server })))
    .slice(0, serversAskedMax)
    .map(({ pool, server }) => certificateOf(server, pool, name, directMsMax).catch(() => ''));
  return new Set((await Promise.all(asked)).filter((certificate) => certificate !== ''));
}
