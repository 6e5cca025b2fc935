import { Failure, messageOf } from '#base';

/** Primary result codes of SQLite, https://www.sqlite.org/rescode.html */
const busy = [5, 6];
const unusable = [1, 11, 19, 26];

/** What SQLite or the file system said, as something an operator can act on. */
export function journalFailure(error: unknown, path: string): Failure {
  if (error instanceof Failure) return error;
  const code = resultCode(error);
  const said = messageOf(error);
  if (code !== null && busy.includes(code)) {
    return new Failure('HF201', `${path} is locked: ${said}`, 'End the process that holds it');
  }
  if (code !== null && unusable.includes(code)) return damaged(path, said);
  return new Failure(
    'HF203',
    `${path} cannot be written: ${said}`,
    'Free disk space, or mend the rights; the next change finds it usable again',
  );
}

export function damaged(path: string, what: string): Failure {
  return new Failure(
    'HF202',
    `${path} is damaged: ${what}`,
    'See which entries with `holdfast journal verify`; restore the folder from a copy, or move it aside to start a new journal',
  );
}

export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code !== null && busy.includes(code);
}

/** Null when it did not come from SQLite. */
function resultCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null;
  return error.errcode & 0xff;
}
