import { type Asked, accessRules, askedOf, opaque } from './access.ts';
import { holds, matches } from './folding.ts';
import { all, type Condition, type Fate, header, not } from './meaning.ts';
import { withRealAddress } from './real-address.ts';
import { pcre } from './regex.ts';
import { said, word } from './scope.ts';
import { type State, unknown, type Where } from './state.ts';
import { stepThen } from './steps.ts';
import { behindSubrequest } from './subrequest.ts';
import type { Node } from './tree.ts';
import type { Ways } from './ways.ts';

/** Limits, then who may come in: `allow`, `deny`, passwords, and what another program says. */
export function gated(before: State, where: Where, ways: Ways, next: (state: State) => Fate): Fate {
  const { scope } = where;
  const state = withRealAddress(before, where);
  const behind = behindSubrequest(state, where);
  const inside = next(behind);
  const passed = authorised(behind, where, ways, inside);
  const guards = said(scope, 'modsecurity').filter(({ words }) => words[0] === 'on');
  const programs = [
    'access_by_lua',
    'access_by_lua_block',
    'access_by_lua_file',
    'rewrite_by_lua',
    'rewrite_by_lua_block',
    'rewrite_by_lua_file',
    'js_access',
    'shib_request',
    'perl_access',
  ]
    .flatMap((name) => said(scope, name))
    .filter(({ words }) => words[0] !== 'off');
  let fate = passed;
  for (const node of guards)
    fate = stepThen(
      node,
      opaque(node, 'elsewhere', `${node.text} refuses`),
      ways.fail(403, state, where, node),
      fate,
    );
  for (const node of programs)
    fate = stepThen(
      node,
      opaque(node, 'elsewhere', `${node.text} ends it`),
      unknown(node, 'elsewhere'),
      fate,
    );
  return counted(state, where, ways, fate);
}

function counted(state: State, where: Where, ways: Ways, inside: Fate): Fate {
  return ['limit_conn', 'limit_req'].reduce((fate, kind) => {
    const [node] = said(where.scope, kind);
    if (!node || word(where.scope, `${kind}_dry_run`, 'off') === 'on') return fate;
    const status = Number(word(where.scope, `${kind}_status`, '503'));
    const lines = said(where.scope, kind)
      .map((one) => one.text)
      .join('; ');
    return stepThen(
      node,
      opaque(node, 'state', `${lines}: over the limit`),
      ways.fail(status, state, where, node),
      fate,
    );
  }, inside);
}

function authorised(state: State, where: Where, ways: Ways, inside: Fate): Fate {
  const any = word(where.scope, 'satisfy', 'all') === 'any';
  const questions = asked(where);
  const rules = said(where.scope, 'allow', 'deny');
  const refused = (status: number, node: Node) => ways.fail(status, state, where, node);
  const secret = questions.reduceRight<Fate>((fate, one) => {
    const answers = one.refusals.reduceRight<Fate>(
      (otherwise, { status, when }) =>
        when ? stepThen(one.node, when, refused(status, one.node), otherwise) : refused(status, one.node),
      fate,
    );
    return stepThen(one.node, one.passes, any ? inside : fate, answers);
  }, inside);
  if (rules.length === 0) return secret;
  const behind = any && questions.length > 0 ? secret : null;
  return accessRules(rules, {
    none: secret,
    allowed: any ? inside : secret,
    denied: (node) => behind ?? refused(403, node),
    where,
    state,
    lifting: ways.lifting,
  });
}

function asked({ scope }: Where): readonly Asked[] {
  const found: Asked[] = [];
  const basic = said(scope, 'auth_basic').at(-1);
  // Without a file of passwords it asks for none.
  if (basic && basic.words[0] !== 'off' && said(scope, 'auth_basic_user_file').length > 0)
    found.push(passwordAsked(basic, scope));
  const jwt = said(scope, 'auth_jwt').at(-1);
  if (jwt && jwt.words[0] !== 'off')
    found.push(askedOf(jwt, 'secret', `${jwt.text}: the token is good`, [401]));
  const request = said(scope, 'auth_request').at(-1);
  if (request && request.words[0] !== 'off')
    found.push(askedOf(request, 'elsewhere', `${request.text}: lets it in`, [401, 403, 500]));
  return found;
}

/** With no name and password it is 401; with some, the file that they are looked for in may not be there. */
function passwordAsked(basic: Node, scope: Where['scope']): Asked {
  const [file] = said(scope, 'auth_basic_user_file');
  const named: Condition = holds(header('authorization'), matches(pcre('^basic +[^ ]', true)));
  const right = opaque(basic, 'secret', `${basic.text}: the password is right`);
  const shown = file?.text ?? basic.text;
  const gone = opaque(basic, 'files', `${shown}: it is not there`);
  const unread = opaque(basic, 'files', `${shown}: it cannot be read`);
  return {
    node: basic,
    passes: all([named, right]),
    refusals: [
      { status: 401, when: not(named) },
      { status: 403, when: gone },
      { status: 500, when: unread },
      { status: 401, when: null },
    ],
  };
}
