import type { Place } from '#base';
import { hostPort, type Pool, routeOf, type Site, streamsOf } from '#model';
import { meaning, type RoutedListener, type StreamListener } from '#routing';
import { stepsOfAccess } from './access.ts';
import { conditionOf } from './condition.ts';
import { fateOf } from './fate.ts';
import { settingsOfSite } from './settings.ts';

type Rules = meaning.Rules;

/** What a `site.yaml` does to every request. Exact: its words were made to be. */
export function meaningOfSite(site: Site): meaning.Meaning {
  const places = new Map(site.listeners.map(({ name, place }) => [name, place]));
  const placeOf = (name: string): Place => places.get(name) ?? { file: site.name, line: 1, column: 1 };
  const http = routeOf(site).listeners.map((listener) => httpListener(listener, placeOf(listener.name)));
  const streams = streamsOf(site).map((listener) => streamListener(listener, placeOf(listener.name)));
  const tcp = new Set(streams.flatMap(({ pools }) => pools));
  return {
    listeners: [...http, ...streams.map(({ listener }) => listener)],
    pools: site.pools.map((pool) => poolOf(pool, tcp.has(pool.name) ? 'tcp' : 'http')),
    settings: settingsOfSite(site),
    notUnderstood: [],
  };
}

function httpListener(listener: RoutedListener, place: Place): meaning.ListenerMeaning {
  const { name, host, port, scheme, access, rules, otherwise } = listener;
  const steps = rules.map((rule) => ({
    when: conditionOf(rule.conditions),
    then: guarded(
      stepsOfAccess(rule.filters?.access ?? null, rule.place ?? place),
      fateOf(rule.action, rule.filters),
    ),
    place: rule.place ?? place,
    text: `route ${rule.route}`,
  }));
  const all: Rules = {
    steps: [...stepsOfAccess(access, place), ...steps],
    otherwise: fateOf(otherwise, null),
  };
  return { name, host, port, mode: 'http', tls: scheme === 'https', rules: all, place };
}

/** What stands before the fate may refuse the request. */
function guarded(steps: readonly meaning.Step[], fate: meaning.Fate): meaning.Fate {
  return steps.length === 0 ? fate : { kind: 'rules', rules: { steps, otherwise: fate } };
}

const closed: meaning.Fate = { kind: 'reject', how: 'close' };

function streamListener(listener: StreamListener, place: Place) {
  const { name, host, port } = listener;
  const steps = listener.rules.map((rule) => ({
    when: rule.name === null ? meaning.always : sniIs(rule.name),
    then: fateOf({ kind: 'split', shares: rule.shares }, null),
    place: rule.place ?? place,
    text: `route ${rule.route}`,
  }));
  const pools = listener.rules.flatMap(({ shares }) => shares.map(({ pool }) => pool));
  const rules: Rules = { steps, otherwise: closed };
  const lifted: meaning.ListenerMeaning = { name, host, port, mode: 'tcp', tls: false, rules, place };
  return { listener: lifted, pools };
}

function sniIs({
  match,
  value,
}: {
  readonly match: 'exact' | 'suffix';
  readonly value: string;
}): meaning.Condition {
  const language: meaning.Language =
    match === 'exact'
      ? { kind: 'is', text: value, ignoreCase: true }
      : {
          kind: 'intersection',
          of: [
            { kind: 'ends', text: value, ignoreCase: true },
            { kind: 'length', min: value.length + 1, max: null },
          ],
        };
  return { kind: 'in', value: meaning.field('sni'), language };
}

function poolOf({ name, servers, place }: Pool, mode: 'http' | 'tcp'): meaning.PoolMeaning {
  return {
    name,
    mode,
    servers: servers.map((server) => ({
      name: server.name,
      address: hostPort(server.host, server.port),
      weight: server.weight,
      spare: server.spare,
      disabled: server.maintenance,
      place: server.place,
    })),
    place,
  };
}
