import type { CommandLine, ForeignEngine } from '../foreign.ts';
import { onlook } from './onlook.ts';

/** Flags that take one word after them. */
const withWord = ['-f', '-p', '-S', '-L', '-n', '-m', '-N', '-C', '-x'];

export const foreignHaproxy: ForeignEngine = {
  executable: 'haproxy',
  version: /HAProxy version (\S+)/i,
  defaultFile: '',
  commandLine,
  ownVariables: /^HAPROXY_/,
  gentleSignal: 'SIGUSR1',
  breaksIdle: false,
  inherits: () => null,
  inBackground: (args) => [...args.filter((word) => word !== '-db' && word !== '-D'), '-D'],
  onlook,
};

/** `haproxy -sf 123 -W -f haproxy.cfg -x sock`: what a reload adds is left out. */
function commandLine(words: readonly string[]): CommandLine {
  const files: string[] = [];
  const args: string[] = [];
  let pidFile: string | null = null;
  for (let at = 1; at < words.length; ) {
    const word = words[at] ?? '';
    if (word === '-sf' || word === '-st') {
      at += 1;
      while (/^\d+$/.test(words[at] ?? '')) at += 1;
      continue;
    }
    if (word === '--') {
      files.push(...words.slice(at + 1));
      args.push(...words.slice(at));
      break;
    }
    const taken = words.slice(at, at + (withWord.includes(word) ? 2 : 1));
    const value = taken[1] ?? '';
    if (word === '-f') files.push(value);
    if (word === '-p') pidFile = value;
    if (word !== '-x') args.push(...taken);
    at += taken.length;
  }
  return { files, args, pidFile };
}
