import type { meaning } from '#routing';
import type { Answer } from './field.ts';
import type { Asked } from './requests.ts';

/** Null: the answer is one that the fate foretells. Otherwise what differs. */
export function differs(
  fate: meaning.FateView,
  answer: Answer | null,
  asked: Asked,
  text: string,
  root: string,
): string | null {
  switch (fate.kind) {
    case 'reject':
      return answer === null ? null : `foretold: no answer; came: ${answer.status}`;
    case 'answer':
      return ofAnswer(fate, answer, asked, text.includes('error_page'));
    case 'redirect':
      return (
        equal('Location', answer?.headers.location, fate.location) ??
        equal('status', answer?.status, fate.status)
      );
    case 'file':
      return ofFile(fate.path, answer, root);
    case 'pool':
      return ofPool(fate, answer);
    case 'split':
      return 'foretold: one of several';
    case 'unknown':
      return `not known: ${fate.why}: ${fate.text}`;
  }
}

function equal(what: string, came: string | number | null | undefined, told: unknown): string | null {
  if (came === told || came === trimmed(told) || (told !== null && typeof told === 'object')) return null;
  return `${what}: foretold ${JSON.stringify(told)}, came ${JSON.stringify(came)}`;
}

function ofAnswer(
  fate: Extract<meaning.FateView, { kind: 'answer' }>,
  answer: Answer | null,
  asked: Asked,
  hasErrorPage: boolean,
): string | null {
  if (!answer) return `foretold: ${fate.status}; no answer came`;
  if (answer.headers['x-origin'] !== undefined) return `foretold: ${fate.status}; a server answered`;
  // The file of an error page may not be there, of which the model says nothing.
  const isLost =
    fate.status >= 400 && fate.body === null && [404, 403].includes(answer.status) && hasErrorPage;
  const status = isLost ? null : equal('status', answer.status, fate.status);
  const hasBody = fate.body !== null && asked.method !== 'HEAD' && ![204, 304].includes(fate.status);
  return status ?? (hasBody ? equal('body', answer.body, fate.body) : null);
}

/** Of a file only that it is one: 200, 404, 403 and 405 are what files answer, 301 to a folder, or an error page. */
function ofFile(path: meaning.Told, answer: Answer | null, root: string): string | null {
  if (!answer || answer.headers['x-origin'] !== undefined) return 'foretold: a file; something else answered';
  if (![200, 301, 403, 404, 405, 500].includes(answer.status))
    return `foretold: a file; came: ${answer.status}`;
  if (answer.status !== 200 || typeof path !== 'string' || !path.startsWith(root) || answer.body === '')
    return null;
  const name = path.slice(root.length).replace(/^\/+/, '');
  const index = name === '' || name.endsWith('/') ? `${name}index.html` : name;
  return answer.body === 'file error' ? null : equal('file', answer.body, `file ${index}`);
}

function ofPool(fate: Extract<meaning.FateView, { kind: 'pool' }>, answer: Answer | null): string | null {
  const port = answer?.headers['x-origin'];
  if (!answer || port === undefined)
    return `foretold: ${fate.pool}; came: ${answer?.status ?? 'no answer'} without a server`;
  if (!fate.servers.includes(`127.0.0.1:${port}`))
    return `foretold: ${fate.servers.join(', ')}; came: ${port}`;
  const [line = '', ...rest] = Buffer.from(answer.headers['x-head'] ?? '', 'base64')
    .toString('latin1')
    .split('\r\n');
  const seen = new Map(
    rest.map((one) => [one.slice(0, one.indexOf(':')).toLowerCase(), one.slice(one.indexOf(':') + 1).trim()]),
  );
  const { method, path, query, host, headers } = fate.sent;
  const url = typeof path === 'string' ? `${path}${typeof query === 'string' ? `?${query}` : ''}` : null;
  const [came, to] = [
    line.slice(0, line.indexOf(' ')),
    line.slice(line.indexOf(' ') + 1, line.lastIndexOf(' ')),
  ];
  const names = Object.entries(headers).map(([name, value]) =>
    equal(name, seen.get(name) ?? '', value ?? ''),
  );
  return (
    equal('method', came, method) ??
    equal('URL', to, url) ??
    equal('Host', seen.get('host') ?? '', host ?? '') ??
    names.find((one) => one !== null) ??
    null
  );
}

/** Spaces at the end of a header's value are not its own. */
const trimmed = (told: unknown) => (typeof told === 'string' ? told.trim() : told);
