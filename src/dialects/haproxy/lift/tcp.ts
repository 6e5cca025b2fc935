import type { Line } from '../own/sections.ts';
import type { Flow } from './flow.ts';
import { linesOf, type ProxySection, type Work } from './proxy.ts';
import { ruleOf, told } from './rules.ts';

/** Samples for which the engine waits until the first bytes have come. */
const awaiting =
  /ssl_hello_type|ssl_sni|req[._]len|req[._]ssl|payload|WAIT_END|wait_end|REQ_CONTENT|req[._]proto_http|HTTP|rdp_cookie/;

/** Whether the first bytes are there when the rules are asked. */
export function isAwaited(proxy: ProxySection): boolean {
  if (linesOf(proxy, 'tcp-request', 'inspect-delay').length === 0) return false;
  const content = linesOf(proxy, 'tcp-request', 'content');
  const names = new Set(content.flatMap(({ words }) => words.map(({ value }) => value.replace(/^!+/, ''))));
  const acls = linesOf(proxy, 'acl').filter(({ words }) => names.has(words[1]?.value ?? ''));
  return [...content, ...acls].some(({ words }) => words.some(({ value }) => awaiting.test(value)));
}

/** `tcp-request` lines, in their own order: connection, session, content. A backend has only the last. */
export function tcpRules(flow: Flow, proxy: ProxySection, work: Work, where: 'front' | 'back'): void {
  for (const list of where === 'front' ? ['connection', 'session', 'content'] : ['content']) {
    flow.nextList();
    const { request } = flow.scene;
    const { source } = request;
    if (list === 'connection' && isBehindProxy(proxy)) request.source = 'changed';
    for (const line of linesOf(proxy, 'tcp-request', list)) tcpRule(line, flow, proxy, work);
    if (list === 'connection') request.source = source;
  }
  for (const line of linesOf(proxy, 'tcp-request'))
    if (!/^(?:connection|session|content)$/.test(line.words[1]?.value ?? '')) other(line, flow, proxy, work);
}

/** The first rules are asked before a PROXY header is read: to them the address is that of the proxy. */
function isBehindProxy(proxy: ProxySection): boolean {
  const words = proxy.lines.flatMap((line) => (line.words[0]?.value === 'bind' ? line.words : []));
  return words.some(({ value }) => value === 'accept-proxy' || value === 'accept-netscaler-cip');
}

function other(line: Line, flow: Flow, proxy: ProxySection, work: Work): void {
  const [, keyword] = line.words;
  if (keyword?.value !== 'inspect-delay')
    flow.scene.notes.miss(line, `tcp-request "${keyword?.value ?? ''}" is not known`);
  else told(line, 2, proxy, work);
}

function tcpRule(line: Line, flow: Flow, proxy: ProxySection, work: Work): void {
  const action = line.words[2]?.value ?? '';
  if (/^(?:expect-proxy|expect-netscaler-cip|switch-mode|do-resolve)/.test(action)) {
    told(line, 3, proxy, work);
    return;
  }
  ruleOf(line, 2, flow, proxy, work);
}
