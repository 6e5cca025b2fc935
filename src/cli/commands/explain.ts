import type { Command } from 'commander';
import type { ExplainView } from '#contract';
import type { TextDialect } from '#model';
import { actionText, askedRequest, explain as explainRequest } from '#plan';
import type { meaning } from '#routing';
import { type CommonOptions, contextOf, dialectOption, type Exit, exit, withExamples } from '../command.ts';
import type { Io, Paint } from '../io.ts';
import { readMeaning } from '../meaning.ts';

interface ExplainOptions extends CommonOptions {
  readonly dialect?: TextDialect;
  readonly header: readonly string[];
  readonly from?: string;
  readonly all?: boolean;
}

/** `holdfast explain FILE REQUEST`: 0 it is told, 1 the text or the request cannot be read. Asks nobody. */
export function explain(program: Command, io: Io, done: (code: Exit) => void): void {
  const command = program
    .command('explain')
    .description('say what a text does with one request: which rule, which pool, and why')
    .argument('<file>', 'site file, haproxy.cfg or nginx.conf')
    .argument('<request>', "method and URL: 'GET https://shop.example/cart?x=1'")
    .addOption(dialectOption())
    .option('-H, --header <line>', 'a header, `Name: value`; again for more', collect, [])
    .option('--from <address>', "the client's address")
    .option('--all', 'every rule that was looked at, also those that did not hold');
  withExamples(command, [
    "holdfast explain site.yaml 'GET http://shop.example/cart'",
    "holdfast explain haproxy.cfg 'GET https://shop.example/cart?x=1' -H 'Cookie: a=b' --from 10.1.2.3",
  ]);
  command.action(async (file: string, request: string, options: ExplainOptions) => {
    const context = contextOf(io, options);
    const { meaning } = await readMeaning(file, options.dialect);
    const asked = askedRequest({ request, headers: options.header, from: options.from ?? null }, meaning);
    const view = explainRequest(meaning, asked);
    if (context.json) context.result(view);
    const lines =
      view.listener === null
        ? nobody(asked.port, meaning, context.paint)
        : linesOf(view, context.paint, options.all === true);
    for (const line of lines) context.say(line);
    done(exit.ok);
  });
}

function collect(line: string, before: readonly string[]): readonly string[] {
  return [...before, line];
}

function nobody(port: number | null, { listeners }: meaning.Meaning, paint: Paint): string[] {
  const there = listeners.map(
    ({ name, host, port: at, tls, mode }) =>
      `  ${name}  ${at === null ? host : `${host}:${at}`}  ${tls ? 'TLS' : mode}`,
  );
  return [
    paint.bad(`nobody listens on port ${port} for such a request`),
    ...(there.length > 0
      ? ['Listeners are (name the port in the URL):', ...new Set(there)]
      : ['The text has no listener.']),
  ];
}

/** What took it stands last, and the answer under it. */
function linesOf(view: ExplainView, paint: Paint, all: boolean): string[] {
  const { listener, rule, action, exact, because, otherwise } = view;
  const shown = all ? because : because.filter(({ held }) => held !== false);
  const left = because.length - shown.length;
  return [
    `listener ${paint.bold(listener ?? '')}`,
    ...(left > 0
      ? [paint.dim(`  ${left} ${left === 1 ? 'rule' : 'rules'} did not hold (--all shows them)`)]
      : []),
    ...shown.map(({ file, line, text, held, why }) => {
      const mark = held ? paint.good('holds') : paint.dim('no   ');
      return `  ${mark}  ${file}:${line}  ${text}  ${paint.dim(why)}`;
    }),
    ...(rule ? [] : [paint.dim('  no rule took it: the default does')]),
    `${exact ? 'gets' : 'may get'} ${paint.bold(actionText(action))}`,
    ...otherwise.map((one) => `or ${paint.bold(actionText(one))}`),
    ...(exact ? [] : [paint.warn('which, depends on something that text and request do not say')]),
  ];
}
