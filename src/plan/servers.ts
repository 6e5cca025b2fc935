import type { meaning } from '#routing';

type Server = meaning.ServerMeaning;

/** What is otherwise about servers that are in both pools: `10.0.0.2:80 weight 1 -> 3`. */
export function serverChanges(
  before: meaning.Meaning,
  after: meaning.Meaning,
  [was, is]: readonly [meaning.FateView, meaning.FateView],
): readonly string[] {
  const old = new Map(serversOf(before, was).map((server) => [server.address, server]));
  return serversOf(after, is).flatMap((server) => {
    const one = old.get(server.address);
    return one ? changesOf(one, server).map((change) => `${server.address} ${change}`) : [];
  });
}

function serversOf(text: meaning.Meaning, fate: meaning.FateView): readonly Server[] {
  if (fate.kind === 'split') return fate.shares.flatMap((share) => serversOf(text, share.fate));
  return fate.kind === 'pool' ? (text.pools.find(({ name }) => name === fate.pool)?.servers ?? []) : [];
}

function changesOf(was: Server, is: Server): string[] {
  return [
    ...(was.weight === is.weight ? [] : [`weight ${was.weight} -> ${is.weight}`]),
    ...(was.spare === is.spare ? [] : [is.spare ? 'becomes a spare one' : 'is no spare one any more']),
    ...(was.disabled === is.disabled ? [] : [is.disabled ? 'is disabled' : 'is enabled']),
  ];
}
