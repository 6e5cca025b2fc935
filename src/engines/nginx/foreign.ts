import type { CommandLine, ForeignEngine } from '../foreign.ts';
import { onlook } from './onlook.ts';

export const foreignNginx: ForeignEngine = {
  executable: 'nginx',
  version: /nginx version: nginx\/(\S+)/i,
  defaultFile: '/etc/nginx/nginx.conf',
  commandLine,
  ownVariables: /^NGINX/,
  gentleSignal: 'SIGQUIT',
  breaksIdle: true,
  inherits: (fds) => ({ NGINX: fds.map((fd) => `${fd};`).join('') }),
  inBackground: (args) => args,
  onlook,
};

/** A flag with its value, which may have spaces: `-g daemon on; master_process on;`. */
const flagShape = /(?:^| )(-[cpge]) (.*?)(?= -[cpgeqtTsvV](?: |$)|$)/g;

/** NGINX writes its title over its words: `nginx: master process /usr/sbin/nginx -g daemon on; -c nginx.conf`. */
function commandLine(words: readonly string[]): CommandLine {
  const title = words.join(' ').trim();
  const line = title.replace(/^nginx: (?:master|worker) process ?/, '');
  const found = [...line.matchAll(flagShape)].map(
    ([, flag = '', value = '']) => [flag, value.trim()] as const,
  );
  return {
    files: found.flatMap(([flag, value]) => (flag === '-c' ? [value] : [])),
    args: found.flat(),
    pidFile: null,
  };
}
