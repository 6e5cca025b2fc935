import { ownDialects } from '#dialects';
import type { OwnText } from '#model';

const usualMs = 60_000;
/** Nobody wants an adoption that takes longer without having said so. */
const chosenMsMax = 600_000;
/** After the last of them has timed out. */
const graceMs = 5_000;

export interface Waiting {
  /** How long open connections of the engine that runs may take to end by themselves. */
  readonly waitMs: number;
  /** What that means for them, for people. */
  readonly said: readonly string[];
}

/** As it was asked for, or as the text needs it. */
export function waitingFor(own: OwnText, askedMs: number | null): Waiting {
  const { idleMs, said, busy, endsGently } = ownDialects[own.dialect].keepAlive(own);
  const neededMs = idleMs + graceMs;
  const waitMs = askedMs ?? (endsGently ? usualMs : Math.min(chosenMsMax, Math.max(usualMs, neededMs)));
  const head = `  waits       up to ${seconds(waitMs)} for connections that are open`;
  const more = (line: string) => `              ${line}`;
  if (endsGently)
    return { waitMs, said: [`${head}: each ends with an answer (option idle-close-on-response)`] };
  const why = said ? `${said.words}, ${said.place.file}:${said.place.line}` : 'the default';
  const isShort = waitMs < neededMs;
  return {
    waitMs,
    said: [
      `${head}: without a request one ends after ${seconds(idleMs)} (${why})`,
      more(
        busy === null
          ? 'one that is busy is cut off then, unless the text has option idle-close-on-response: reload it with that first'
          : `one that is busy after ${busy}: a shorter keepalive_time in the text, reloaded first, ends it in time`,
      ),
      ...(isShort && Number.isFinite(neededMs)
        ? [
            more(
              `that is less: what is open then is cut off, and a request on its way is reset. --wait ${Math.ceil(neededMs / 1_000)} is enough`,
            ),
          ]
        : []),
    ],
  };
}

function seconds(ms: number): string {
  return Number.isFinite(ms) ? `${Math.ceil(ms / 1_000)} s` : 'no time at all';
}
