import type { Place } from '#base';
import { holds, is } from './folding.ts';
import { addressesOf } from './listeners.ts';
import {
  type Fate,
  type ListenerMeaning,
  type Rules,
  type Setting,
  sentAsItCame,
  stepOf,
} from './meaning.ts';
import { serversByName } from './names.ts';
import type { Pools } from './pools.ts';
import { own, type Scope, said, scopeOf } from './scope.ts';
import { firstState, type Lifting, type Server, unknown } from './state.ts';
import { ruled, stepThen } from './steps.ts';
import type { Node } from './tree.ts';
import { inOneForm } from './units.ts';
import { evaluate } from './variables.ts';
import { inStream, interpreted, inUpstream, perText } from './vocabulary.ts';

export interface StreamParts {
  readonly listeners: readonly ListenerMeaning[];
  readonly settings: readonly Setting[];
}

/** `stream {}`: connections that are passed on unread, but for the name in their ClientHello. */
export function streamOf(stream: Scope, lifting: Lifting, pools: Pools): StreamParts {
  const level = { exact: [], prefixes: [], regexes: [] };
  const servers = own(stream, 'server').map((node): Server => {
    const scope = scopeOf('server', node, node.block ?? [], stream);
    const names = own(scope, 'server_name').flatMap(({ words }) => words.map((one) => one.toLowerCase()));
    return { scope, place: node.place, names: names.length === 0 ? [''] : names, level, named: new Map() };
  });
  refuse(stream.nodes, lifting, inStream);
  const addresses = addressesOf(
    servers.filter(({ scope }) => own(scope, 'listen').length > 0),
    lifting,
    80,
  );
  const listeners = addresses.map(
    ({ name, host, port, tls, standard, servers: here, place }): ListenerMeaning => ({
      name,
      host,
      port,
      mode: 'tcp',
      tls,
      rules: rulesFor(here, standard, place, lifting, pools),
      place,
    }),
  );
  const settings = [
    ...servers.flatMap((server) =>
      settingsOf(server, addresses.find(({ servers: here }) => here.includes(server))?.name),
    ),
    ...addresses.flatMap((one) => one.settings),
  ];
  return { listeners, settings };
}

function rulesFor(
  servers: readonly Server[],
  standard: Server,
  _place: Place,
  lifting: Lifting,
  pools: Pools,
): Rules {
  const otherwise = passed(standard, lifting, pools);
  if (servers.length === 1) return otherwise.kind === 'rules' ? otherwise.rules : { steps: [], otherwise };
  const steps = serversByName(servers, 'sni').map(({ server, when }) => {
    const text = own(server.scope, 'server_name')[0]?.text ?? 'server';
    return stepOf({ place: server.place, text }, when, passed(server, lifting, pools));
  });
  return { steps, otherwise };
}

function passed(server: Server, lifting: Lifting, pools: Pools): Fate {
  const { scope } = server;
  const node = own(scope, 'proxy_pass').at(-1) ?? own(scope, 'return').at(-1) ?? own(scope, 'pass').at(-1);
  if (!node) return { kind: 'reject', how: 'close' };
  const asking = {
    node,
    state: firstState,
    where: { server, scope, location: null, handler: null },
    lifting,
  };
  const value = evaluate(node.words[0] ?? '', asking);
  const inside =
    node.name === 'return'
      ? ({ kind: 'answer', status: 200, body: value } as const)
      : target(value, node, pools);
  return said(scope, 'allow', 'deny').reduceRight<Fate>((fate, rule) => {
    const [network = ''] = rule.words;
    const then: Fate = rule.name === 'allow' ? inside : { kind: 'reject', how: 'close' };
    return stepThen(
      rule,
      network === 'all' ? { kind: 'always' } : { kind: 'from', networks: [network] },
      then,
      fate,
    );
  }, inside);
}

function target(value: ReturnType<typeof evaluate>, node: Node, pools: Pools): Fate {
  if (value.kind === 'text')
    return value.text === ''
      ? { kind: 'reject', how: 'close' }
      : { kind: 'pool', pool: pools.of(value.text, 0, node.place), sent: sentAsItCame };
  const [only, ...others] = value.kind === 'joined' ? value.parts : [value];
  if (only?.kind === 'chosen' && others.length === 0)
    return stepThen(node, only.when, target(only.then, node, pools), target(only.otherwise, node, pools));
  if (only?.kind !== 'field' || others.length > 0) return unknown(node, 'elsewhere');
  const steps = pools.all.map((pool) =>
    stepOf(node, holds(only, is(pool.name)), { kind: 'pool', pool: pool.name, sent: sentAsItCame }),
  );
  return ruled(steps, unknown(node, 'elsewhere'));
}

function settingsOf({ scope }: Server, listener: string | undefined): readonly Setting[] {
  const names = new Set<string>();
  for (let at: Scope | null = scope; at; at = at.parent) for (const { name } of at.nodes) names.add(name);
  return [...names]
    .filter((name) => inStream.has(name) && !interpreted.has(name) && name !== 'proxy_pass')
    .flatMap((name) => {
      const nodes = said(scope, name);
      const [first] = nodes;
      if (!first || first.block) return [];
      const of: Setting['scope'] =
        listener === undefined ? { kind: 'global' } : { kind: 'listener', name: listener };
      return [
        {
          scope: of,
          name,
          value: nodes.map(({ words }) => inOneForm(name, words)).join('; '),
          place: first.place,
        },
      ];
    });
}

function refuse(nodes: readonly Node[], lifting: Lifting, known: ReadonlySet<string>): void {
  for (const node of nodes) {
    if (!known.has(node.name) && !interpreted.has(node.name) && !perText.has(node.name))
      lifting.refuse(node, 'a directive that is not known');
    if (node.name === 'js_preread' || node.name === 'js_access') lifting.refuse(node, 'a program decides');
    if (node.block && node.name === 'server') refuse(node.block, lifting, known);
    if (node.block && node.name === 'upstream') refuse(node.block, lifting, inUpstream);
  }
}
