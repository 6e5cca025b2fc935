import { meaning } from '#routing';
import { isDisabled, type Line } from '../own/sections.ts';
import { conditionOf } from './acl.ts';
import { addBehind } from './behind.ts';
import { Flow } from './flow.ts';
import { formatOf } from './format.ts';
import { httpRules, monitored } from './http.ts';
import { keepsLine } from './keeps.ts';
import { lastLine, linesOf, type ProxySection, sceneOf, type Work } from './proxy.ts';
import { Request } from './request.ts';
import { isIn, type Scene } from './scene.ts';
import { isAwaited, tcpRules } from './tcp.ts';

type Fate = meaning.Fate;
type Value = meaning.Value;

/** All that a frontend does to what comes in by one of its addresses. */
export function frontRules(proxy: ProxySection, tls: boolean | null, work: Work): meaning.Rules {
  const protocol = proxy.isHttp ? 'http' : 'tcp';
  const captures = declaredCaptures(proxy);
  const request = work.constants.copy();
  const scene = sceneOf(
    work,
    proxy,
    request,
    { protocol, tls, awaited: isAwaited(proxy), keepsLine: keepsLine(proxy) },
    captures,
  );
  const flow = new Flow(scene, proxy.told);
  tcpRules(flow, proxy, work, 'front');
  if (proxy.isHttp) {
    monitored(flow, proxy);
    httpRules(flow, proxy, work);
  }
  flow.nextList();
  return { steps: flow.steps, otherwise: switched(flow, proxy, work) };
}

function declaredCaptures(proxy: ProxySection): Value[] {
  return linesOf(proxy, 'capture', 'request').map(({ words }) => ({
    kind: 'slice',
    of: meaning.header(words[3]?.value ?? ''),
    from: 0,
    length: Number(words[5]?.value ?? 0),
  }));
}

/** `use_backend` in its order, then `default_backend`, then its own servers. */
function switched(flow: Flow, proxy: ProxySection, work: Work): Fate {
  const targets = new Targets(flow, proxy, work);
  const otherwise = targets.fallback();
  for (const line of linesOf(proxy, 'use_backend')) {
    const [, name] = line.words;
    if (name === undefined) continue;
    const when = conditionOf(line.words.slice(2), line, flow.scene);
    if (!name.value.includes('%') && name.unknown.length === 0)
      flow.decide(when, targets.named(name.value, line), line);
    else dynamic(formatOf(name, line, flow.scene, 'text'), when, line);
  }
  const line = lastLine(proxy, 'default_backend');
  if (line) flow.decide(meaning.always, otherwise, line);
  return otherwise;

  /** A name that is put together: each backend that it may be; where there is none of the name, the default. */
  function dynamic(name: Value, when: meaning.Condition, line: Line): void {
    if (name.kind === 'unknown') {
      flow.decide(when, name, line);
      return;
    }
    for (const backend of possibleNames(name, work))
      flow.decide(
        meaning.all([when, isIn(name, { kind: 'is', text: backend, ignoreCase: false })]),
        targets.named(backend, line),
        line,
      );
    flow.decide(when, otherwise, line);
  }
}

/** Names that a value can have: those of a table, or all there are. */
function possibleNames(name: Value, { backends }: Work): readonly string[] {
  if (name.kind === 'joined' && name.parts.length === 1 && name.parts[0])
    return possibleNames(name.parts[0], { backends } as Work);
  if (name.kind === 'absent') return [];
  if (name.kind === 'chosen')
    return [
      ...new Set([name.then, name.otherwise].flatMap((one) => possibleNames(one, { backends } as Work))),
    ];
  if (name.kind === 'mapped' && (name.otherwise.kind === 'absent' || name.otherwise.kind === 'text')) {
    const texts = new Set(name.cases.map(({ text }) => text));
    if (name.otherwise.kind === 'text') texts.add(name.otherwise.text);
    return [...texts].filter((text) => backends.has(text));
  }
  return [...backends.keys()];
}

/** Backends as the fates of requests that are as the frontend's rules have left them. */
class Targets {
  readonly #flow: Flow;
  readonly #proxy: ProxySection;
  readonly #work: Work;
  readonly #known = new Map<string, Fate>();
  /** What servers are sent by backends with the same lines, none of which says anything about requests. */
  readonly #alike = new Map<readonly Line[], meaning.Sent>();
  readonly #sent: meaning.Sent;

  constructor(flow: Flow, proxy: ProxySection, work: Work) {
    this.#flow = flow;
    this.#proxy = proxy;
    this.#work = work;
    this.#sent = flow.scene.request.version === 0 ? meaning.sentAsItCame : flow.scene.request.sent();
  }

  named(name: string, line: Line): Fate {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const backend = this.#work.backends.get(name);
    const fate =
      backend === undefined
        ? this.#flow.unknownFate(line, 'not understood', name, `no backend "${name}" is in this text`)
        : this.#fateOf(backend);
    this.#known.set(name, fate);
    return fate;
  }

  fallback(): Fate {
    const line = lastLine(this.#proxy, 'default_backend');
    const name = line?.words[1];
    if (line && name && name.unknown.length === 0) return this.named(name.value, line);
    if (line && name)
      return this.#flow.unknownFate(line, 'not understood', name.value, 'its name is not known');
    if (this.#proxy.isBack) return this.#itself();
    return this.#proxy.isHttp
      ? this.#flow.scene.answers.of(503, this.#flow.scene)
      : { kind: 'reject', how: 'close' };
  }

  #fateOf(backend: ProxySection): Fate {
    if (backend.section === this.#proxy.section) return this.#itself();
    const alike = this.#alike.get(backend.lines);
    if (alike) return { kind: 'pool', pool: backend.name, sent: alike };
    // Its servers do not serve, and its rules are not asked.
    if (isDisabled(backend.section)) return { kind: 'pool', pool: backend.name, sent: this.#sent };
    const request = this.#flow.scene.request.copy();
    const steps = backRules(backend, request, this.#flow.scene, this.#work);
    const sent = this.#behind(request, backend) ?? steps.sent ?? this.#sent;
    const fate: Fate = { kind: 'pool', pool: backend.name, sent };
    if (!isRuling(backend) && lastLine(backend, 'http-send-name-header') === null)
      this.#alike.set(backend.lines, sent);
    return steps.steps.length === 0
      ? fate
      : { kind: 'rules', rules: { steps: steps.steps, otherwise: fate } };
  }

  #itself(): Fate {
    const sent = this.#behind(this.#flow.scene.request.copy(), this.#proxy) ?? this.#sent;
    return { kind: 'pool', pool: this.#proxy.name, sent };
  }

  /** Null: nothing of it has to do with what rules have made. */
  #behind(request: Request, backend: ProxySection): meaning.Sent | null {
    const { version } = request;
    addBehind(request, this.#proxy, backend, this.#work.notes);
    return request.version === version ? null : request.sent();
  }
}

const ruling = /^(?:http-request|tcp-request|block|stats|redirect|req[a-z]+)$/;

/** Thousands of backends may have the same lines. */
const rulings = new WeakMap<readonly Line[], boolean>();

function isRuling({ lines }: ProxySection): boolean {
  const known = rulings.get(lines);
  if (known !== undefined) return known;
  const found = lines.some(({ words }) => ruling.test(words[0]?.value ?? ''));
  rulings.set(lines, found);
  return found;
}

/** What a backend's own rules do; `sent` is null where they change nothing. */
function backRules(backend: ProxySection, request: Request, from: Scene, work: Work) {
  if (!isRuling(backend)) return { steps: [], sent: null };
  const { protocol, tls, awaited, captures, keepsLine: isKept } = from;
  const at = { protocol: backend.isHttp ? 'http' : protocol, tls, awaited, keepsLine: isKept } as const;
  const before = request.version;
  const scene = sceneOf(work, backend, request, at, captures, from.names.front);
  const flow = new Flow(scene, backend.told);
  tcpRules(flow, backend, work, 'back');
  if (backend.isHttp) httpRules(flow, backend, work);
  return { steps: flow.steps, sent: request.version === before ? null : request.sent() };
}

/** A backend that nobody reaches is read, too: what is not understood in it is told. */
export function readUnreached(backend: ProxySection, work: Work): void {
  const scene = sceneOf(
    work,
    backend,
    new Request(),
    { protocol: 'http', tls: null, awaited: true, keepsLine: true },
    [],
  );
  backRules(backend, new Request(), scene, work);
}
