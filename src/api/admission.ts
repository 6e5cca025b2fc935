import { createHash, timingSafeEqual } from 'node:crypto';
import { createMiddleware } from 'hono/factory';
import { Failure } from '#base';
import { problem } from './problem.ts';

const localNames = ['127.0.0.1', 'localhost', '[::1]'];

/** A page on the web can make a browser ask 127.0.0.1 under a name of its own: only our own names are answered. */
export const onlyLocalNames = createMiddleware(async (c, next) => {
  const host = (c.req.header('host') ?? '').toLowerCase().replace(/:\d+$/, '');
  if (localNames.includes(host)) return next();
  return problem(
    c,
    new Failure('HF403', `the API does not answer to the name "${host}"`, 'Use http://127.0.0.1.'),
  );
});

/** Who can read api.json may do everything; who has another token only what that is for; nobody else anything. */
export function onlyWithToken(
  token: string,
  isAllowed: (path: string, given: string) => boolean = () => false,
) {
  const wanted = digest(`Bearer ${token}`);
  return createMiddleware(async (c, next) => {
    const given = c.req.header('authorization') ?? '';
    if (timingSafeEqual(digest(given), wanted)) return next();
    if (isAllowed(`${c.req.method} ${c.req.path}`, given.replace(/^Bearer /, ''))) return next();
    return problem(c, new Failure('HF403', 'the token is missing or wrong'));
  });
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
