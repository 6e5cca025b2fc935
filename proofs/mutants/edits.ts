/** Changes of a text as people make them: a line gone, twice, elsewhere; another word, another pool; all of it written otherwise. */
import { reformatted } from '../corpus/reformat.ts';
import type { Case } from '../plan/case.ts';
import { type Chance, chanceOf } from '../plan/chance.ts';

export interface Edited {
  readonly after: Case;
  /** It does the same, written otherwise. */
  readonly same: boolean;
}

const editsMax = 3;

/** @param number which one of this text. */
export function edited(one: Case, number: number): Edited {
  const chance = chanceOf(one.seed * 31 + number);
  if (chance.percent(15)) return { after: { ...one, text: reformatted(one.text, one.engine) }, same: true };
  let { text } = one;
  for (let left = 1 + chance.below(editsMax); left > 0; left -= 1) {
    const edits = one.engine === 'haproxy' ? haproxyEdits : nginxEdits;
    text = chance.pick(edits)(text, chance);
  }
  return { after: { ...one, text }, same: text === one.text };
}

type Edit = (text: string, chance: Chance) => string;

/** A change of one of the lines that are meant. */
const ofLine =
  (meant: RegExp, change: (line: string, chance: Chance) => string): Edit =>
  (text, chance) => {
    const lines = text.split('\n');
    const places = lines.flatMap((line, index) => (meant.test(line) ? [index] : []));
    if (places.length === 0) return text;
    const at = chance.pick(places);
    return lines.with(at, change(lines[at] ?? '', chance)).join('\n');
  };

/** A line and the next of its like change places. */
const swapped =
  (meant: RegExp): Edit =>
  (text, chance) => {
    const lines = text.split('\n');
    const places = lines.flatMap((line, at) =>
      meant.test(line) && meant.test(lines[at + 1] ?? '') ? [at] : [],
    );
    if (places.length === 0) return text;
    const at = chance.pick(places);
    return lines
      .with(at, lines[at + 1] ?? '')
      .with(at + 1, lines[at] ?? '')
      .join('\n');
  };

const replaced =
  (from: RegExp, to: readonly string[]): ((line: string, chance: Chance) => string) =>
  (line, chance) => {
    const found = [...line.matchAll(from)];
    if (found.length === 0) return line;
    const { index, 0: was } = chance.pick(found);
    return line.slice(0, index) + chance.pick(to) + line.slice(index + was.length);
  };

const paths = ['/api', '/app', '/static', '/admin', '/', '/a', '/img', '/ab/', '/x'];
const hosts = ['www.example.com', 'shop.example.com', 'a.example', 'b.example', '*.example', 'new.test'];
const decides = /^\s*(?:http-request|use_backend|redirect|default_backend|tcp-request content)\b/;

const haproxyEdits: readonly Edit[] = [
  ofLine(decides, () => ''),
  ofLine(decides, () => ''),
  ofLine(decides, (line) => `${line}\n${line}`),
  swapped(decides),
  swapped(decides),
  ofLine(/\b(?:use|default)_backend \w+p\d/, (line, chance) => line.replace(/p\d\b/, `p${chance.below(5)}`)),
  ofLine(/ if /, (line) => line.replace(' if ', ' unless ')),
  ofLine(/ (?:if|unless) /, (line) => line.replace(/ (?:if|unless) .*/, '')),
  ofLine(/^\s*acl |\{ /, replaced(/ (?:-i )?(?=\/|\w+\.)/g, [' ', ' -i '])),
  ofLine(/^\s*acl |\{ |set-path/, replaced(/\/[\w/]+(?=[\s}]|$)/g, paths)),
  ofLine(/^\s*acl |\{ /, replaced(/\b\w+\.example\.com\b/g, hosts)),
  ofLine(/^\s*acl /, replaced(/_(?:beg|end|sub|dir|dom)\b/g, ['_beg', '_end', '_sub', '_reg', '_dir'])),
  ofLine(/\bcode 30\d|\bstatus \d|deny/, replaced(/\b[234]\d\d\b/g, ['301', '302', '404', '429'])),
  ofLine(
    /^\s*server /,
    (line, chance) => `${line}${chance.pick([' weight 3', ' backup', ' disabled', ' check'])}`,
  ),
  ofLine(
    /^\s*server /,
    (line, chance) => `${line}\n${line.replace(/server \S+ \S+/, `server z 10.0.9.${chance.below(9)}:80`)}`,
  ),
  ofLine(/^\s*bind /, (line, chance) => (chance.percent(30) ? line.replace(/:(\d+)/, ':9$1') : line)),
  ofLine(/^\s*(?:option|timeout) /, (line) => line.replace(/\d+s/, '3s')),
];

const block = /^ {2}\S.*;|^ {2}location .*\}$/;

const nginxEdits: readonly Edit[] = [
  ofLine(/^ {2}location /, () => ''),
  ofLine(/^ {2}location /, () => ''),
  ofLine(/^ {2}(?:set|rewrite|if|return|error_page|root|deny|allow|server_name)\b/, () => ''),
  swapped(block),
  swapped(block),
  ofLine(
    /location /,
    replaced(
      /"\/[\w/]+"/g,
      paths.map((path) => `"${path}"`),
    ),
  ),
  ofLine(
    /location /,
    replaced(/location (?:=|\^~|~\*?|) /g, ['location = ', 'location ^~ ', 'location  ', 'location ~ ']),
  ),
  ofLine(/server_name /, replaced(/[\w*.]+\.example/g, hosts)),
  ofLine(/proxy_pass/, replaced(/(?<=http:\/\/)[\w.:]+/g, ['127.0.0.1:9', 'u0', '127.0.0.1:8'])),
  ofLine(
    /\b[2345]\d\d\b/,
    replaced(/\b(?:200|301|302|308|403|404|405|503)\b/g, ['301', '302', '404', '403', '200']),
  ),
  ofLine(/if \(/, replaced(/ (?:=|!=|~\*?|!~) /g, [' = ', ' != ', ' ~ ', ' !~ '])),
  ofLine(
    /if \(|map |rewrite/,
    replaced(/\$\w+/g, ['$uri', '$args', '$host', '$http_x_kind', '$request_method']),
  ),
  ofLine(
    /rewrite|return/,
    replaced(/ (?:last|break|redirect|permanent)(?=;)/g, ['', ' last', ' break', ' permanent']),
  ),
  ofLine(/rewrite|proxy_pass|return/, replaced(/\/(?:img|new|api|a|b|x)\b/g, paths)),
  ofLine(
    /^map |^geo |^upstream /,
    replaced(/ (?:one|two|none|0|1|backup|weight=3);/g, [' one;', ' two;', ' 0;']),
  ),
  ofLine(/^\s*listen /, (line, chance) => (chance.percent(30) ? line.replace(/:(\d+)/, ':1$1') : line)),
];
