import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { type ContractCase, okBody } from '../../test/contract/case.ts';
import { talk } from '../../test/contract/client.ts';
import { type Field, ownHost } from '../../test/contract/field.ts';
import { ambiguity, readers, readLaxly } from '../../test/contract/lax.ts';

const quietMs = 10;

/** Requests that are right, and what is done to them. */
const hidden = 'GET /hidden HTTP/1.1\r\nHost: a.example\r\n\r\n';
const bases: readonly string[] = [
  'GET / HTTP/1.1\r\nHost: a.example\r\nX-A: b\r\n\r\n',
  `POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
  `POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`,
  `PUT /x?y=z HTTP/1.1\r\nHost: a.example\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nX-T: u\r\n\r\n`,
];
const pieces: readonly string[] = [
  ...[
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    '\n\n',
    '\0',
    ' ',
    '\t',
    '\x0b',
    '\x0c',
    ':',
    ';',
    ',',
    '"',
    '+',
    '-',
    '0',
    '0x',
    '\xa0',
    '\x7f',
  ],
  ...[
    'chunked',
    'xchunked',
    'identity',
    'Content-Length: 0\r\n',
    'Content-Length: 5\r\n',
    'Content-Length: 5, 5\r\n',
  ],
  ...[
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding : chunked\r\n',
    'Transfer-Encoding:\r\n chunked\r\n',
    'Transfer-Encoding: x\r\n',
  ],
  ...[
    'Connection: Content-Length\r\n',
    'Connection: close\r\n',
    'Expect: 100-continue\r\n',
    'Upgrade: websocket\r\nConnection: upgrade\r\n',
  ],
  ...['Host: b.example\r\n', 'HTTP/1.0', 'HTTP/2.0', '0\r\n\r\n', '5\r\nhello\r\n', hidden],
];

/** Some of `bases` with up to four pieces put in, or in the place of a few bytes. */
export function mutants(bases: readonly string[], more: readonly string[] = []): fc.Arbitrary<string> {
  const change = fc.record({
    // Anywhere alike: left alone, a number is mostly a small one.
    at: fc.noBias(fc.nat({ max: 9_999 })),
    cut: fc.nat({ max: 6 }),
    piece: fc.oneof(fc.constantFrom(...pieces, ...more), fc.constant('')),
  });
  return fc
    .record({ base: fc.constantFrom(...bases), changes: fc.array(change, { minLength: 1, maxLength: 4 }) })
    .map(({ base, changes }) =>
      changes.reduce((bytes, { at, cut, piece }) => {
        const from = Math.floor((at * bytes.length) / 10_000);
        return bytes.slice(0, from) + piece + bytes.slice(from + cut);
      }, base),
    );
}

/** The most requests that anybody could see in what the client said. */
function meant(bytes: string): number {
  return Math.max(1, ...Object.values(readers).map((quirks) => readLaxly(bytes, quirks).length));
}

export interface Fuzzed {
  readonly tried: number;
  readonly reached: number;
  /** Null: nothing was found. */
  readonly found: { readonly bytes: string; readonly why: string } | null;
}

/** A front may say something to the server when its client has gone already. */
async function quiet(connections: readonly { readonly bytes: string }[]): Promise<void> {
  const bytes = () => connections.reduce((sum, connection) => sum + connection.bytes.length, 0);
  for (let before = -1, now = bytes(); before !== now; now = bytes()) {
    before = now;
    await sleep(quietMs);
  }
}

/** Tries what comes to its mind on one listener until the time is over, or something got through. */
export async function fuzz(field: Field, lane: ContractCase, seed: number, msMax: number): Promise<Fuzzed> {
  const { connections } = field.originOf(lane);
  let tried = 0;
  let reached = 0;
  const whys = new Map<string, string>();
  const property = fc.asyncProperty(mutants(bases), async (bytes) => {
    tried += 1;
    const before = connections.map((connection) => connection.bytes.length);
    const expecting = { answers: meant(bytes), patienceMs: 150, end: false, tunnelBytes: 0 };
    await talk({ host: ownHost, port: field.portOf(lane) }, [bytes, { kind: 'end' }], expecting);
    await quiet(connections);
    const came = connections
      .map((connection, i) => connection.bytes.slice(before[i] ?? 0))
      .filter((part) => part !== '');
    const wrong = came.map(ambiguity).find((one) => one !== null);
    const requests = came.reduce((sum, part) => sum + readLaxly(part, {}).length, 0);
    if (requests > 0) reached += 1;
    const why =
      wrong ??
      (requests > meant(bytes) ? `${requests} requests where ${meant(bytes)} may have been meant` : '');
    if (why !== '') whys.set(bytes, why);
    return why === '';
  });
  const result = await fc.check(property, {
    seed,
    numRuns: 1_000_000,
    interruptAfterTimeLimit: msMax,
    endOnFailure: false,
  });
  const [bytes] = result.counterexample ?? [];
  return {
    tried,
    reached,
    found: bytes === undefined ? null : { bytes, why: whys.get(bytes) ?? 'not every time' },
  };
}

export function fuzzLanes(count: number): readonly ContractCase[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `fuzz-${i + 1}`,
    holds: okBody,
    client: [],
    origin: [{ when: 'body', steps: [{ kind: 'line' }] }],
    sees: { status: [] },
    seen: null,
  }));
}
