import { copyFile, writeFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { Failure, messageOf, systemClock } from '#base';
import type { DriftFinding, DriftView, SiteText } from '#contract';
import { filesAround } from '#model';
import { linesOf, meaningOfWritten, planOf } from '#plan';
import { type CommonOptions, type Context, contextOf, type Exit, exit, talksToSite } from '../command.ts';
import type { Io } from '../io.ts';
import { readPlanned } from '../site-text.ts';

interface DriftOptions extends CommonOptions {
  readonly adopt?: boolean;
  readonly revert?: boolean;
}

/** `holdfast drift`: 0 nothing was changed behind Holdfast's back, 2 something was, 1 it could not be told or mended. */
export function drift(program: Command, io: Io, done: (code: Exit) => void): void {
  const command = program
    .command('drift')
    .description(
      "what was changed behind Holdfast's back: the file, running engines, the text of the next boot",
    )
    .addOption(
      new Option('--adopt', 'keep what running engines were told, for generations to come too').conflicts(
        'revert',
      ),
    )
    .addOption(
      new Option(
        '--revert',
        'take it back: engines, the text of the next boot, and the file (a copy of it stays)',
      ),
    );
  talksToSite(command, ['holdfast drift', 'holdfast drift --revert', 'holdfast drift --adopt']);
  command.addHelpText(
    'after',
    '\nExit status: 0 nothing, 2 something was changed, 1 it could not be told or mended.',
  );
  command.action(async (options: DriftOptions) => done(await look(contextOf(io, options), options)));
}

async function look(context: Context, { adopt, revert }: DriftOptions): Promise<Exit> {
  const { api, json, result, say, paint } = context;
  const mend = adopt ? 'adopt' : revert ? 'revert' : null;
  const view = await (mend
    ? api().post<DriftView>('/v1/drift', { mend })
    : api().get<DriftView>('/v1/drift'));
  const files = view.found.filter(({ kind }) => kind === 'file');
  const put = revert ? await putBack(context, files) : [];
  const left = revert ? view.found.filter(({ kind }) => kind !== 'file') : view.found;
  if (json) {
    result({ found: left, mended: [...view.mended, ...put] });
    return left.length > 0 ? exit.differs : exit.ok;
  }
  for (const line of [...view.mended, ...put]) say(`  ${paint.good('✔')} ${line}`);
  for (const one of left) {
    say(`  ${paint.bad(one.balancer ?? 'the site')}  ${one.what}: ${one.is}; wanted: ${one.wanted}`);
    if (one.kind === 'file') for (const line of await planLines(context, one)) say(`      ${line}`);
    say(`    ${one.remedy}.`);
  }
  if (left.length === 0 && view.mended.length + put.length === 0)
    say(
      'Nothing was changed behind our back: the file, the engines and the next boot are as they should be.',
    );
  return left.length > 0 ? exit.differs : exit.ok;
}

/** What the edited file would do to requests, where it can be told. */
async function planLines({ api, paint }: Context, { what: file }: DriftFinding): Promise<readonly string[]> {
  try {
    const running = await api().get<SiteText>('/v1/site');
    const edited = await readPlanned(file, running.dialect);
    const [before, after] = [
      meaningOfWritten(running, 'what runs', filesAround(running)),
      meaningOfWritten(edited, file, filesAround(edited)),
    ];
    return linesOf(planOf(before, after, { traffic: null, policies: [] }), paint);
  } catch (error) {
    return [`what it would do cannot be told: ${messageOf(error)}`];
  }
}

/** The file as it was applied; what it was is kept beside it. Files that it includes are left alone. */
async function putBack({ api }: Context, files: readonly DriftFinding[]): Promise<readonly string[]> {
  const running = await api().get<SiteText>('/v1/site');
  const said: string[] = [];
  for (const { what: file } of files) {
    const copy = `${file}.edited-${new Date(systemClock.now()).toISOString().replaceAll(':', '')}`;
    try {
      await copyFile(file, copy);
      await writeFile(file, running.text);
    } catch (error) {
      throw new Failure('HF003', `${file} cannot be put back: ${messageOf(error)}`);
    }
    said.push(`${file} is as it was applied; what it was: ${copy}`);
  }
  return said;
}
