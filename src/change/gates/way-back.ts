import type { Diagnostic } from '#base';
import type { KnownFaultView, WayBackResult } from '#contract';
import {
  type Answer,
  type Asked,
  askEvery,
  couldNotTell,
  count,
  type Gate,
  passed,
  refused,
} from './gate.ts';

const wayBackTimeoutMs = 60_000;

/**
 * The last good generation of every balancer is alive and answers, so a rollback has somewhere to go; its text starts cold in
 * a sandbox, so there is a second way; and no known fault of the engine that would run the text, in that version and with those words, stands against it.
 */
export const wayBack: Gate<'way back'> = {
  name: 'way back',
  forceable: true,
  askedAfterRefusal: false,
  during: 'proposed',
  async ask({ balancers, reading, policy }) {
    const asked = await askEvery(balancers, 'wayBack', { site: reading.text, cold: true }, wayBackTimeoutMs);
    const { answers, silent } = asked;
    const faults = faultsIn(asked, policy.acceptedFaults);
    const against = [...blockedWays(asked), ...faults.blocking.map(inFault)];
    const told = [...tried(asked, true), ...faults.told];
    if (against.length > 0) return refusal(asked, against, told);
    if (silent.length > 0) return couldNotTell(silent);
    const ways = answers.map(({ balancer, output }) => `${balancer} to generation ${output.generation}`);
    const known = faults.told.length > 0 ? `; ${count(faults.told.length, 'known fault')} told` : '';
    return passed(`${ways.join(', ')}${known}`, told);
  },
};

type Ways = Asked<WayBackResult>;

function refusal(asked: Ways, against: readonly Diagnostic[], told: readonly string[]): Answer {
  const blocked = asked.answers.filter(({ output }) => !output.ok).map(({ balancer }) => balancer);
  const faults = against.filter(({ code }) => code === 'HF115');
  const summary = [
    ...(blocked.length > 0 ? [`no way back on ${blocked.join(', ')}`] : []),
    ...faults.map(({ path, message }) => `${path}: ${message}`),
  ].join('; ');
  return refused(summary, [...tried(asked, false), ...told], against);
}

function tried({ answers }: Ways, ok: boolean): string[] {
  return answers.flatMap(({ balancer, output }) =>
    output.tried
      .filter((one) => one.ok === ok)
      .map((one) => `${balancer}: generation ${output.generation}: ${one.what}: ${one.answered}`),
  );
}

function blockedWays(asked: Ways): readonly Diagnostic[] {
  const names = asked.answers.filter(({ output }) => !output.ok).map(({ balancer }) => balancer);
  if (names.length === 0) return [];
  return [
    {
      code: 'HF105',
      severity: 'error',
      place: null,
      path: names.join(', '),
      message: tried(asked, false)[0] ?? 'the last good generation is not there',
      remedy: 'Restore the last good generation first: see `holdfast status`',
    },
  ];
}

/** Each once, however many balancers have it. */
function faultsIn({ answers }: Ways, accepted: readonly string[]) {
  const all = new Map<string, KnownFaultView>();
  for (const { output } of answers)
    for (const fault of output.knownFaults ?? []) all.set(`${fault.id} ${fault.engine}`, fault);
  const known = [...all.values()];
  const blocking = known.filter(({ effect, id }) => effect === 'blocks' && !accepted.includes(id));
  const told = known
    .filter((fault) => !blocking.includes(fault))
    .map(({ id, engine, what, effect, sources }) => {
      const why = effect === 'blocks' ? ', accepted by the site' : '';
      return `known fault ${id} of ${engine}${why}: ${what} (${sources[0] ?? ''})`;
    });
  return { blocking, told };
}

function inFault({ id, engine, what, remedy, sources }: KnownFaultView): Diagnostic {
  return {
    code: 'HF115',
    severity: 'error',
    place: null,
    path: id,
    message: `${engine}: ${what} (${sources[0] ?? ''})`,
    remedy: `${remedy}; or accept it: guard.knownFaults.accept: [${id}]`,
  };
}
