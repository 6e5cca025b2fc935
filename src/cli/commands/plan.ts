import { readFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { Failure, messageOf } from '#base';
import type { PlanView, ProofView, SiteText } from '#contract';
import { Shared } from '#dialects';
import { filesAround, type TextDialect, type WrittenText } from '#model';
import {
  isPolicyFile,
  linesOf,
  markdownOf,
  meaningOfWritten,
  mustReadPolicies,
  type PolicyFile,
  planOf,
  type Traffic,
  trafficOf,
} from '#plan';
import {
  type CommonOptions,
  type Context,
  contextOf,
  dialectOption,
  type Exit,
  exit,
  talksToSite,
} from '../command.ts';
import type { Io } from '../io.ts';
import { readPlanned, readWritten } from '../site-text.ts';

interface PlanOptions extends CommonOptions {
  readonly from?: string;
  readonly dialect?: TextDialect;
  readonly traffic?: string;
  readonly host?: string;
  readonly queryValues?: boolean;
  readonly policy: readonly string[];
  readonly markdown?: boolean;
  readonly prove?: boolean;
}

/** Sends the witnesses of a plan to the real engines, each with one of the texts. Ends with the signal. */
export type Prove = (
  plan: PlanView,
  before: WrittenText,
  after: WrittenText,
  options: { readonly withinMs: number },
) => Promise<ProofView>;

const logBytesMax = 512 * 1024 * 1024;
const requestsMax = 100_000;
const proveMsMax = 120_000;

/** `holdfast plan FILE [--from FILE]`: 0 nothing changes, 2 something does, 1 it could not be told. Changes nothing. */
export function plan(program: Command, io: Io, done: (code: Exit) => void, prove?: Prove): void {
  const command = program
    .command('plan')
    .description('say what a change does to every possible request, with a request for each difference')
    .argument('<file>', 'the new text: site file, haproxy.cfg or nginx.conf')
    .option('--from <file>', 'the text before; what runs here when left out')
    .addOption(dialectOption())
    .option('--traffic <log>', 'an access log: which share of its requests each difference moves')
    .option('--host <name>', 'the host of requests whose log line names none', hostOption)
    .option('--query-values', 'look at the values of query parameters in the log, not only at their names')
    .option('--policy <file>', 'a policy file (docs/policies.md); again for more', collect, [])
    .option('--markdown', 'as a comment for a pull request')
    .option(
      '--prove',
      'start the real engines with both texts on private sockets and send them every witness',
    );
  talksToSite(command, [
    'holdfast plan site.yaml',
    'holdfast plan new/haproxy.cfg --from /etc/haproxy/haproxy.cfg --traffic /var/log/haproxy.log',
    'holdfast plan nginx.conf --from old/nginx.conf --policy policy.yaml --markdown',
    'holdfast plan haproxy.cfg --from old/haproxy.cfg --prove',
  ]);
  command.addHelpText(
    'after',
    '\nExit status: 0 nothing changes, 2 something does, 1 it could not be told, 70 an engine does otherwise than foretold.',
  );
  command.action(async (file: string, options: PlanOptions) => {
    const context = contextOf(io, options);
    const read = options.prove ? readWritten : readPlanned;
    const after = await read(file, options.dialect);
    const before = await textBefore(context, options, read);
    const shared = new Shared();
    const told = planOf(meaningIn(before.text, before.called, shared), meaningIn(after, file, shared), {
      traffic: await readTraffic(options),
      policies: await Promise.all(options.policy.map(readPolicyFile)),
    });
    const proof =
      options.prove && prove ? await prove(told, before.text, after, { withinMs: proveMsMax }) : null;
    const view = proof ? { ...told, proof } : told;
    if (context.json) context.result(view);
    else if (options.markdown) io.out(markdownOf(view));
    else for (const line of linesOf(view, context.paint)) context.say(line);
    const broken = view.policies.some(({ held }) => !held);
    const wrong = (proof?.disagreements ?? 0) > 0;
    done(wrong ? exit.ownMistake : broken ? exit.refused : view.same ? exit.ok : exit.differs);
  });
}

interface Before {
  readonly text: WrittenText;
  readonly called: string;
}

async function textBefore(
  context: Context,
  { from, dialect }: PlanOptions,
  read: typeof readWritten,
): Promise<Before> {
  if (from !== undefined) return { text: await read(from, dialect), called: from };
  return { text: await context.api().get<SiteText>('/v1/site'), called: 'what runs' };
}

function meaningIn(text: WrittenText, called: string, shared: Shared) {
  return meaningOfWritten(text, called, filesAround(text), shared);
}

async function readTraffic(options: PlanOptions): Promise<Traffic | null> {
  const { traffic: file, host, queryValues = false } = options;
  if (file === undefined) return null;
  const text = await readText(file, 'a log');
  return trafficOf(text, file, { host: host ?? null, queryValues, requestsMax });
}

async function readPolicyFile(file: string): Promise<PolicyFile> {
  const text = await readText(file, 'a policy file');
  if (!isPolicyFile(text))
    throw new Failure(
      'HF005',
      `${file} is not a policy file`,
      'It has `expect:` or `policies:` at the left edge.',
    );
  return mustReadPolicies(text, file);
}

/** @throws Failure HF002, HF003 */
async function readText(file: string, what: string): Promise<string> {
  try {
    const bytes = await readFile(file);
    if (bytes.length > logBytesMax)
      throw new Failure('HF002', `${what} has at most ${logBytesMax} bytes: ${file}`);
    return bytes.toString('latin1');
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('HF003', `${file}: ${messageOf(error)}`);
  }
}

function hostOption(given: string): string {
  if (/^[A-Za-z0-9._-]+(?::\d+)?$/.test(given)) return given;
  throw new InvalidArgumentError('A host such as shop.example.');
}

function collect(file: string, before: readonly string[]): readonly string[] {
  return [...before, file];
}
