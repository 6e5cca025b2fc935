import { messageOf } from '#base';
import type { RehearsalResult, SiteText, WitnessView } from '#contract';
import { meaningOfSite } from '#dialects';
import type { Site } from '#model';
import { actionText, actionWithSent, requestOfWitness, witnessText } from '#plan';
import { askEntrance, type EntranceAnswer } from '#probe';
import { proveWritten } from '#prove';
import { meaning } from '#routing';

/** Who a stand-in server says it is. */
export const poolHeader = 'x-holdfast-pool';
const witnessMsMax = 5_000;
const proofMsMax = 60_000;

export interface AskedWitnesses {
  readonly asked: RehearsalResult['witnesses'];
  readonly unproven: readonly string[];
}

/** The plan's witnesses to a rehearsed site.yaml, by its entrance. */
export async function askPlanned(
  site: Site,
  witnesses: readonly WitnessView[],
  entrance: string,
): Promise<AskedWitnesses> {
  const lifted = witnesses.length === 0 ? null : meaningOfSite(site);
  const asked: RehearsalResult['witnesses'][number][] = [];
  const unproven: string[] = [];
  for (const witness of lifted ? witnesses : []) {
    const { listener, ways, exact } = meaning.fateOf(
      lifted ?? meaningOfSite(site),
      requestOfWitness(witness),
    );
    const request = witnessText(witness);
    const expected = ways.flatMap(({ fate }) => saidOf(fate) ?? []);
    const { port } = witness;
    if (listener?.mode !== 'http' || port === null || expected.length === 0 || !(exact || ways.length > 0)) {
      unproven.push(
        `${request}: ${listener === null ? 'nobody listens there' : 'it is not asked over the entrance'}`,
      );
      continue;
    }
    const got = await askEntrance(entrance, asEntrance(witness, port), witnessMsMax).then(
      (answer) => (answer.headers[poolHeader] ? `pool ${answer.headers[poolHeader]}` : saidBy(answer)),
      messageOf,
    );
    const wanted = expected.length > 1 ? `one of ${expected.join(', ')}` : (expected[0] ?? '');
    asked.push({ request, expected: wanted, got, ok: expected.includes(got) });
  }
  return { asked, unproven };
}

function asEntrance({ sourceAddress, scheme, host, ...rest }: WitnessView, port: number) {
  return {
    ...rest,
    port,
    host: host.replace(/:\d+$/, ''),
    // As the witness has it, with or without its port.
    headers: { ...rest.headers, host },
    scheme: scheme === 'https' ? ('https' as const) : ('http' as const),
    ...(sourceAddress === null ? {} : { sourceAddress }),
  };
}

function saidOf(fate: meaning.FateView): readonly string[] | null {
  switch (fate.kind) {
    case 'pool':
      return [fate.servers.length === 0 ? 'status 503' : `pool ${fate.pool}`];
    case 'split':
      return fate.shares.flatMap((share) => saidOf(share.fate) ?? []);
    case 'redirect':
      return typeof fate.location === 'string' ? [`status ${fate.status} to ${fate.location}`] : null;
    case 'answer':
      return [`status ${fate.status}`];
    case 'reject':
      return ['socket hang up'];
    default:
      return null;
  }
}

export function saidBy({ status, headers }: EntranceAnswer): string {
  return `status ${status}${headers.location === undefined ? '' : ` to ${headers.location}`}`;
}

/** The plan's witnesses to a team's own text, on a stage: its servers stay its own in a rehearsal. */
export async function proveOwnText(
  text: SiteText,
  witnesses: readonly WitnessView[],
): Promise<AskedWitnesses> {
  if (witnesses.length === 0) return { asked: [], unproven: [] };
  const [proof] = await proveWritten(text, witnesses, { withinMs: proofMsMax });
  if (!proof) return { asked: [], unproven: ['no engine was asked'] };
  // The gate before has the engine's verdict of the text: what a stage takes away may be what it misses.
  const told = proof.outcomes.map(({ request, kind, foretold, came, why }, index) => {
    const witness = witnesses[index];
    const what = witness ? witnessText(witness) : request.path;
    const expected = foretold ? actionText(actionWithSent(foretold, request)) : 'nothing';
    return { what, kind, why, expected, came: came ?? 'nothing' };
  });
  return {
    asked: told
      .filter(({ kind }) => kind !== 'not provable')
      .map(({ what, kind, expected, came, why }) => ({
        request: what,
        expected,
        got: kind === 'proven' ? came : `${came}: ${why}`,
        ok: kind === 'proven',
      })),
    unproven: [
      ...(proof.refused === null ? [] : [proof.refused]),
      ...told.filter(({ kind }) => kind === 'not provable').map(({ what, why }) => `${what}: ${why}`),
    ],
  };
}
