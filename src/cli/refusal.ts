import { noAnswer, refusalOf } from './api-client.ts';
import { type Exit, report } from './command.ts';

/** For `urgent.js`: says what came instead of a good answer. `status` 0: the connection broke, for the reason in `text`. */
export function tellRefusal(
  { status, text }: { readonly status: number; readonly text: string },
  url: string,
  json: boolean,
): Exit {
  const { env, stdout, stderr } = process;
  const io = {
    env,
    tty: stdout.isTTY === true,
    out: (words: string) => stdout.write(words),
    err: (words: string) => stderr.write(words),
  };
  return report(io, status === 0 ? noAnswer(url, text) : refusalOf(status, text), json);
}
