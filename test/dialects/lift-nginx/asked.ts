import { liftNginx, type TextFiles } from '#dialects';
import { meaning } from '#routing';

const noFiles: TextFiles = { find: () => [], read: () => null };

export function lifted(text: string, files: TextFiles = noFiles): meaning.Meaning {
  return liftNginx({ file: 'nginx.conf', folder: '/etc/nginx', text }, files);
}

/** What a text does to a request, in a few words; several ways where the text alone does not decide. */
export function asked(text: string, url: string, said: Partial<meaning.Request> = {}): string {
  return [...new Set(waysOf(text, url, said).map(shown))].join(' | ');
}

/** What a pool is sent, which is all that becomes of it. */
export function wayOf(text: string, url: string, said: Partial<meaning.Request> = {}): meaning.SentView {
  const [fate, ...others] = waysOf(text, url, said);
  if (fate?.kind !== 'pool' || others.length > 0) throw new Error('it does not go to one pool');
  return fate.sent;
}

function waysOf(text: string, url: string, said: Partial<meaning.Request>): readonly meaning.FateView[] {
  const [, scheme = 'http', host = '', path = '/', query] =
    /^(https?):\/\/([^/]*)([^?]*)(?:\?(.*))?$/s.exec(url) ?? [];
  const port = Number(/:(\d+)$/.exec(host)?.[1] ?? (scheme === 'https' ? 443 : 80));
  const request = meaning.requestOf({
    scheme: scheme === 'https' ? 'https' : 'http',
    host: host === '' ? null : host,
    path: path === '' ? '/' : path,
    query: query ?? null,
    port,
    ...said,
  });
  return meaning.fateOf(lifted(text), request).ways.map(({ fate }) => fate);
}

const told = (value: meaning.Told): string =>
  value === null ? '-' : typeof value === 'string' ? value : `(${value.text})`;

function shown(fate: meaning.FateView): string {
  switch (fate.kind) {
    case 'pool': {
      const { path, query, host } = fate.sent;
      return `${fate.pool} ${told(host)} ${told(path)}${query === null ? '' : `?${told(query)}`}`;
    }
    case 'redirect':
      return `${fate.status} ${told(fate.location)}`;
    case 'answer':
      return fate.body === null ? `${fate.status}` : `${fate.status} ${told(fate.body)}`;
    case 'file':
      return `file ${told(fate.path)}`;
    case 'split':
      return fate.shares.map((share) => `${share.weight} ${shown(share.fate)}`).join(', ');
    case 'reject':
      return `reject ${fate.how}`;
    case 'unknown':
      return `unknown ${fate.why}: ${fate.text}`;
  }
}
