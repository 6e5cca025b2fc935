/** For each node the number of its group: nodes from each of which every other one is reached. */
export function stronglyConnected(count: number, nextOf: (node: number) => readonly number[]): number[] {
  const group = new Array<number>(count).fill(-1);
  const order = new Array<number>(count).fill(-1);
  const low = new Array<number>(count).fill(0);
  const open: number[] = [];
  const isOpen = new Set<number>();
  let visited = 0;
  let groups = 0;
  const path: { readonly node: number; readonly next: readonly number[]; at: number }[] = [];
  const enter = (node: number) => {
    order[node] = visited;
    low[node] = visited;
    visited += 1;
    open.push(node);
    isOpen.add(node);
    path.push({ node, next: nextOf(node), at: 0 });
  };
  const lower = (node: number, value: number) => {
    low[node] = Math.min(low[node] ?? value, value);
  };
  const close = (node: number) => {
    for (let member = open.pop(); member !== undefined; member = open.pop()) {
      isOpen.delete(member);
      group[member] = groups;
      if (member === node) break;
    }
    groups += 1;
  };
  for (let start = 0; start < count; start += 1) {
    if (order[start] !== -1) continue;
    enter(start);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = top.next[top.at];
      if (next !== undefined) {
        top.at += 1;
        if (order[next] === -1) enter(next);
        else if (isOpen.has(next)) lower(top.node, order[next] ?? 0);
        continue;
      }
      path.pop();
      const above = path.at(-1);
      if (above) lower(above.node, low[top.node] ?? 0);
      if (low[top.node] === order[top.node]) close(top.node);
    }
  }
  return group;
}

/** A shortest path from one of `from` to a node that is wanted, both ends included; null when there is none. */
export function pathWithin(
  from: readonly number[],
  nextOf: (node: number) => readonly number[],
  isWanted: (node: number) => boolean,
): number[] | null {
  const cameFrom = new Map<number, number | null>(from.map((node) => [node, null]));
  const queue = [...new Set(from)];
  for (const node of queue) {
    if (isWanted(node)) return pathTo(node, cameFrom);
    for (const next of nextOf(node)) {
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, node);
      queue.push(next);
    }
  }
  return null;
}

function pathTo(node: number, cameFrom: ReadonlyMap<number, number | null>): number[] {
  const path = [];
  for (let at: number | null = node; at !== null; at = cameFrom.get(at) ?? null) path.unshift(at);
  return path;
}
