import type { Diagnostic } from '#base';
import { listed, pathText } from './mistakes.ts';
import { sectionOf, valueIn } from './parts.ts';
import { repeated } from './references.ts';
import { type RoutePart, siteSchema } from './schema.ts';
import { access } from './schema-access.ts';
import { actionKeys, filterKeys } from './schema-actions.ts';
import { shaped } from './shaped.ts';
import { mistake, type Path, type SourceText } from './yaml.ts';

const actions = Object.keys(actionKeys);
const filters = Object.keys(filterKeys);

/** Words of a route that do not go together. */
export function routeMistakes(source: SourceText): Diagnostic[] {
  return sectionOf(source, 'routes').flatMap((route, index) => {
    const above: Path = ['routes', index];
    const found = actionMistakes(route, above, source);
    const { data } = shaped.routes(route);
    return found.length > 0 || !data ? found : contentMistakes(data, above, source);
  });
}

/** Looks at what is there, also in a route of the wrong shape: one that names its pool wrongly is told so once. */
function actionMistakes(route: unknown, above: Path, source: SourceText): Diagnostic[] {
  if (route === null || typeof route !== 'object' || Array.isArray(route)) return [];
  const given = actions.filter((key) => valueIn(route, key) !== undefined);
  const [first, second] = given;
  if (first === undefined) {
    const message = `missing, expected one of ${listed(actions)}: what gives the answer`;
    return [mistake('HF012', source.placeOf(above), pathText(above), message)];
  }
  if (second !== undefined) {
    const path = [...above, second];
    const message = `expected one answer for a request, got "${first}" and "${second}"`;
    return [mistake('HF013', source.keyPlaceOf(path), pathText(path), message, 'Remove one')];
  }
  if (first === 'pool' || first === 'pools') return [];
  return filters
    .filter((key) => valueIn(route, key) !== undefined)
    .map((key) => {
      const path = [...above, key];
      const message = `expected "${key}" only beside "pool" or "pools": no server is asked`;
      const ofAnswer = first === 'answer' && key !== 'timeouts' && key !== 'mirror';
      const remedy = ofAnswer ? 'Name headers of the answer with answer.headers' : 'Remove it';
      return mistake('HF013', source.keyPlaceOf(path), pathText(path), message, remedy);
    });
}

function contentMistakes(route: RoutePart, above: Path, source: SourceText): Diagnostic[] {
  return [
    ...newPathMistakes(route, 'redirect', above, source),
    ...newPathMistakes(route, 'rewrite', above, source),
    ...answerMistakes(route, above, source),
    ...weightMistakes(route, above, source),
    ...emptyMistakes(route, above, source),
  ];
}

/** A page has one body, and a status one page. */
export function pageMistakes(source: SourceText): Diagnostic[] {
  const { data = [] } = siteSchema.shape.errorPages.safeParse(valueIn(source.value, 'errorPages'));
  const bodies = data.flatMap(({ body, file }, index) => {
    const at: Path = ['errorPages', index];
    if (body !== undefined && file !== undefined)
      return [
        mistake('HF013', source.placeOf([...at, 'file']), pathText([...at, 'file']), oneBody, 'Remove one'),
      ];
    if (body !== undefined || file !== undefined) return [];
    return [mistake('HF012', source.placeOf(at), pathText(at), 'missing, expected body or file')];
  });
  const seen = new Set<number>();
  const repeats = data.flatMap(({ statusCodes }, index) =>
    statusCodes.flatMap((status, i) => {
      const at: Path = ['errorPages', index, 'statusCodes', i];
      const before = seen.has(status);
      seen.add(status);
      if (!before) return [];
      return [
        mistake('HF015', source.placeOf(at), pathText(at), `${status} has a page already`, 'Remove one'),
      ];
    }),
  );
  return [...bodies, ...repeats];
}

/** Words of a listener that do not go together. */
export function listenerMistakes(source: SourceText): Diagnostic[] {
  return sectionOf(source, 'listeners').flatMap((item, index) => {
    const { data } = shaped.listeners(item);
    if (!data) return [];
    const { policy, trusted } = data.forwarded;
    const wrong = (path: Path, message: string, remedy: string) => {
      const at: Path = ['listeners', index, ...path];
      return mistake('HF013', source.placeOf(at), pathText(at), message, remedy);
    };
    return [
      ...(data.hsts && !data.tls && data.protocol === 'HTTP'
        ? [
            wrong(
              ['hsts'],
              'expected only beside "tls": browsers heed it over TLS only',
              'Add tls, or remove it',
            ),
          ]
        : []),
      ...(policy === 'append' && trusted.length === 0
        ? [
            wrong(
              ['forwarded'],
              'expected "trusted" beside append: anybody could say anything',
              'Name the proxies in front',
            ),
          ]
        : []),
      ...(policy !== 'append' && trusted.length > 0
        ? [wrong(['forwarded', 'trusted'], `expected only beside append, got "${policy}"`, 'Remove it')]
        : []),
      ...(policy === 'off' && data.forwarded.also.length > 0
        ? [wrong(['forwarded', 'also'], 'expected nothing beside off', 'Remove it')]
        : []),
    ];
  });
}

/** Limits of access, of listeners as of routes. */
export function accessMistakes(source: SourceText): Diagnostic[] {
  return (['listeners', 'routes'] as const).flatMap((section) =>
    sectionOf(source, section).flatMap((part, index) => {
      const { data } = access.safeParse(valueIn(part, 'access'));
      const at: Path = [section, index, 'access'];
      if (!data) return [];
      const { deny, allow, rate, basicAuth, bodyMax } = data;
      const nothing = deny.length + allow.length === 0 && !rate && !basicAuth && !bodyMax;
      const names = basicAuth?.users.map(({ name }) => name) ?? [];
      const message = 'missing, expected one of deny, allow, rate, basicAuth, bodyMax';
      return [
        ...(nothing ? [mistake('HF012', source.placeOf(at), pathText(at), message)] : []),
        ...repeated(names, [...at, 'basicAuth', 'users'], source),
      ];
    }),
  );
}

function newPathMistakes(
  route: RoutePart,
  key: 'redirect' | 'rewrite',
  above: Path,
  source: SourceText,
): Diagnostic[] {
  const path = route[key]?.path;
  if (path === undefined) return [];
  const at: Path = [...above, key, 'path'];
  const { replaceFullPath: full, replacePrefixMatch: prefix } = path;
  if ((full === undefined) === (prefix === undefined)) {
    const message = 'expected one of "replaceFullPath", "replacePrefixMatch"';
    return [mistake('HF013', source.placeOf(at), pathText(at), message)];
  }
  const other = route.matches.find((match) => match.path !== undefined && match.path.type !== 'PathPrefix');
  if (prefix === undefined || !other) return [];
  const message = `expected matches of type PathPrefix only, got ${other.path?.type}: no prefix is matched there`;
  const remedy = 'Use replaceFullPath, or two routes';
  return [mistake('HF013', source.placeOf(at), pathText(at), message, remedy)];
}

const oneBody = 'expected one body, got "body" and "file"';
const bodyless = [204, 205, 304];

function answerMistakes({ answer }: RoutePart, above: Path, source: SourceText): Diagnostic[] {
  if (!answer) return [];
  const key = answer.file === undefined ? 'body' : 'file';
  const at: Path = [...above, 'answer', key];
  if (answer.body !== undefined && answer.file !== undefined)
    return [mistake('HF013', source.placeOf(at), pathText(at), oneBody, 'Remove one')];
  if (!answer[key] || !bodyless.includes(answer.statusCode)) return [];
  const message = `expected no body, an answer ${answer.statusCode} has none`;
  return [mistake('HF013', source.placeOf(at), pathText(at), message, 'Remove it')];
}

function weightMistakes({ pools }: RoutePart, above: Path, source: SourceText): Diagnostic[] {
  if (pools === undefined) return [];
  const twice = pools.flatMap(({ pool }, i) => {
    const first = pools.findIndex((one) => one.pool === pool);
    const at: Path = [...above, 'pools', i, 'pool'];
    if (first === i) return [];
    return [
      mistake('HF015', source.placeOf(at), pathText(at), `"${pool}" is named twice`, 'Add its weights'),
    ];
  });
  if (pools.some(({ weight }) => weight > 0)) return twice;
  const at: Path = [...above, 'pools'];
  const message = 'expected at least one weight above 0: nothing would answer';
  return [...twice, mistake('HF013', source.placeOf(at), pathText(at), message)];
}

/** A word without a meaning is a word that was forgotten. */
function emptyMistakes(route: RoutePart, above: Path, source: SourceText): Diagnostic[] {
  const empty = (
    key: 'rewrite' | 'requestHeaders' | 'responseHeaders' | 'timeouts' | 'redirect',
    is: boolean,
    wants: string,
  ) => {
    const at: Path = [...above, key];
    return is ? [mistake('HF012', source.placeOf(at), pathText(at), `missing, expected ${wants}`)] : [];
  };
  const { rewrite, redirect, requestHeaders, responseHeaders, timeouts } = route;
  const noChange = (changes: typeof requestHeaders) =>
    changes !== undefined && changes.set.length + changes.add.length + changes.remove.length === 0;
  const noTarget =
    redirect !== undefined && !redirect.scheme && !redirect.hostname && !redirect.port && !redirect.path;
  return [
    ...empty('rewrite', rewrite !== undefined && !rewrite.hostname && !rewrite.path, 'hostname or path'),
    ...empty('redirect', noTarget, 'one of scheme, hostname, port, path: it would redirect to itself'),
    ...empty('requestHeaders', noChange(requestHeaders), 'one of set, add, remove'),
    ...empty('responseHeaders', noChange(responseHeaders), 'one of set, add, remove'),
    ...empty(
      'timeouts',
      timeouts !== undefined && !timeouts.server && !timeouts.tunnel && !timeouts.request,
      'server, tunnel or request',
    ),
  ];
}
