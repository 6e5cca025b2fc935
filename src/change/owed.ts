import { type Log, messageOf } from '#base';

/** What the disk did not take when it was decided. It is in force all the same, and is written as soon as the disk takes it. */
export interface Owed {
  /** Once, now; and when that fails again and again, in the order in which it was owed. Never rejects. */
  write(what: string, work: () => Promise<unknown>): Promise<void>;
  /** Tries what is owed. @throws what kept the first of it from being written. */
  pay(): Promise<void>;
}

export function createOwed(log: Log): Owed {
  const owed: { readonly what: string; readonly work: () => Promise<unknown> }[] = [];
  let paying: Promise<void> | null = null;

  async function payAll(): Promise<void> {
    for (let first = owed[0]; first; first = owed[0]) {
      await first.work();
      log.info('written at last', { what: first.what });
      owed.shift();
    }
  }

  return {
    async write(what, work) {
      try {
        await work();
      } catch (error) {
        log.error(`${what} is owed`, { why: messageOf(error) });
        owed.push({ what, work });
      }
    },
    pay() {
      paying ??= payAll().finally(() => {
        paying = null;
      });
      return paying;
    },
  };
}
