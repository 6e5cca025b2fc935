import { captured, chosen, holds } from './folding.ts';
import { all, type Condition, field, header, type Language, type Value } from './meaning.ts';
import { pcre } from './regex.ts';
import { said } from './scope.ts';
import { nodeOf, type State, unknownValue, type Where } from './state.ts';
import type { Node } from './tree.ts';

/**
 * `set_real_ip_from` and `real_ip_header` put another address in the place of the connection's: once when the server is found,
 * and once more behind a location's rewrites, unless an address was put there before (`ngx_http_realip_handler`).
 */
export function withRealAddress(state: State, where: Where): State {
  const { scope } = where;
  const from = said(scope, 'set_real_ip_from');
  if (from.length === 0) return state;
  const lines = [...from, ...said(scope, 'real_ip_header'), ...said(scope, 'real_ip_recursive')];
  const by = lines.map(({ name, words }) => `${name} ${words.join(' ')}`).join(';');
  if (state.addressBy === by) return state;
  const node = from[0] ?? nodeOf(where.server);
  const address =
    state.addressBy === null
      ? addressBy(where, from, node)
      : unknownValue(node, 'complex', 'the address in one of two headers');
  return { ...state, address, addressBy: by };
}

function addressBy({ scope }: Where, from: readonly Node[], node: Node): Value {
  const source = field('sourceAddress');
  const name = said(scope, 'real_ip_header')[0]?.words[0] ?? 'X-Real-IP';
  if (name.toLowerCase() === 'proxy_protocol')
    return unknownValue(node, 'elsewhere', 'the address in the PROXY header');
  const trusted = trustedBy(from);
  const last = captured(header(name), pcre('^(?:.+[ ,])?([^ ,]+)[ ,]*$'), 1);
  const told = (language: Language) => all([trusted, holds(last, language)]);
  const complex = unknownValue(node, 'complex', `the address in ${name}`);
  const odd = chosen(told({ kind: 'matches', regex: pcre('^[0-9A-Fa-f.:\\[\\]]+$') }), complex, source);
  const recursive = said(scope, 'real_ip_recursive')[0]?.words[0] === 'on';
  if (recursive) return odd;
  return chosen(told({ kind: 'matches', regex: plainAddress }), captured(last, plainAddress, 1), odd);
}

const octet = '(?:[1-9]?[0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])';
/** As it is shown again, perhaps with a port. */
const plainAddress = pcre(`^(${octet}\\.${octet}\\.${octet}\\.${octet})(?::[1-9][0-9]{0,3})?$`);

function trustedBy(from: readonly Node[]): Condition {
  return {
    kind: 'from',
    networks: from.flatMap(({ words }) => (words[0]?.startsWith('unix:') ? [] : words.slice(0, 1))),
  };
}
