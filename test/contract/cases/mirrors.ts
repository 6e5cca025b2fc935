import { answers, answersAtOnce, type ContractCase, get, post, request, type SeenRequest } from '../case.ts';

const toBoth = (seen: SeenRequest): readonly SeenRequest[] => [seen, { ...seen, other: true }];

const line: readonly SeenRequest[] = [{ line: 'GET /x HTTP/1.1' }, { line: 'GET /x HTTP/1.1' }];

/** What a copy that nobody hears must look like, and what it must not do. */
export const mirrors: readonly ContractCase[] = [
  {
    id: 'mirror',
    holds: 'A copy of a request is the same request; the client gets one answer.',
    client: [get('/x?y=%20z', 'X-A: 1')],
    other: 'copies',
    sees: { status: [200], closed: false, body: 'ok' },
    seen: toBoth({ line: 'GET /x?y=%20z HTTP/1.1', headers: { host: 'a.example', 'x-a': '1' } }),
  },
  {
    id: 'mirror-body',
    holds: 'A copy has the body too.',
    client: [request(post('Content-Length: 2000'), 'x'.repeat(2_000))],
    other: 'copies',
    sees: { status: [200], closed: false },
    seen: toBoth({ line: 'POST /a HTTP/1.1', bodyBytes: 2_000 }),
  },
  {
    id: 'mirror-kept',
    holds: 'Behind a request with a copy the connection goes on.',
    client: [get('/one'), /ok$/, request(post('Content-Length: 5'), 'hello'), /ok[\s\S]*ok$/, get('/two')],
    other: 'copies',
    sees: { status: [200, 200, 200], closed: false },
    seen: null,
  },
  {
    id: 'mirror-breaks-off',
    holds: 'A server that breaks off the connection of a copy harms nobody, and gets no second copy.',
    client: [get('/x'), /ok$/, get('/x')],
    other: 'copies',
    otherOrigin: [answersAtOnce({ kind: 'reset' })],
    sees: { status: [200, 200], closed: false, body: 'ok' },
    seen: [...line, ...line.map((seen) => ({ ...seen, other: true as const }))],
  },
  {
    id: 'mirror-fails',
    holds: 'What a server answers to a copy is heard by nobody.',
    client: [get('/x')],
    other: 'copies',
    otherOrigin: [answers('HTTP/1.1 500 No\r\nSet-Cookie: a=b\r\nContent-Length: 4\r\n\r\nnope')],
    sees: { status: [200], closed: false, body: 'ok', headers: { 'set-cookie': null } },
    seen: toBoth({ line: 'GET /x HTTP/1.1' }),
  },
  {
    id: 'mirror-long',
    holds: 'A body that is too long to be kept is not copied; its request is answered as ever.',
    client: [request(post('Content-Length: 300000'), 'x'.repeat(300_000))],
    other: 'copies',
    sees: { status: [200], closed: false },
    seen: [{ line: 'POST /a HTTP/1.1', bodyBytes: 300_000 }],
  },
];
