import { access, constants } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { systemClock } from '#base';
import { nginxDialect, nginxFirstFd, nginxNames } from '#dialects';
import type { Command, Engine, EngineBinary, EngineVerdict, Identity, StartPlan } from '../engine.ts';
import { environment, run } from '../run.ts';
import { openControl } from './control.ts';
import { startFacts } from './facts.ts';
import { nginxFaults } from './known-faults.ts';
import { endOrphans } from './lead-away.ts';

const versionTimeoutMs = 5_000;
const checkTimeoutMs = 30_000;
/** Of any file that it writes: with nobody there to read its log, it stops at this size and goes on serving. */
const fileKilobytesMax = 65_536;

export const nginxEngine: Engine = {
  name: 'nginx',
  dialect: nginxDialect,
  endOrphans,
  install: 'sudo apt-get install -y nginx-light',
  knownFaults: nginxFaults,
  find,
  check,
  command,
  control: (handle) => openControl(handle),
};

/** `HOLDFAST_NGINX` names another binary; else the first `nginx` on the path, where Debian's sbin belongs to. */
async function find(): Promise<EngineBinary | null> {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  const named = process.env.HOLDFAST_NGINX;
  const candidates = named ? [named] : folders.filter(Boolean).map((folder) => join(folder, 'nginx'));
  for (const path of candidates) {
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (!isThere) continue;
    const { output, exitStatus } = await run(path, ['-v'], { timeoutMs: versionTimeoutMs });
    const version = /nginx version: \S+?\/(\S+)/i.exec(output)?.[1];
    if (exitStatus === 0 && version !== undefined) return { path, version, ...(await streamModules(path)) };
  }
  return null;
}

/** Debian has `stream` as a module of its own; others have it in the binary. */
async function streamModules(binary: string): Promise<Pick<EngineBinary, 'streamModules'>> {
  const { output } = await run(binary, ['-V'], { timeoutMs: versionTimeoutMs });
  if (/ --with-stream(?: |$)/m.test(output)) return { streamModules: [] };
  const folder = / --modules-path=(\S+)/.exec(output)?.[1];
  if (folder === undefined || !output.includes(' --with-stream=dynamic')) return {};
  const file = join(folder, 'ngx_stream_module.so');
  return await access(file).then(
    () => ({ streamModules: [file] }),
    () => ({}),
  );
}

/**
 * `nginx -t` opens logs, makes folders, and as root deletes the file that `pid` names: so it is never asked as root, and
 * its own error log lies in `folder`.
 */
async function check(
  binary: EngineBinary,
  textFile: string,
  folder: string,
  identity: Identity,
): Promise<EngineVerdict> {
  const began = systemClock.monotonicMs();
  const tookMs = () => systemClock.monotonicMs() - began;
  if (identity === null && process.getuid?.() === 0)
    return { accepted: false, output: 'nginx -t is not run as root', tookMs: tookMs() };
  if (startFacts(textFile).streams && !binary.streamModules)
    return { accepted: false, output: noStreams(binary), tookMs: tookMs() };
  const loads = loadLines(binary, textFile);
  const words = loads === '' ? [] : ['-g', loads];
  const { output, exitStatus } = await run(binary.path, ['-t', '-q', ...places(textFile), ...words], {
    timeoutMs: checkTimeoutMs,
    folder,
    identity,
  });
  return { accepted: exitStatus === 0, output, tookMs: tookMs() };
}

function noStreams({ path }: EngineBinary): string {
  return `${path} has no stream module, which listeners with protocol TCP or TLS need. Install it: sudo apt-get install -y libnginx-mod-stream`;
}

/** A team's own text says itself what it loads. */
function loadLines({ streamModules = [] }: EngineBinary, textFile: string): string {
  if (startFacts(textFile).streams === null) return '';
  return streamModules.map((file) => `load_module "${file}";`).join(' ');
}

/**
 * In the foreground, in the text's folder. It starts accepting: whoever wants it parked parks it (`keepsPublicSide`).
 * The flags are there from the beginning, so that to set one takes no room on a disk.
 * It includes a file that its control takes away when it has started: NGINX keeps what it runs with when it cannot read its
 * text again, so a SIGHUP from anyone is no reload.
 */
function command(binary: EngineBinary, { textFile }: StartPlan): Command {
  const folder = dirname(textFile);
  const { takeBack, netOut, start, net } = nginxNames.files;
  const { sockets: count, own, streams, pools } = startFacts(textFile);
  const flags = [takeBack, netOut, start, ...pools.flatMap(({ known }) => known?.flag ?? [])];
  const numbers = Array.from({ length: count }, (_, index) => ({
    from: 3 + index,
    to: nginxFirstFd + index,
  }));
  const script = [
    ...(streams && !binary.streamModules ? [`echo '${noStreams(binary)}' >&2; exit 1`] : []),
    'cd "$1" || exit 1',
    ['umask 077', ...flags.map((name) => `: > ${name}`)].join('; '),
    ...(streams?.net ? [`mkdir ${net}; ln -s "$2" ${net}/doors; ln -s "$3" ${net}/entrance`] : []),
    ...numbers.map(({ from, to }) => `exec ${to}<&${from}`),
    ...(own ? [] : [`trap '' XFSZ; ulimit -f ${fileKilobytesMax}`]),
    'shift 3; exec "$@"',
  ].join('\n');
  const loads = loadLines(binary, textFile);
  const args = [
    ...places(textFile),
    '-g',
    `${loads} daemon off; include "${join(folder, start)}";`.trimStart(),
  ];
  const links = [streams?.net?.doors ?? '', streams?.net?.entrance ?? ''];
  return {
    file: '/bin/bash',
    args: ['-c', script, 'nginx', folder, ...links, binary.path, ...args],
    env: { ...environment, ...(count === 0 ? {} : { NGINX: numbers.map(({ to }) => `${to};`).join('') }) },
  };
}

/** Relative names of a text of ours start at its folder; those of a team's where its NGINX always starts them. */
function places(textFile: string): string[] {
  const folder = dirname(textFile);
  const { own } = startFacts(textFile);
  const start = own ? [] : ['-p', folder];
  return ['-e', join(folder, nginxNames.files.errors), ...start, '-c', textFile];
}
