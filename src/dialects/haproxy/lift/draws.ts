import type { meaning } from '#routing';
import type { Scene } from './scene.ts';

/** Fetches that are drawn anew each time they are asked for. */
const anew = /^(?:rand|uuid)\b/;

/** No two draws of one section are alike, though their words are: each further one has its number. */
export function drawn({ notes, names }: Scene, said: string): string {
  return anew.test(said) ? notes.drawn(`${names.front}\n${names.back}`, said) : said;
}

/** Whether asking again may have another outcome. */
export function isDrawn(condition: meaning.Condition): boolean {
  switch (condition.kind) {
    case 'all':
    case 'some':
      return condition.of.some(isDrawn);
    case 'not':
      return isDrawn(condition.of);
    default:
      return condition.kind === 'unknown' && anew.test(condition.text);
  }
}
