import { join } from 'node:path';
import { messageOf } from '#base';
import { type LiftFiles, liftOwn, type StagedText, stageOwn } from '#dialects';
import { type Command, chooseEngine, type Identity, type Installed, identityOf } from '#engines';
import type { OwnDialectName } from '#model';
import { meaning } from '#routing';
import { ask } from './ask.ts';
import { standInCertificate } from './certificate.ts';
import { type Came, cameText, disagreement, seenIn } from './compare.ts';
import { EngineRefused, type Staged, startStaged } from './engine.ts';
import { type ProofFolder, proofFolder } from './folder.ts';
import { type StandIns, startStandIns } from './stand-ins.ts';

/** A text as it is lifted. */
export interface OwnProof {
  readonly file: string;
  /** Absolute; relative names of an nginx.conf start there. */
  readonly folder: string;
  readonly text: string;
  readonly dialect: OwnDialectName;
  readonly files: LiftFiles;
  /** Where it is known already. Absent: the text is lifted. */
  readonly meaning?: meaning.Meaning;
}

export interface ProofOptions {
  /** All of it, the start included. */
  readonly withinMs?: number;
  readonly signal?: AbortSignal;
}

export interface TextProof {
  /** `haproxy 2.6.12`; null: it is not installed. */
  readonly engine: string | null;
  /** Why nothing could be asked: the engine is not here, or refuses the text in its own words. Null: it ran. */
  readonly refused: string | null;
  readonly startMs: number | null;
  /** One for each witness, in their order. */
  readonly outcomes: readonly Outcome[];
  /** What was not as the text has it. */
  readonly replaced: readonly string[];
}

export interface Outcome {
  readonly request: meaning.Request;
  readonly kind: 'proven' | 'not provable' | 'disagreement';
  /** What was foretold; null: nothing was. */
  readonly foretold: meaning.FateView | null;
  /** What came, in words; null: nobody was asked. */
  readonly came: string | null;
  /** Why it is not proven. */
  readonly why: string;
}

const withinMsDefault = 120_000;
const startMsMax = 30_000;
const answerMsMax = 10_000;
const silenceMs = 1_500;
const togetherMax = 8;

/**
 * The real engine runs the text on private sockets and is sent every witness; what becomes of each is compared with what
 * the text was lifted to. Leaves nothing behind, however it ends. Rejects only when this machine has no room for it (HF306).
 */
export async function proveOwn(
  text: OwnProof,
  witnesses: readonly meaning.Request[],
  options: ProofOptions = {},
): Promise<TextProof> {
  const lifted = text.meaning ?? liftOwn(text, text.dialect, text.files);
  const by = await chooseEngine(text.dialect).catch((error: unknown) => messageOf(error));
  if (typeof by === 'string') return unasked(witnesses, { engine: null, refused: by });
  const identity = identityOf(by.engine, { own: null });
  return await withStage({ by, identity, lifted, witnesses, options }, (plan) => ({
    staged: stageOwn(text, text.dialect, text.files, { ...plan, meaning: lifted }),
    command: (file) => withVariables(commands[text.dialect](by, file), text),
  }));
}

/** In the foreground and as one process, so that it ends with one signal. */
const commands: Readonly<Record<OwnDialectName, (by: Installed, file: string) => Command>> = {
  haproxy: ({ binary }, file) => ({ file: binary.path, args: ['-db', '-f', file], env: {} }),
  nginx: ({ binary }, file) => ({
    file: binary.path,
    args: ['-e', 'stderr', '-c', file, '-g', 'daemon off; master_process off;'],
    env: {},
  }),
};

/** Those of the engine's environment that the text speaks of, as the lift was told them. */
function withVariables(command: Command, { text, files }: OwnProof): Command {
  const names = new Set([...text.matchAll(/\$\{?([A-Za-z_]\w*)/g)].map(([, name = '']) => name));
  const known = [...names].flatMap((name) => {
    const value = files.environment(name);
    return value === null || name === 'PATH' || name.startsWith('LD_') ? [] : [[name, value] as const];
  });
  return { ...command, env: { ...Object.fromEntries(known), ...command.env } };
}

export interface Production {
  readonly staged: StagedText;
  readonly command: (textFile: string) => Command;
  /** Requests come to one plain entrance, whatever listener they are for. */
  readonly entrance?: { readonly http: string; readonly stream: string };
}

export interface StagePlace {
  readonly folder: string;
  /** A certificate with its key. */
  readonly certificate: string;
  readonly write: ProofFolder['write'];
}

export interface StagedProof {
  readonly by: Installed;
  readonly identity: Identity;
  readonly lifted: meaning.Meaning;
  readonly witnesses: readonly meaning.Request[];
  readonly options: ProofOptions;
}

export async function withStage(
  proof: StagedProof,
  produce: (place: StagePlace) => Production,
): Promise<TextProof> {
  const { by, identity, witnesses } = proof;
  const engine = `${by.engine.name} ${by.binary.version}`;
  const folder = proofFolder(identity);
  let standIns: StandIns | null = null;
  let running: Staged | null = null;
  try {
    const pair = standInCertificate();
    const certificate = folder.write('pair.pem', pair.cert + pair.key);
    const production = produce({ folder: folder.path, certificate, write: folder.write });
    const { staged } = production;
    for (const [name, content] of Object.entries(staged.files)) folder.write(name, content);
    const textFile = folder.write(by.engine.dialect.fileName, staged.text);
    const foretold = witnesses.map((request) => foretell(proof.lifted, request, production));
    standIns = await startStandIns(wanted(staged, foretold), folder.path, pair);
    const deadline = performance.now() + (proof.options.withinMs ?? withinMsDefault);
    try {
      running = await startStaged(production.command(textFile), {
        folder,
        identity,
        sockets: production.entrance
          ? [production.entrance.http]
          : staged.listeners.map(({ socket }) => socket),
        withinMs: Math.min(startMsMax, proof.options.withinMs ?? withinMsDefault),
        signal: proof.options.signal,
      });
    } catch (error) {
      if (!(error instanceof EngineRefused)) throw error;
      const refused = inItsLines(error.message, by.engine.dialect.fileName, staged);
      return unasked(witnesses, { engine, refused, replaced: staged.replaced });
    }
    const asking: Asking = {
      production,
      folder: folder.path,
      running,
      standIns,
      deadline,
      signal: proof.options.signal,
    };
    const outcomes = await askAll(foretold, asking);
    return {
      engine,
      refused: null,
      startMs: Math.round(running.startMs),
      outcomes,
      replaced: staged.replaced,
    };
  } finally {
    await running?.end();
    standIns?.close();
    await folder.remove();
  }
}

/** What an engine said of a staged text, in the lines of the team's own. */
function inItsLines(words: string, fileName: string, { original }: StagedText): string {
  return words
    .split('\n')
    .filter((line) => !line.startsWith('[NOTICE]'))
    .join('\n')
    .replaceAll(new RegExp(`\\b${fileName.replace('.', '\\.')}:(\\d+)`, 'g'), (whole, line: string) => {
      const its = original[Number(line) - 1];
      return its === undefined ? whole : `${fileName}:${its}`;
    });
}

export function unasked(
  witnesses: readonly meaning.Request[],
  {
    engine,
    refused,
    replaced = [],
  }: { engine: string | null; refused: string; replaced?: readonly string[] },
): TextProof {
  const why = engine === null ? refused : `${engine} does not run the text`;
  const outcomes = witnesses.map((request) => ({
    request,
    kind: 'not provable' as const,
    foretold: null,
    came: null,
    why,
  }));
  return { engine, refused, startMs: null, outcomes, replaced };
}

type Foretold = { readonly request: meaning.Request } & (
  | { readonly fate: meaning.FateView; readonly socket: string; readonly tls: boolean }
  | { readonly fate: meaning.FateView | null; readonly socket: null; readonly why: string }
);

/** What the meaning says of a request, and where it is asked; or why nobody can be asked. */
function foretell(
  text: meaning.Meaning,
  request: meaning.Request,
  { staged, entrance }: Production,
): Foretold {
  const { listener, exact, ways, unknowns, more } = meaning.fateOf(text, request);
  const fate = ways[0]?.fate ?? null;
  const not = (why: string): Foretold => ({ request, fate, socket: null, why });
  if (listener === null) return not('nobody listens there, so there is nobody to ask');
  if (!canBeSent(request)) return not('it has bytes that cannot stand in a request line or a header');
  if (!request.version.startsWith('1.'))
    return not(`it is a request of HTTP/${request.version}, which is not spoken here`);
  // What is not known may make no difference.
  const isOne = !more && new Set(ways.map((way) => JSON.stringify(way.fate))).size === 1;
  if (!(exact || isOne) || fate === null)
    return not(
      `it depends on what text and request do not say: ${unknowns.map(({ text: said }) => said).join(', ') || 'too many ways'}`,
    );
  if (fate.kind === 'unknown') return not(`it is not known: ${fate.text}`);
  const speaks = staged.speakOfSource.find((name) => name in request.headers);
  if (speaks !== undefined) return not(`${speaks} says whose request it is, and the stage says that already`);
  const pools = poolsOf(fate);
  const away = pools.find(
    (pool) => !staged.servers.some((server) => server.pool === pool.name) && pool.servers > 0,
  );
  if (away) return not(`where ${away.name} is, only a request says`);
  const { tls } = listener;
  if (tls && request.scheme === 'http') return not('it speaks no TLS to a listener of TLS');
  if (entrance)
    return {
      request,
      fate,
      socket: listener.mode === 'tcp' ? entrance.stream : entrance.http,
      tls: listener.mode === 'tcp' && request.scheme === 'https',
    };
  const at = staged.listeners.find(({ host, port }) => host === listener.host && port === listener.port);
  if (!at) return not('its listener is not on the stage');
  return { request, fate, socket: at.socket, tls: tls || request.scheme === 'https' };
}

function canBeSent({ method, path, query, host, headers }: meaning.Request): boolean {
  const line = [method, path, query ?? ''].every((part) => !/[\s\p{Cc}]/u.test(part));
  const values = [host ?? '', ...Object.values(headers)].every((value) => !/[\r\n\0]/.test(value));
  return line && values && Object.keys(headers).every((name) => /^[!#$%&'*+.^_`|~\w-]+$/.test(name));
}

function poolsOf(fate: meaning.FateView): readonly { readonly name: string; readonly servers: number }[] {
  if (fate.kind === 'split') return fate.shares.flatMap((share) => poolsOf(share.fate));
  return fate.kind === 'pool' ? [{ name: fate.pool, servers: fate.servers.length }] : [];
}

const standInsMax = 1_000;

/** Of a text with very many servers only those have a stand-in of which something is foretold: each costs a socket. */
function wanted({ servers }: StagedText, foretold: readonly Foretold[]): StagedText['servers'] {
  if (servers.length <= standInsMax) return servers;
  const pools = new Set(foretold.flatMap(({ fate }) => (fate ? poolsOf(fate).map(({ name }) => name) : [])));
  return servers.filter(({ pool }) => pools.has(pool)).slice(0, standInsMax);
}

interface Asking {
  readonly production: Production;
  readonly folder: string;
  readonly running: Staged;
  readonly standIns: StandIns;
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
}

async function askAll(foretold: readonly Foretold[], asking: Asking): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < foretold.length; at = next++) {
      const one = foretold[at];
      if (one) outcomes[at] = await askOne(one, asking);
    }
  };
  await Promise.all(Array.from({ length: togetherMax }, worker));
  return outcomes;
}

async function askOne(one: Foretold, asking: Asking): Promise<Outcome> {
  const { request, fate: foretold } = one;
  const not = (why: string, came: string | null = null): Outcome => ({
    request,
    kind: 'not provable',
    foretold,
    came,
    why,
  });
  if (one.socket === null) return not(one.why);
  if (asking.signal?.aborted) return not('it was stopped before');
  const leftMs = asking.deadline - performance.now();
  if (leftMs <= 0) return not('the time for the proof was over before');
  const dead = asking.running.ended();
  if (dead !== null) return not(`the engine had gone: ${dead}`);
  const { staged } = asking.production;
  const isSilent = one.fate.kind === 'reject' && one.fate.how === 'silent';
  const reply = await ask(
    join(asking.folder, one.socket),
    request,
    one.tls,
    Math.min(leftMs, isSilent ? silenceMs : answerMsMax),
  );
  const came: Came = { reply, seen: seenIn(reply, asking.standIns.seen) };
  const wrong = disagreement(one.fate, came, staged, request.port);
  if (wrong === null) return { request, kind: 'proven', foretold, came: cameText(came), why: '' };
  // The end of a process shows a moment after the end of its connections.
  if (reply.kind !== 'answer') {
    await new Promise((done) => setTimeout(done, 50));
    const gone = asking.running.ended();
    if (gone !== null) return not(`the engine ended in the middle: ${gone}`);
    if (asking.deadline <= performance.now())
      return not('the time for the proof was over before it answered');
  }
  return { request, kind: 'disagreement', foretold, came: cameText(came), why: wrong };
}
