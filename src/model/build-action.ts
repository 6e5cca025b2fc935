import { extname } from 'node:path';
import type { PlaceOf } from './build.ts';
import { buildAccess } from './build-access.ts';
import type { ContentOf } from './included.ts';
import type { RoutePart } from './schema.ts';
import type { AnswerPart, NewPathPart, RedirectPart } from './schema-actions.ts';
import type { NewPath, RequestRedirect, RouteAction, RouteFilters } from './site.ts';
import { durationOrNull, parseDurationMs } from './words.ts';
import type { Path } from './yaml.ts';

/** The one action of a route; no pools at all when a part of the file names none, which is told as a mistake. */
export function buildAction(
  part: RoutePart,
  index: number,
  placeOf: PlaceOf,
  content: ContentOf,
): RouteAction {
  const at = (key: string) => placeOf(['routes', index, key]);
  if (part.redirect) return { kind: 'redirect', ...redirectOf(part.redirect), place: at('redirect') };
  if (part.answer) return { kind: 'answer', ...answerOf(part.answer, content), place: at('answer') };
  if (part.pools) return { kind: 'pools', pools: part.pools, place: at('pools') };
  const pools = part.pool === undefined ? [] : [{ pool: part.pool, weight: 1 }];
  return { kind: 'pools', pools, place: at('pool') };
}

function redirectOf({ scheme, hostname, port, path, statusCode }: RedirectPart): RequestRedirect {
  return {
    scheme: scheme ?? null,
    hostname: hostname?.toLowerCase() ?? null,
    port: port ?? null,
    path: newPathOf(path),
    status: statusCode,
  };
}

function answerOf({ statusCode, headers, contentType, body, file }: AnswerPart, content: ContentOf) {
  const text = body ?? (file === undefined ? null : content(file));
  const type = contentType ?? typeOf(file ?? '');
  return { status: statusCode, headers, body: text === null ? null : { contentType: type, text } };
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.xml': 'application/xml',
  '.svg': 'image/svg+xml',
};

function typeOf(file: string): string {
  return types[extname(file).toLowerCase()] ?? 'text/plain; charset=utf-8';
}

function newPathOf(path: NewPathPart | undefined): NewPath | null {
  if (path?.replaceFullPath !== undefined) return { kind: 'full', value: path.replaceFullPath };
  if (path?.replacePrefixMatch !== undefined) return { kind: 'prefix', value: path.replacePrefixMatch };
  return null;
}

export function buildFilters(part: RoutePart, index: number, placeOf: PlaceOf): RouteFilters {
  const placed = <T extends object>(value: T | undefined, key: string) => {
    const path: Path = ['routes', index, key];
    return value === undefined ? null : { ...value, place: placeOf(path) };
  };
  const { rewrite, requestHeaders, responseHeaders, timeouts, mirror } = part;
  return {
    rewrite: placed(
      rewrite && { hostname: rewrite.hostname?.toLowerCase() ?? null, path: newPathOf(rewrite.path) },
      'rewrite',
    ),
    requestHeaders: placed(requestHeaders, 'requestHeaders'),
    responseHeaders: placed(responseHeaders, 'responseHeaders'),
    timeouts: placed(
      timeouts && {
        serverMs: durationOrNull(timeouts.server),
        tunnelMs: durationOrNull(timeouts.tunnel),
        ...(timeouts.request === undefined ? {} : { requestMs: parseDurationMs(timeouts.request) }),
      },
      'timeouts',
    ),
    mirror: placed(mirror, 'mirror'),
    access: buildAccess(
      part.access,
      `route-${part.name ?? `route-${index + 1}`}`,
      placeOf(['routes', index, 'access']),
    ),
  };
}
