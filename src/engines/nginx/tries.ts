export interface Try {
  readonly address: string;
  readonly status: string;
  readonly connected: boolean;
  readonly answered: boolean;
  readonly isNeighbour: boolean;
}

const neighbours = /\/(?:neighbour\.sock|net\/(?:entrance|doors\/[^/]+))$/;

/** NGINX's lists of what it tried: `10.0.0.1:80, 10.0.0.2:80`, and behind ` : ` where a request was led. */
export function triesOf(lists: {
  readonly addresses: string;
  readonly statuses: string;
  readonly connects: string;
  readonly heads: string;
}): Try[] {
  const split = (list: string) => list.split(/, | : /);
  const [statuses, connects, heads] = [lists.statuses, lists.connects, lists.heads].map(split);
  return split(lists.addresses).flatMap((address, index) => {
    // The name of the upstream itself: it had no live server.
    if (address === '' || address === '-' || /^(?:[td]\d+\.)?p\d+\./.test(address)) return [];
    const isNeighbour = address.startsWith('unix:') && neighbours.test(address);
    return [
      {
        address: address.replace(/^unix:/, 'unix@'),
        status: statuses?.[index] ?? '-',
        connected: connects?.[index] !== '-',
        answered: heads?.[index] !== '-',
        isNeighbour,
      },
    ];
  });
}
