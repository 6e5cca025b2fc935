import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Backend, createApi } from '#api';
import { Failure, systemClock } from '#base';
import type { IncidentView, ProblemView, Progress } from '#contract';
import { fiveServers, request, shop } from '../world/changes.ts';

const nothing = () => {
  throw new Error('not asked for');
};

function api(over: Partial<Backend> = {}) {
  const backend: Backend = {
    status: nothing,
    site: nothing,
    live: nothing,
    metrics: nothing,
    drift: nothing,
    propose: nothing,
    changes: () => [],
    watch: () => null,
    approve: nothing,
    confirm: nothing,
    rollback: nothing,
    abort: nothing,
    incidents: () => [],
    resolveIncident: nothing,
    postmortem: () => null,
    report: nothing,
    reports: () => [],
    troubled: () => false,
    review: nothing,
    reviews: () => [],
    entries: () => [],
    verify: nothing,
    alerting: {
      site: 'shop',
      clock: systemClock,
      office: nothing,
      onCallFile: nothing,
      mayHandIn: (token) => token === 'inbound',
    },
    ...over,
  };
  const app = createApi(backend, 'secret');
  return (path: string, init: RequestInit & { host?: string; token?: string | null } = {}) => {
    const { host = '127.0.0.1:4790', token = 'secret', ...rest } = init;
    const headers = new Headers(rest.headers);
    headers.set('host', host);
    if (token !== null) headers.set('authorization', `Bearer ${token}`);
    return app.request(path, { ...rest, headers });
  };
}

async function problemOf(response: Response): Promise<ProblemView> {
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  return (await response.json()) as ProblemView;
}

describe('who is let in', () => {
  it('everything but /health needs the token', async () => {
    const ask = api();
    for (const token of [null, 'wrong', 'secret2']) {
      const response = await ask('/v1/changes', { token });
      assert.equal(response.status, 401);
      assert.equal((await problemOf(response)).code, 'HF403');
    }
    assert.equal((await ask('/v1/changes')).status, 200);
    assert.equal((await ask('/health', { token: null })).status, 200);
  });

  it('a name that is not ours is not answered, so no page can be rebound to us', async () => {
    const ask = api();
    for (const host of ['evil.example', 'evil.example:4790', '127.0.0.1.evil.example', '']) {
      assert.equal((await ask('/v1/changes', { host })).status, 401, host);
      assert.equal((await ask('/health', { host })).status, 401, host);
    }
    for (const host of ['localhost:4790', '[::1]:4790', '127.0.0.1'])
      assert.equal((await ask('/v1/changes', { host })).status, 200, host);
  });
});

describe('what is asked for', () => {
  const post = (body: string) => ({ method: 'POST', body, headers: { 'content-type': 'application/json' } });

  it('a request that is not one: every wrong field is named', async () => {
    const ask = api();
    const response = await ask(
      '/v1/changes',
      post(JSON.stringify({ ...request('x'), force: 'yes', extra: 1 })),
    );
    assert.equal(response.status, 400);
    const { code, detail } = await problemOf(response);
    assert.equal(code, 'HF405');
    assert.match(detail, /force/);
    assert.match(detail, /extra/);
    assert.equal((await ask('/v1/changes', post('{'))).status, 400);
    assert.equal((await ask('/v1/journal?after=-1')).status, 400);
  });

  it('a body of more than 5 MiB', async () => {
    const response = await api()('/v1/changes', {
      ...post('x'.repeat(6 * 1024 * 1024)),
      headers: { 'content-length': String(6 * 1024 * 1024) },
    });
    assert.equal(response.status, 413);
    assert.equal((await problemOf(response)).code, 'HF002');
  });

  it('a refusal keeps its code, its remedy and its places', async () => {
    const ask = api({
      propose: async () => {
        throw new Failure('HF108', 'change c1 is ahead', 'Wait for it.');
      },
    });
    const response = await ask('/v1/changes', post(JSON.stringify(request(shop(fiveServers)))));
    assert.equal(response.status, 409);
    assert.deepEqual(await problemOf(response), {
      code: 'HF108',
      title: 'Another change is in flight',
      status: 409,
      detail: 'change c1 is ahead',
      remedy: 'Wait for it.',
      diagnostics: [],
    });
  });

  it('what does not exist: 404; a mistake of our own: 500', async () => {
    const ask = api();
    for (const path of [
      '/v1/changes/c9',
      '/v1/changes/c9/progress',
      '/v1/incidents/i9/postmortem',
      '/v1/nothing',
    ])
      assert.equal((await problemOf(await ask(path))).code, 'HF404', path);
    const own = await ask('/v1/status');
    assert.equal(own.status, 500);
    assert.equal((await problemOf(own)).code, 'HF900');
  });

  it('progress: what was, then what comes, until the end', async () => {
    let tell: (line: Progress) => void = () => {};
    let stopped = false;
    const ask = api({
      watch: (_change, use) => {
        tell = use;
        use({ kind: 'gate started', gate: 'parse' });
        return () => {
          stopped = true;
        };
      },
    });
    const response = await ask('/v1/changes/c1/progress');
    assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
    const text = response.text();
    tell({ kind: 'state', state: 'gated', why: 'six gates passed' });
    const change = { id: 'c1' } as unknown as Extract<Progress, { kind: 'end' }>['change'];
    tell({ kind: 'end', change });
    const lines = (await text)
      .split('\n\n')
      .filter(Boolean)
      .map((block) => (JSON.parse(block.replace(/^data: /, '')) as Progress).kind);
    assert.deepEqual(lines, ['gate started', 'state', 'end']);
    assert.ok(stopped);
  });

  it('a person resolves an incident, and says why', async () => {
    const asked: unknown[] = [];
    const ask = api({
      resolveIncident: async (...said) => {
        asked.push(said);
        return { id: said[0] } as unknown as IncidentView;
      },
    });
    const body = JSON.stringify({ by: 'person:anna', reason: 'a mistyped address' });
    const response = await ask('/v1/incidents/i1/resolve', { method: 'POST', body });
    assert.equal(response.status, 200, await response.clone().text());
    assert.deepEqual(await response.json(), { id: 'i1' });
    assert.deepEqual(asked, [['i1', 'person:anna', 'a mistyped address']]);
  });

  it('a postmortem is Markdown', async () => {
    const response = await api({ postmortem: (id) => `# ${id}` })('/v1/incidents/i1/postmortem');
    assert.match(response.headers.get('content-type') ?? '', /^text\/markdown/);
    assert.equal(await response.text(), '# i1');
  });
});
