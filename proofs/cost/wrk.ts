/** As many requests as the engine takes, on kept connections; it answers them itself, so no server has a share in it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const seconds = 12;

export function startWrk(port: number): { readonly ended: Promise<{ readonly perSecond: number }> } {
  const words = ['-t1', '-c64', `-d${seconds}s`, `http://127.0.0.1:${port}/full`];
  const child = spawn('wrk', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = once(child, 'close').then(() => {
    const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(said)?.[1] ?? Number.NaN);
    if (Number.isNaN(perSecond)) throw new Error(`wrk: ${said}`);
    return { perSecond };
  });
  return { ended };
}
