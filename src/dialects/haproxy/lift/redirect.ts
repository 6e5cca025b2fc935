import { meaning } from '#routing';
import type { Line } from '../own/sections.ts';
import type { Word } from '../own/words.ts';
import { firstOf, setIt } from './fetches.ts';
import { formatOf } from './format.ts';
import { chosen } from './request.ts';
import { isIn, type Scene } from './scene.ts';
import { bytes } from './source.ts';

type Value = meaning.Value;
const { joined, text } = meaning;

export interface Redirect {
  readonly fate: meaning.Fate;
  /** Where its condition starts. */
  readonly condition: number;
  /** An empty location is none: the rule then counts for nothing. */
  readonly only: meaning.Condition | null;
}

const withValue = new Set(['location', 'prefix', 'scheme', 'code', 'set-cookie', 'clear-cookie']);
const flags = new Set(['drop-query', 'append-slash', 'ignore-empty']);
const statuses = new Set([301, 302, 303, 307, 308]);

/** The words behind `redirect`. A text says what is wrong with them. */
export function redirectOf(
  words: readonly Word[],
  start: number,
  line: Line,
  scene: Scene,
  isFormat: boolean,
): Redirect | string {
  const said = new Map<string, Word>();
  let at = start;
  for (; at < words.length; at += 1) {
    const word = words[at];
    if (word === undefined || word.value === 'if' || word.value === 'unless') break;
    if (flags.has(word.value)) said.set(word.value, word);
    else if (withValue.has(word.value) && words[at + 1] !== undefined) {
      said.set(word.value, words[at + 1] ?? word);
      at += 1;
    } else return `"${word.value}" is not known of a redirect`;
  }
  const status = Number(said.get('code')?.value ?? 302);
  if (!statuses.has(status)) return `${status} is no status of a redirect`;
  const kind = ['location', 'prefix', 'scheme'].find((one) => said.has(one));
  if (kind === undefined) return 'it says neither location nor prefix nor scheme';
  const target = targetOf(said.get(kind), line, scene, isFormat);
  const location = locationOf(kind, target, said, scene);
  const only = said.has('ignore-empty') ? isIn(location, { kind: 'length', min: 1, max: null }) : null;
  return { fate: { kind: 'redirect', status, location }, condition: at, only };
}

/** A line of its own takes its words as they are; a rule takes a format. */
function targetOf(word: Word | undefined, line: Line, scene: Scene, isFormat: boolean): Value {
  const [unset] = word?.unknown ?? [];
  if (unset === undefined && !isFormat) return text(bytes(word?.value ?? ''));
  if (unset === undefined) return formatOf(word, line, scene);
  const unknown = scene.notes.unknown(line, 'not understood', word?.value ?? '', setIt(unset));
  return { kind: 'unknown', ...unknown };
}

function locationOf(kind: string, target: Value, said: ReadonlyMap<string, Word>, { request }: Scene): Value {
  if (kind === 'location') return target;
  const found = said.has('drop-query') ? request.foundPath : request.foundUrl;
  const none = isIn(found, { kind: 'absent' });
  const path = request.foundPath === request.path ? found : chosen(none, text('/'), found);
  const start = kind === 'scheme' ? [target, text('://'), firstOf(request.host)] : prefixOf(target);
  const location = joined([...start, path]);
  if (!said.has('append-slash')) return location;
  const slashed = isIn(path, { kind: 'ends', text: '/', ignoreCase: false });
  return chosen(slashed, location, joined([location, text('/')]));
}

/** `/` alone is nothing, so that one can redirect to oneself. */
function prefixOf(target: Value): readonly Value[] {
  return target.kind === 'text' && target.text === '/' ? [] : [target];
}
