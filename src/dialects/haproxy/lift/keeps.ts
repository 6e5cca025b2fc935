import type { Line, Section } from '../own/sections.ts';
import type { Word } from '../own/words.ts';
import { chainOf, type ProxySection } from './proxy.ts';

/** Fetches for which HAProxy has to read HTTP (`SMP_USE_HTTP_ANY` of 2.6), by how their names begin. */
const ofHttp =
  /^(?:base|cook|hdr|http_|path|query|req\.(?:body|cook|fhdr|hdr|ver|proto)|req_(?:ver|proto)|url|capture\.|method|internal\.htx|res\.(?!len|payload|ssl)|resp_ver|scook|shdr|status|lua\.)/;
/** Those of the ACLs that every text has. */
const builtIn = /^(?:METH_|HTTP)/;
/** Variables of a format for which the request line is kept (`LW_REQ`). */
const ofRequest = /%(?:\{[^}]*\})?(?:H[MPQUV]|HPO|r|rt)(?![A-Za-z])/;
const samples = /%(?:\{[^}]*\})?\[\s*([A-Za-z0-9_.]+)/g;
const ruling = /^(?:http-request|http-response|http-after-response|tcp-request|tcp-response)$/;
/** Formats that are read when all lines are there, and a proxy in mode HTTP is known to need HTTP. */
const late = /^(?:use_backend|unique-id-format|log-format-sd|error-log-format)$/;
const unformatted = /^(?:string|file|errorfile|content-type)$/;

/**
 * Whether a frontend keeps the request line as it came, which `%HM` and `capture.req.uri` are read from: where its log wants
 * it, or a format of its own asks for HTTP. Null: that depends on a `.if`.
 */
export function keepsLine(proxy: ProxySection): boolean | null {
  if (!proxy.isHttp) return false;
  const known = kept.get(proxy.section);
  if (known !== undefined) return known;
  const isKept = isLogged(proxy.lines) || chainOf(proxy.section).some(isAsked);
  const answer = isKept || !proxy.lines.some(({ conditional }) => conditional) ? isKept : null;
  kept.set(proxy.section, answer);
  return answer;
}

const kept = new WeakMap<Section, boolean | null>();

/** The last word about the log counts. */
function isLogged(lines: readonly Line[]): boolean {
  const said = lines.findLast(({ words: [first, second], conditional }) => {
    if (conditional) return false;
    if (first?.value === 'log-format') return true;
    return first?.value === 'option' && /^(?:httplog|httpslog|tcplog)$/.test(second?.value ?? '');
  });
  const [first, second] = said?.words ?? [];
  if (first?.value === 'log-format') return isWhole(second);
  return second?.value === 'httplog' || second?.value === 'httpslog';
}

/** In the order of the lines: a sample that needs no HTTP counts where something before it did. */
function isAsked({ lines }: Section): boolean {
  const named = new Map<string, boolean>();
  let isHttp = false;
  for (const { words, conditional } of lines) {
    if (conditional) continue;
    const keyword = words[0]?.value ?? '';
    if (keyword === 'acl') {
      const name = words[1]?.value ?? '';
      named.set(name, named.get(name) === true || ofHttp.test(words[2]?.value ?? ''));
      continue;
    }
    const end = words.findIndex(({ value }) => value === 'if' || value === 'unless');
    const own = end === -1 ? words : words.slice(0, end);
    if (late.test(keyword) && own.some(isWhole)) return true;
    const asks = end !== -1 && asksHttp(words.slice(end + 1), named);
    // A redirect reads its condition before its format.
    if (asks && own[1]?.value === 'redirect') isHttp = true;
    if (ruling.test(keyword))
      for (const word of formatsOf(own)) {
        isHttp ||= [...word.value.matchAll(samples)].some(([, fetch = '']) => ofHttp.test(fetch));
        if (ofRequest.test(word.value) || (isHttp && word.value.includes('%['))) return true;
      }
    isHttp ||= asks || tracks(own);
  }
  return false;
}

const isWhole = (word: Word | undefined): boolean =>
  word !== undefined && (ofRequest.test(word.value) || /%(?:\{[^}]*\})?\[/.test(word.value));

function formatsOf(words: readonly Word[]): readonly Word[] {
  const action = words[1]?.value ?? '';
  const regexAt = action === 'replace-header' || action === 'replace-value' ? 3 : 2;
  return words.filter((_, at) => {
    if (action.startsWith('replace-') && at === regexAt) return false;
    return !unformatted.test(words[at - 1]?.value ?? '');
  });
}

/** `tcp-request content track-sc0 hdr(x)`. */
function tracks([keyword, , action, sample]: readonly Word[]): boolean {
  return (
    keyword?.value === 'tcp-request' &&
    /^(?:capture|track-sc\d+)$/.test(action?.value ?? '') &&
    ofHttp.test(sample?.value ?? '')
  );
}

function asksHttp(words: readonly Word[], named: ReadonlyMap<string, boolean>): boolean {
  return words.some(({ value }, at) => {
    if (words[at - 1]?.value.replace(/^!+/, '') === '{') return ofHttp.test(value);
    const name = value.replace(/^!+/, '');
    return named.get(name) ?? builtIn.test(name);
  });
}
