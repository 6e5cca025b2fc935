import { spawn } from 'node:child_process';
import { plainLines } from '../message.ts';
import type { NotifierHow } from '../settings.ts';
import { failed, type NotifierPorts, type Send, sent } from './notifier.ts';

const wordsKept = 4_096;
/** Only these of our own environment: no secret of ours is a program's business. */
const passedOn = ['PATH', 'HOME', 'LANG', 'TZ', 'USER'] as const;

/**
 * A program of this machine, started without a shell: the message as JSON on its standard input, the main words in its
 * environment (HOLDFAST_TITLE, HOLDFAST_TO, ...). Exit 0: it has told them. Exit 75 and signals: later. Else never.
 */
export function command({ run, timeoutMs }: NotifierHow & { kind: 'command' }, { env }: NotifierPorts): Send {
  return (message, signal) =>
    new Promise((resolve) => {
      const [file = '', ...args] = run;
      const child = spawn(file, args, {
        stdio: ['pipe', 'pipe', 'pipe'],
        // A group of its own: what it starts is ended with it.
        detached: true,
        env: {
          ...Object.fromEntries(
            passedOn.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
          ),
          HOLDFAST_KEY: message.key,
          HOLDFAST_PAGE: message.page,
          HOLDFAST_WHAT: message.what,
          HOLDFAST_SITE: message.site,
          HOLDFAST_PERSON: message.person ?? '',
          HOLDFAST_TO: message.to,
          HOLDFAST_SEVERITY: message.severity,
          HOLDFAST_TITLE: message.title,
          HOLDFAST_TEXT: plainLines(message).join('\n'),
        },
      });
      let said = '';
      let why = '';
      const hear = (part: Buffer) => {
        said = `${said}${part.toString('utf8')}`.slice(0, wordsKept);
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.stdin.on('error', () => {});
      child.stdin.end(`${JSON.stringify({ version: '1', ...message })}\n`);
      const end = (because: string) => {
        why = because;
        endGroup(child.pid);
      };
      const off = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      const onAbort = () => end(`it had not ended after ${timeoutMs} ms`);
      off.addEventListener('abort', onAbort, { once: true });
      child.once('error', (error: NodeJS.ErrnoException) => {
        off.removeEventListener('abort', onAbort);
        resolve(failed(`${file} does not start (${error.code ?? error.message})`, error.code === 'ENOENT'));
      });
      child.once('close', (code, name) => {
        off.removeEventListener('abort', onAbort);
        if (code === 0 && why === '') return resolve(sent(said || 'exit 0'));
        const how = why || `it ended with ${name ?? `exit ${code}`}`;
        resolve(failed(`${how}${said ? `: ${said}` : ''}`, why === '' && name === null && code !== 75));
      });
    });
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
