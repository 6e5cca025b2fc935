import { posix } from 'node:path';
import type { OwnText } from '#model';
import type { OwnFile } from '../../own.ts';
import type { Directive, Token } from './directives.ts';
import { named, readTexts, walk } from './texts.ts';

/** A word that names a file outside of the text. */
export interface FileWord {
  readonly directive: Directive;
  readonly token: Token;
  readonly path: string;
  readonly use: 'read' | 'log' | 'folder';
}

/** NGINX reads these as the user that starts it, and relative names from the folder of its text. */
const readHere = new Set(
  `ssl_certificate ssl_certificate_key ssl_client_certificate ssl_trusted_certificate ssl_crl ssl_dhparam ssl_password_file
  ssl_session_ticket_key ssl_stapling_file auth_basic_user_file proxy_ssl_certificate proxy_ssl_certificate_key
  proxy_ssl_trusted_certificate proxy_ssl_crl proxy_ssl_password_file grpc_ssl_certificate grpc_ssl_certificate_key
  grpc_ssl_trusted_certificate uwsgi_ssl_certificate uwsgi_ssl_certificate_key uwsgi_ssl_trusted_certificate`.split(
    /\s+/,
  ),
);
const cachePath = /^(?:proxy|fastcgi|uwsgi|scgi)_cache_path$/;
const tempPath = /^(?:client_body|proxy|fastcgi|uwsgi|scgi)_temp_path$/;

/** What NGINX writes to when its text names nothing else: the paths of Debian's package. */
export const impliedPaths = {
  client_body_temp_path: '/var/lib/nginx/body',
  proxy_temp_path: '/var/lib/nginx/proxy',
  fastcgi_temp_path: '/var/lib/nginx/fastcgi',
  uwsgi_temp_path: '/var/lib/nginx/uwsgi',
  scgi_temp_path: '/var/lib/nginx/scgi',
  access_log: '/var/log/nginx/access.log',
  error_log: '/var/log/nginx/error.log',
} as const;

/** What these start from is not the folder of the text, and only known to the binary. */
export const prefix = '/usr/share/nginx';

export function fileWords(
  { folder }: Pick<OwnText, 'folder'>,
  directives: readonly Directive[],
): readonly FileWord[] {
  const found: FileWord[] = [];
  walk(directives, (directive) => {
    const { name, args } = directive;
    const [token] = args;
    if (!token || token.value.includes('$')) return;
    const add = (base: string, use: FileWord['use']) =>
      found.push({ directive, token, path: posix.resolve(base, token.value), use });
    if (readHere.has(name) && !/^(?:data|engine|store):|^off$/.test(token.value)) add(folder, 'read');
    const isLog = name === 'access_log' || name === 'error_log';
    if (isLog && !/^(?:off$|stderr$|syslog:|memory:)/.test(token.value)) add(prefix, 'log');
    if (cachePath.test(name) || tempPath.test(name)) add(prefix, 'folder');
  });
  return found;
}

/** Paths that are written to although no directive names them. */
export function impliedFiles(directives: readonly Directive[]): readonly (keyof typeof impliedPaths)[] {
  const http = named(directives, 'http').flatMap(({ block }) => block ?? []);
  const said = new Set([
    ...http.map(({ name }) => name),
    ...named(directives, 'error_log').map(({ name }) => name),
  ]);
  return (Object.keys(impliedPaths) as (keyof typeof impliedPaths)[]).filter((name) => !said.has(name));
}

export function files(own: Pick<OwnText, 'file' | 'folder' | 'text' | 'includes'>): readonly OwnFile[] {
  const { directives } = readTexts(own.file, own.folder, own.text, own.includes);
  const said = fileWords(own, directives).map(({ directive, token, path, use }) => ({
    path,
    use: use === 'read' ? ('read' as const) : ('write' as const),
    file: directive.file,
    line: token.line,
  }));
  const implied = impliedFiles(directives).map((name) => ({
    path: impliedPaths[name],
    use: 'write' as const,
    file: own.file,
    line: 1,
  }));
  return [...said, ...implied];
}
