/** Random texts of NGINX, their constructs about as often as real files have them. */
import type { Chance } from '../chance.ts';
import type { Words } from '../requests.ts';
import { type Ink, type Machine, origin } from './ink.ts';
import { server } from './servers.ts';
import { stream } from './streams.ts';
import { tables } from './tables.ts';

export interface MadeText {
  /** What stands in `http`. */
  readonly http: string;
  /** What stands in `stream`; null: nothing. */
  readonly stream: string | null;
  /** What it includes, by path. */
  readonly files: Readonly<Record<string, string>>;
  /** What its requests are made of, where the text alone does not say it. */
  readonly words?: Words;
  readonly steady?: boolean;
}

/** One set of servers on ports of its own, with its own maps. `id` keeps the names of several in one process apart. */
export function madeText(chance: Chance, id: number, machine: Machine): MadeText {
  const ink: Ink = { chance, id, machine, files: {}, own: [], hasMapOfPools: false, hasStandard: false };
  const some = (of: readonly string[]) => chance.pick(of);
  const upstream = `upstream u${id} { server ${origin(ink)}; server ${origin(ink)}${some(['', ' backup', ' weight=3', ' down'])}; }`;
  const balance = some(['', 'least_conn; ', 'ip_hash; ', 'hash $uri; ', 'random; ', 'zone w 64k; ']);
  const other = `upstream w${id} { ${balance.replace('zone w', `zone w${id}`)}server ${origin(ink)}; }`;
  const made = tables(ink);
  const count = some(['1', '1', '2', '3']);
  const servers = Array.from({ length: Number(count) }, (_, index) => server(ink, index));
  const streamed = stream(ink);
  const http = [upstream, other, ...made, ...servers].join('\n');
  const texts = [http, ...Object.values(ink.files)].join('\n');
  const known = (text: string) => withKnown(text, texts);
  for (const [path, text] of Object.entries(ink.files)) ink.files[path] = known(text);
  return { http: known(http), stream: streamed, files: ink.files };
}

/** NGINX refuses a variable that nothing in the whole text sets: `$uri` stands in for it. */
export function withKnown(text: string, whole: string): string {
  return text.replace(/\$(?:(v1|v2|first|second|part|sub|domain|up)\b|\{(v1|v2)\})/g, (all, one, other) => {
    const name = String(one ?? other);
    return whole.includes(`set $${name} `) || whole.includes(`(?<${name}>`) ? all : '$uri';
  });
}
