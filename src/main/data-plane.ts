/**
 * The processes beside the engines: `data-plane.ts agent|holder|away ...`. Started by `up` or by each other, for months, so
 * they load neither the command line nor the controller. `compile` only fills the code cache.
 */
import { parseArgs } from 'node:util';
import { loadAll } from '#agent';
import { messageOf } from '#base';
import { loadProcesses } from '#engines';
import { siteJsonSchema } from '#model';
import { runAgent } from './agent.ts';
import { keepAway } from './away.ts';
import { runHolder } from './holder.ts';

const ownMistakeStatus = 70;

function ownMistake(error: unknown): void {
  const stack = error instanceof Error ? error.stack : messageOf(error);
  process.stderr.write(`HF900 A mistake of Holdfast itself: ${stack}\n`);
  process.exit(ownMistakeStatus);
}

function required(name: string, value: string | undefined): string {
  if (value === undefined) throw new Error(`--${name} is missing`);
  return value;
}

async function run(args: readonly string[]): Promise<void> {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { site: text, balancer: text, folder: text, from: text },
  });
  switch (positionals[0]) {
    case 'agent':
      return await runAgent({
        site: required('site', values.site),
        balancer: required('balancer', values.balancer),
      });
    case 'holder':
      return await runHolder({ folder: required('folder', values.folder) });
    case 'away':
      return await keepAway(required('from', values.from));
    case 'compile':
      siteJsonSchema();
      await Promise.all([loadAll(), loadProcesses()]);
      return process.exit(0);
    default:
      throw new Error(`agent, holder, away or compile was expected, not ${positionals[0]}`);
  }
}

process.on('uncaughtException', ownMistake);
process.on('unhandledRejection', ownMistake);
await run(process.argv.slice(2));
