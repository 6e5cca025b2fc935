import type { Book } from './book.ts';

/**
 * A guard took a change back because of what the traffic said, and the controller ended, or heard of something else
 * first: the text is quarantined all the same, and the pipeline frozen. Else a tool that applies it again would bring it back.
 */
export async function blameLate(book: Book): Promise<void> {
  const { blamed, quarantinedBy, changes } = book.ledger();
  for (const [change, why] of blamed) {
    const view = changes.get(change);
    if (view?.state !== 'rolled back' || quarantinedBy.has(change)) continue;
    const { siteHash } = view;
    await Promise.all([
      book.append('controller', { kind: 'quarantine.added', siteHash, change, why }),
      book.append('controller', { kind: 'pipeline.frozen', why: `${change}: ${why}` }),
    ]);
  }
}
