import { hostName } from './decide.ts';
import type { Action, PathChange, RedirectTarget, Request } from './routing.ts';

/** What a client can see of a request's end: the pools that may answer it, or the answer that no server gives. */
export type Outcome =
  | { readonly kind: 'pools'; readonly pools: readonly string[] }
  | { readonly kind: 'redirect'; readonly status: number; readonly location: string }
  | { readonly kind: 'answer'; readonly status: number }
  | { readonly kind: 'reject' };

/** The one definition of what an action does to a request. */
export function outcomeOf(action: Action, request: Request): Outcome {
  switch (action.kind) {
    case 'pool':
      return { kind: 'pools', pools: [action.pool] };
    case 'split':
      return { kind: 'pools', pools: action.shares.map(({ pool }) => pool) };
    case 'redirect': {
      const location = locationOf(action.to, request);
      return location === null
        ? { kind: 'answer', status: 400 }
        : { kind: 'redirect', status: action.status, location };
    }
    case 'answer':
      return { kind: 'answer', status: action.status };
    case 'reject':
      return { kind: 'reject' };
  }
}

/** `https://shop.example/cart?id=7`; null when the host would be the request's own and it names none. */
export function locationOf(
  { scheme, hostname, port, path }: RedirectTarget,
  request: Pick<Request, 'host' | 'path' | 'query'>,
): string | null {
  const host = hostname ?? hostName(request.host);
  if (host === '') return null;
  const query = request.query === '' ? '' : `?${request.query}`;
  return `${scheme}://${host}${port === null ? '' : `:${port}`}${changedPath(path, request.path)}${query}`;
}

/** The path that a change makes of a request's, which its prefix is known to match: `/foo/bar` by `/foo` -> `/x` is `/x/bar`. */
export function changedPath(change: PathChange | null, path: string): string {
  if (change === null) return path;
  if (change.kind === 'full') return change.value;
  return withoutSlash(change.value) + path.slice(change.prefix.length) || '/';
}

/** `/x/` and `/x` are the same as a prefix, and `/` is an empty one. */
export function withoutSlash(prefix: string): string {
  return prefix.replace(/\/+$/, '');
}
