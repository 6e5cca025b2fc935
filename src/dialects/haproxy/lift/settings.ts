import type { Line, Section } from '../own/sections.ts';
import { Acls } from './acl.ts';
import { unknownOfGlobal, unknownOfProxy } from './keywords.ts';
import { chainOf, type ProxySection, type Work } from './proxy.ts';
import { type Notes, textOf } from './source.ts';
import { globalScope, type Settings } from './told.ts';
import { oneForm } from './values.ts';

/** What is read elsewhere, as a rule, a listener or a server. */
const elsewhere = new Set(
  `acl bind server server-template default-server dispatch use_backend default_backend http-request tcp-request redirect block
  mode stats monitor-uri monitor disabled enabled reqadd reqrep reqirep reqdel reqidel reqdeny reqideny reqallow reqiallow
  reqpass reqipass reqtarpit reqitarpit`.split(/\s+/),
);

/** Where a keyword counts; of those in neither list, in both. */
const frontOnly =
  /^(?:backlog|capture|clitcpka-\S+|declare|error-log-format|log-format|log-format-sd|maxconn|rate-limit|unique-id-\S+|bind-process|timeout (?:client|client-fin)|clitimeout|option (?:accept-invalid-http-request|clitcpka|contstats|disable-h2-upgrade|dontlog-normal|dontlognull|h1-case-adjust-bogus-client|http-ignore-probes|http-use-proxy-header|httplog|httpslog|log-separate-errors|logasap|socket-stats|tcp-smart-accept|idle-close-on-response|accept-unsafe-violations-in-http-request))$/;
const backOnly =
  /^(?:balance|cookie|dispatch|fullconn|hash-type|http-check|http-reuse|http-send-name-header|ignore-persist|force-persist|load-server-state-from-file|max-keep-alive-queue|persist|retries|retry-on|server-state-file-name|source|srvtcpka-\S+|stick|tcp-check|transparent|use-fcgi-app|use-server|external-check|appsession|redispatch|contimeout|srvtimeout|tcp-response|hash-balance-factor|timeout (?:check|connect|queue|server|server-fin|tunnel)|option (?:abortonclose|accept-invalid-http-response|allbackups|checkcache|external-check|h1-case-adjust-bogus-server|http-pretend-keepalive|httpchk|ldap-check|log-health-checks|mysql-check|persist|pgsql-check|prefer-last-server|redis-check|redispatch|smtpchk|spop-check|srvtcpka|ssl-hello-chk|tcp-check|tcp-smart-connect|transparent))$/;

/** Keywords of which the second word belongs to the name. */
const twoWords =
  /^(?:option|timeout|errorfile|errorloc|errorloc302|errorloc303|email-alert|compression|http-check|tcp-check|stick|capture|rate-limit|hold|filter|external-check|tune|stats)$/;
/** Keywords of which several lines count, one behind the other. */
const severalLines =
  /^(?:log|http-check|tcp-check|stick|capture|filter|http-response|http-after-response|tcp-response|rsp\S+|declare|use-server|force-persist|ignore-persist|compression|email-alert|http-error|errorfiles|persist|peer|nameserver|user|group|server|setenv|presetenv|unsetenv|lua-load|lua-load-per-thread|lua-prepend-path|cpu-map|set-var|set-var-fmt|stats|mailer|option httpchk)(?: .*)?$/;

/** What a proxy's lines set, inherited ones written out, the last one of each. */
export function tellSettings(proxy: ProxySection, settings: Settings): void {
  let acls: Acls | null = null;
  const meant = (one: string) => {
    acls ??= new Acls(chainOf(proxy.section));
    return acls.textOf(one);
  };
  const last = new Map<string, { readonly line: Line; readonly value: string }>();
  for (const section of chainOf(proxy.section))
    for (const line of section.lines) {
      if (elsewhere.has(line.words[0]?.value ?? '') || unknownOfProxy(keywordsOf(line)) !== null) continue;
      const { name, value, isOff } = namedOf(line);
      if (elsewhere.has(name)) continue;
      if (severalLines.test(name)) {
        if (isOff) continue;
        const scopes = scopesOf(proxy, name);
        const words = twoWords.test(line.words[0]?.value ?? '') ? 2 : 1;
        settings.addLine(scopes, line, words, meant);
      } else if (isOff && section.defaults === null && section !== proxy.section) last.delete(name);
      else last.set(name, { line, value });
    }
  for (const [name, { line, value }] of last) settings.add(scopesOf(proxy, name), name, value, line);
}

/** Lines that no HAProxy knows, of proxies with the defaults that they start from: each once. */
export function missUnknown(proxies: readonly ProxySection[], notes: Notes): void {
  const seen = new Set<Section>();
  const look = (section: Section): void => {
    if (seen.has(section)) return;
    seen.add(section);
    if (section.defaults) look(section.defaults);
    for (const line of section.lines) missesUnknown(line, unknownOfProxy, notes);
  };
  for (const { section } of proxies) look(section);
}

function missesUnknown(line: Line, unknownOf: typeof unknownOfProxy, notes: Notes): boolean {
  const unknown = unknownOf(keywordsOf(line));
  if (unknown !== null) notes.miss(line, `no HAProxy knows "${unknown}"`);
  return unknown !== null;
}

const ownWords = ({ words }: Line) =>
  ['no', 'default'].includes(words[0]?.value ?? '') ? words.slice(1) : words;
const keywordsOf = (line: Line) =>
  ownWords(line)
    .slice(0, 2)
    .map(({ value }) => value);

function namedOf(line: Line) {
  const isOff = line.words[0]?.value === 'no';
  const own = isOff ? ownWords(line) : line.words;
  const keyword = own[0]?.value ?? '';
  const count = twoWords.test(keyword) ? 2 : 1;
  const name = textOf(own.slice(0, count));
  const rest = own.slice(count);
  const [only] = rest;
  const value = rest.length === 1 && only ? oneForm(name, only.value) : textOf(rest);
  return { name, isOff, value: isOff ? 'off' : value === '' ? 'on' : value };
}

function scopesOf(proxy: ProxySection, name: string) {
  const { listeners, pool } = proxy.told;
  const [keyword = ''] = name.split(' ');
  const isFront = !backOnly.test(name) && !backOnly.test(keyword);
  const isBack = !frontOnly.test(name) && !frontOnly.test(keyword);
  return [...(isFront ? listeners : []), ...(isBack && pool ? [pool] : [])];
}

/** Sections that no request passes through: each line is told, by the section's kind and name. */
export function tellOthers(sections: readonly Section[], { settings, notes }: Work): void {
  for (const section of sections) {
    const kind = section.kind === 'global' ? '' : `${section.kind} ${section.name} `;
    for (const line of section.lines) {
      if (line.conditional) notes.miss(line, 'whether the .if holds is not known');
      if (section.kind === 'global' && missesUnknown(line, unknownOfGlobal, notes)) continue;
      const { name, value } = namedOf(line);
      settings.add([globalScope], `${kind}${name}`, value, line);
    }
  }
}
