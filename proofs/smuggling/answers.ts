import fc from 'fast-check';
import { type ContractCase, okBody } from '../../test/contract/case.ts';
import { type Saw, statusOf, talk } from '../../test/contract/client.ts';
import { type Field, ownHost } from '../../test/contract/field.ts';
import { mutants } from './fuzz.ts';

/**
 * The other direction: a server whose answers are wrong in every way must not make one client hear what another one
 * should. One client asks on one connection twice, then another one asks.
 */
const forged = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged';
const bases: readonly string[] = [
  `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`,
  `HTTP/1.1 200 OK\r\nContent-Length: ${forged.length}\r\nX-A: b\r\n\r\n${forged}`,
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${forged.length.toString(16)}\r\n${forged}\r\n0\r\nX-T: u\r\n\r\n`,
  `HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`,
  `HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n`,
  `HTTP/1.1 304 Not Modified\r\nContent-Length: ${forged.length}\r\nETag: "a"\r\n\r\n`,
  `HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok`,
];
const pieces = [
  forged,
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 101 X\r\n\r\n',
  '204',
  '304',
  '199',
  '99',
  'HTTP/1.1 ',
];
const patienceMs = 120;

const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n\r\n`;
const own = (line: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${line.length}\r\n\r\n${line}`;

export interface AnswersFuzzed {
  readonly tried: number;
  /** Wrong answers that were passed on in a form that no client can read. */
  readonly unreadable: number;
  readonly found: { readonly bytes: string; readonly why: string } | null;
}

export interface Liar {
  readonly lane: ContractCase;
  /** What the server answers to `/1`; to others it says their own first line. */
  say(answer: string): void;
}

export function liars(count: number): readonly Liar[] {
  return Array.from({ length: count }, (_, i) => {
    let wrong = '';
    const to = (line: string) => (line.startsWith('GET /1 ') ? wrong : own(line));
    const lane: ContractCase = {
      id: `answers-${i + 1}`,
      holds: okBody,
      client: [],
      origin: [{ when: 'body', steps: [{ kind: 'reply', to }] }],
      sees: { status: [] },
      seen: null,
    };
    return {
      lane,
      say: (answer) => {
        wrong = answer;
      },
    };
  });
}

export async function fuzzAnswers(
  field: Field,
  { lane, say }: Liar,
  seed: number,
  msMax: number,
): Promise<AnswersFuzzed> {
  const at = { host: ownHost, port: field.portOf(lane) };
  const whys = new Map<string, string>();
  let tried = 0;
  let unreadable = 0;
  const property = fc.asyncProperty(mutants(bases, pieces), async (bytes) => {
    tried += 1;
    say(bytes);
    const twice = { answers: 2, patienceMs, end: false, tunnelBytes: 0 };
    const first = await talk(
      at,
      [request('/1'), /HTTP\/1\.\d \d/, { kind: 'pause', ms: 5 }, request('/2')],
      twice,
    );
    if (first.fault !== null) unreadable += 1;
    const other = await talk(at, [request('/3')], { ...twice, answers: 1, patienceMs: 2_000 });
    const why = whatWentWrong(first, other);
    if (why !== null) whys.set(bytes, why);
    return why === null;
  });
  const result = await fc.check(property, { seed, numRuns: 1_000_000, interruptAfterTimeLimit: msMax });
  const [bytes] = result.counterexample ?? [];
  return {
    tried,
    unreadable,
    found: bytes === undefined ? null : { bytes, why: whys.get(bytes) ?? 'not every time' },
  };
}

function whatWentWrong(first: Saw, other: Saw): string | null {
  const [answer] = other.answers;
  if (!answer || statusOf(answer) !== 200 || answer.body !== 'GET /3 HTTP/1.1')
    return `another client got ${answer ? `${statusOf(answer)} ${JSON.stringify(answer.body.slice(0, 40))}` : 'nothing'}`;
  if (first.fault !== null) return null;
  const [, second, third] = first.answers;
  if (third) return 'two requests got three answers';
  const isOwn = !second || statusOf(second) >= 400 || !second.complete || second.body === 'GET /2 HTTP/1.1';
  return isOwn ? null : `the second request got ${JSON.stringify(second.body.slice(0, 40))}`;
}
