import { readFileSync } from 'node:fs';
import { type ApiLocation, apiFile, baseFolders, Failure, messageOf, sitesThatRun, systemClock } from '#base';
import type { ProblemView, Progress } from '#contract';

/** The controller's API as commands use it. Every refusal is thrown as a Failure with the code that the API gave. */
export interface ApiClient {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
  text(path: string): Promise<string>;
  /** Lines of a change's progress until its end, over a restart of the controller too; a line may come again after one. */
  progress(change: string): AsyncGenerator<Progress>;
}

const answerTimeoutMs = 30_000;
/** A controller that was killed is started again within seconds. */
const returnsWithinMs = 30_000;
const askAgainMs = 250;

/** @throws Failure HF401 (none runs), HF402 (several run), HF403 (it is not ours). */
export function findApi(env: NodeJS.ProcessEnv, site: string | undefined): ApiClient {
  const locate = () => locateApi(env, site);
  locate();
  return {
    get: async <T>(path: string) => (await (await ask(locate(), path)).json()) as T,
    post: async <T>(path: string, body: unknown) => (await (await ask(locate(), path, body)).json()) as T,
    text: async (path) => (await ask(locate(), path)).text(),
    progress: (change) => progressOf(locate, change),
  };
}

function locateApi(env: NodeJS.ProcessEnv, site: string | undefined): ApiLocation {
  const { run } = baseFolders(env);
  const found = sitesThatRun(run).filter((name) => site === undefined || name === site);
  const [only, second] = found;
  if (only === undefined)
    throw new Failure(
      'HF401',
      site === undefined
        ? `no site runs here (looked in ${run})`
        : `no site "${site}" runs here (looked in ${run})`,
      'Start it: `holdfast up site.yaml`.',
    );
  if (second !== undefined)
    throw new Failure('HF402', `several sites run here: ${found.join(', ')}`, 'Say which: --site NAME.');
  return readLocation(apiFile(run, only));
}

function readLocation(file: string): ApiLocation {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ApiLocation;
  } catch (error) {
    throw new Failure('HF403', messageOf(error), 'Run the command as the user who started Holdfast.');
  }
}

async function ask(
  { url, token }: ApiLocation,
  path: string,
  body?: unknown,
  stream = false,
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`${url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(stream ? {} : { signal: AbortSignal.timeout(answerTimeoutMs) }),
    });
  } catch (error) {
    throw noAnswer(url, reasonOf(error));
  }
  if (response.ok) return response;
  throw refusalOf(response.status, await response.text());
}

function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause ? messageOf(error.cause) : messageOf(error);
}

/** Nobody is there, or the connection broke. */
export function noAnswer(url: string, why: string): Failure {
  return new Failure(
    'HF401',
    `the controller at ${url} does not answer: ${why}`,
    'The site goes on without it. Start it again: `holdfast up site.yaml`.',
  );
}

/** What the API said no with. */
export function refusalOf(status: number, body: string): Failure {
  try {
    const { code, detail, remedy, diagnostics } = JSON.parse(body) as ProblemView;
    return new Failure(code, detail, remedy, diagnostics);
  } catch {
    return new Failure('HF900', `the controller answered ${status}: ${body.slice(0, 200)}`);
  }
}

async function* progressOf(locate: () => ApiLocation, change: string): AsyncGenerator<Progress> {
  let lostAt: number | null = null;
  for (;;) {
    try {
      const response = await ask(
        locate(),
        `/v1/changes/${encodeURIComponent(change)}/progress`,
        undefined,
        true,
      );
      for await (const line of eventsOf(response)) {
        lostAt = null;
        yield line;
        if (line.kind === 'end') return;
      }
    } catch (error) {
      if (!mayReturn(error)) throw error;
      lostAt ??= systemClock.monotonicMs();
      if (systemClock.monotonicMs() - lostAt > returnsWithinMs) throw error;
    }
    await systemClock.sleep(askAgainMs);
  }
}

/** A controller that is being started again is not there, then has no journal yet, then has a new token. */
function mayReturn(error: unknown): boolean {
  if (!(error instanceof Failure)) return true;
  return ['HF401', 'HF203', 'HF403'].includes(error.code);
}

async function* eventsOf(response: Response): AsyncGenerator<Progress> {
  if (!response.body) return;
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of response.body) {
    rest += decoder.decode(chunk, { stream: true });
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const data = block
        .split('\n')
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).trim())
        .join('');
      if (data) yield JSON.parse(data) as Progress;
    }
  }
}
