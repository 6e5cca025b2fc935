/**
 * No request smuggling, by any published way: each attempt against each engine as a front, with servers that keep every
 * byte. What reaches a server must be read alike by a strict server and by all kinds of lax ones, and be one request.
 */
import { engines } from '#engines';
import type { ContractCase } from '../test/contract/case.ts';
import { talk } from '../test/contract/client.ts';
import { type EngineUnderTest, eachIn, type Field, ownHost, startField } from '../test/contract/field.ts';
import { talkHttp2 } from '../test/contract/http2.ts';
import { ambiguity } from '../test/contract/lax.ts';
import { type Proof, prove } from './proof.ts';
import { fuzzAnswers, liars } from './smuggling/answers.ts';
import type { Attempt } from './smuggling/attempt.ts';
import { attempts } from './smuggling/attempts.ts';
import { fuzz, fuzzLanes } from './smuggling/fuzz.ts';
import { told, type Verdict, verdictOf, victimPath } from './smuggling/verdict.ts';

const patienceMs = 400;
const fuzzLanesAtOnce = 8;
const fuzzMs = 20_000;

/** On a connection of its own, somebody who did nothing wrong must get their own answer. */
const victim = {
  http1: `GET ${victimPath} HTTP/1.1\r\nHost: a.example\r\n\r\n`,
  http2: [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':authority', 'a.example'],
    [':path', victimPath],
  ],
} as const;

const requestsOf = new Map(attempts.map(({ id, requests }) => [id, requests ?? 1]));

function caseOf({ id, way, client }: Attempt): ContractCase {
  return {
    id,
    holds: way,
    client,
    patienceMs,
    origin: [{ when: 'body', steps: [{ kind: 'line' }] }],
    sees: { status: [200] },
    seen: null,
  };
}

async function tried(field: Field, test: ContractCase): Promise<readonly [string, Verdict]> {
  const { saw, origin } = await field.run(test, test.sees);
  const at = { host: ownHost, port: field.portOf(test) };
  const expecting = { answers: 1, patienceMs: 3_000, end: false, tunnelBytes: 0 };
  const answer =
    'http2' in test.client
      ? await talkHttp2(at, [{ kind: 'headers', stream: 1, fields: victim.http2, end: true }], expecting)
      : await talk(at, [victim.http1], expecting);
  const body = answer.answers[0]?.body ?? 'none';
  if (body !== `GET ${victimPath} HTTP/1.1`)
    return [
      test.id,
      { kind: 'through', why: `somebody else got the answer ${JSON.stringify(body.slice(0, 60))}` },
    ];
  return [test.id, verdictOf(saw, origin.connections, requestsOf.get(test.id) ?? 1)];
}

async function fuzzed(proof: Proof, under: EngineUnderTest): Promise<void> {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  const lanes = fuzzLanes(fuzzLanesAtOnce);
  const field = await startField(under, lanes);
  try {
    const results = await Promise.all(lanes.map((lane, i) => fuzz(field, lane, seed + i, fuzzMs)));
    const sum = (of: (one: (typeof results)[number]) => number) =>
      results.reduce((all, one) => all + of(one), 0);
    const found = results.flatMap((one) => (one.found ? [one.found] : []));
    for (const { bytes, why } of found) proof.say(`    ${why}: ${visible(bytes)}`);
    proof.tell(
      `  mutated requests in ${fuzzMs / 1_000} s, seed ${seed}`,
      sum((one) => one.tried),
    );
    proof.atLeast(
      '  of them reached the server',
      sum((one) => one.reached),
      20,
    );
    proof.atMost('  that the server could read in two ways, or as more than was meant', found.length, 0);
    proof.holds('  the engine is alive', String(field.alive()), 'true', field.alive());
  } finally {
    await field.close();
  }
}

function visible(bytes: string): string {
  return JSON.stringify(bytes).replaceAll(/[\x7f-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`);
}

/** Servers that answer wrongly: nobody hears what is meant for somebody else. */
async function answersFuzzed(proof: Proof, under: EngineUnderTest): Promise<void> {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  const lying = liars(fuzzLanesAtOnce);
  const field = await startField(
    under,
    lying.map(({ lane }) => lane),
  );
  try {
    const results = await Promise.all(lying.map((liar, i) => fuzzAnswers(field, liar, seed + i, fuzzMs)));
    const sum = (of: (one: (typeof results)[number]) => number) =>
      results.reduce((all, one) => all + of(one), 0);
    const found = results.flatMap((one) => (one.found ? [one.found] : []));
    for (const { bytes, why } of found) proof.say(`    ${why}: ${visible(bytes)}`);
    proof.tell(
      `  mutated answers in ${fuzzMs / 1_000} s, seed ${seed}`,
      sum((one) => one.tried),
    );
    proof.atMost('  that reached somebody for whom they were not', found.length, 0);
    // Other engines trust their servers with some of it: docs/differences.md.
    const unreadable = sum((one) => one.unreadable);
    if (under.engine.install === '') proof.atMost('  that no client could read', unreadable, 0);
    else proof.tell('  that no client could read', unreadable);
    proof.holds('  the engine is alive', String(field.alive()), 'true', field.alive());
  } finally {
    await field.close();
  }
}

/** A proof that sees nothing proves nothing: what would come of a front that passes every byte on. */
function blindness(proof: Proof): void {
  const plain = attempts.flatMap(({ client }) => ('http2' in client ? [] : [client.join('')]));
  const ambiguous = plain.filter((bytes) => ambiguity(bytes) !== null).length;
  proof.atLeast(
    `of ${plain.length} attempts over HTTP/1.1, ambiguous if they were passed on as they are`,
    ambiguous,
    100,
  );
}

await prove('smuggling', async (proof) => {
  proof.say(`${attempts.length} attempts`);
  if (new Set(attempts.map(({ id }) => id)).size !== attempts.length)
    throw new Error('two attempts have one name');
  blindness(proof);
  const verdicts = new Map<string, Map<string, Verdict>>();
  for (const engine of Object.values(engines)) {
    const binary = await engine.find();
    if (!binary) throw new Error(`${engine.name} is not installed: ${engine.install}`);
    verdicts.set(engine.name, new Map(await eachIn({ engine, binary }, attempts.map(caseOf), tried)));
  }
  const names = [...verdicts.keys()];
  proof.say(`  ${'attempt'.padEnd(34)} ${'way'.padEnd(20)} ${names.map((name) => name.padEnd(14)).join('')}`);
  for (const { id, way } of attempts) {
    const cells = names.map((name) =>
      told(verdicts.get(name)?.get(id) ?? { kind: 'through', why: 'not tried' }).padEnd(14),
    );
    proof.say(`  ${id.padEnd(34)} ${way.padEnd(20)} ${cells.join('').trimEnd()}`);
  }
  for (const engine of Object.values(engines)) {
    for (const [id, verdict] of verdicts.get(engine.name) ?? [])
      if (verdict.kind === 'through') proof.say(`  ${engine.name}, ${id}: ${verdict.why}`);
    const all = [...(verdicts.get(engine.name)?.values() ?? [])];
    proof.say(engine.name);
    proof.tell('  refused', all.filter(({ kind }) => kind === 'refused').length);
    proof.tell(
      '  passed on as one request that is read in one way only',
      all.filter(({ kind }) => kind === 'clean').length,
    );
    proof.atMost(`  got through, of ${all.length}`, all.filter(({ kind }) => kind === 'through').length, 0);
    const binary = await engine.find();
    if (!binary) continue;
    await fuzzed(proof, { engine, binary });
    await answersFuzzed(proof, { engine, binary });
  }
});
