import { meaning } from '#routing';

type Server = meaning.ServerMeaning;

/** What is otherwise about the servers of a pool: `10.0.0.2:80 weight 1 -> 3`, `10.0.0.3:80 is new`. */
export function serverChanges(
  before: meaning.Meaning,
  after: meaning.Meaning,
  [was, is]: readonly [meaning.FateView, meaning.FateView],
): readonly string[] {
  const old = new Map(serversOf(before, was).map((server) => [server.address, server]));
  const are = serversOf(after, is);
  // It is another pool altogether.
  if (!are.some(({ address }) => old.has(address))) return [];
  const now = new Map(are.map((server) => [server.address, server]));
  return [
    ...[...old.keys()].filter((address) => !now.has(address)).map((address) => `${address} is gone`),
    ...[...now.values()].flatMap((server) => {
      const one = old.get(server.address);
      if (!one) return [`${server.address} is new`];
      return changesOf(one, server).map((change) => `${server.address} ${change}`);
    }),
  ];
}

function serversOf(text: meaning.Meaning, fate: meaning.FateView): readonly Server[] {
  if (fate.kind === 'split') return fate.shares.flatMap((share) => serversOf(text, share.fate));
  return fate.kind === 'pool' ? (meaning.poolsOf(text).get(fate.pool)?.servers ?? []) : [];
}

function changesOf(was: Server, is: Server): string[] {
  return [
    ...(was.weight === is.weight ? [] : [`weight ${was.weight} -> ${is.weight}`]),
    ...(was.spare === is.spare ? [] : [is.spare ? 'becomes a spare one' : 'is no spare one any more']),
    ...(was.disabled === is.disabled ? [] : [is.disabled ? 'is disabled' : 'is enabled']),
  ];
}
