import type { Node } from './tree.ts';

/** A block whose directives hold within it: `http`, `server`, `location`, `if`, `limit_except`. */
export interface Scope {
  readonly kind: 'main' | 'http' | 'server' | 'location' | 'if' | 'limit_except';
  readonly node: Node | null;
  readonly nodes: readonly Node[];
  readonly parent: Scope | null;
  readonly named: ReadonlyMap<string, readonly Node[]>;
}

export function scopeOf(
  kind: Scope['kind'],
  node: Node | null,
  nodes: readonly Node[],
  parent: Scope | null,
): Scope {
  return { kind, node, nodes, parent, named: Map.groupBy(nodes, ({ name }) => name) };
}

/** What the block itself says. */
export function own(scope: Scope, name: string): readonly Node[] {
  return scope.named.get(name) ?? [];
}

/**
 * What is in force: all directives of these names in the innermost block that has any. NGINX's arrays are never
 * added to by an inner block, they are replaced.
 */
export function said(scope: Scope, ...names: readonly string[]): readonly Node[] {
  for (let at: Scope | null = scope; at; at = at.parent) {
    const { named, nodes } = at;
    const [only, more] = names.filter((name) => named.has(name));
    if (only === undefined) continue;
    return more === undefined ? own(at, only) : nodes.filter(({ name }) => names.includes(name));
  }
  return [];
}

/** Its one word, or the default. */
export function word(scope: Scope, name: string, otherwise: string): string {
  return said(scope, name).at(-1)?.words[0] ?? otherwise;
}

export const isOn = (scope: Scope, name: string, otherwise: boolean): boolean =>
  word(scope, name, otherwise ? 'on' : 'off').toLowerCase() === 'on';

/** The block that says it. */
export function sayer(scope: Scope, ...names: readonly string[]): Scope | null {
  for (let at: Scope | null = scope; at; at = at.parent)
    if (names.some((name) => own(at, name).length > 0)) return at;
  return null;
}
