import { assert } from '#base';
import type { ApplyRequest, ChangeView } from '#contract';
import type { AskedFor } from '#events';
import { type Desk, viewOf } from './desk.ts';
import type { Proposal } from './gates/index.ts';
import { changeId, differenceOf, namedAs, type Reading, readText } from './reading.ts';

/** What a person, or the controller itself, asks for: read, and written down before anything comes of it. */

export function readProposed(
  { readFile, clock }: Desk,
  request: ApplyRequest,
  { text, site }: Proposal['before'],
): Promise<Reading> {
  return readText(namedAs(text, site, request), readFile, clock.now());
}

/** @throws Failure HF203 */
export async function journalProposal(
  desk: Desk,
  request: ApplyRequest,
  reading: Reading,
  before: Proposal['before'],
): Promise<ChangeView> {
  const change = changeId(desk.book.ledger().changes.size + 1, request, desk.clock.now());
  const { file, text, force, reason, by } = request;
  await desk.book.append(by, {
    kind: 'change.proposed',
    change,
    file,
    siteHash: reading.text.hash,
    text,
    force,
    reason,
    difference: differenceOf(before.site, reading.site),
    ...askedFor(request),
  });
  const view = viewOf(desk, change);
  assert(view, 'a change that was journalled is in the ledger');
  return view;
}

/** That the pipeline goes on, or a text is no longer in quarantine: each is a person's decision of its own, so each is an entry of its own. */
export async function journalReleases(
  { book }: Desk,
  request: ApplyRequest,
  { text }: Reading,
): Promise<void> {
  const ledger = book.ledger();
  const reason = request.reason.trim() || `asked for with ${request.file}`;
  if (request.unfreeze && ledger.frozen !== null)
    await book.append(request.by, { kind: 'pipeline.released', reason });
  if (request.release && ledger.quarantine.has(text.hash))
    await book.append(request.by, { kind: 'quarantine.released', siteHash: text.hash, reason });
}

/** The same text, whose certificates were renewed while it waited: it goes on with those that are there now. */
export async function renewed(desk: Desk, view: ChangeView, siteHash: string): Promise<ChangeView> {
  if (siteHash === view.siteHash) return view;
  await desk.book.append('controller', { kind: 'change.renewed', change: view.id, siteHash });
  return viewOf(desk, view.id) ?? view;
}

/** Past the hour, past an incident, and past whoever waits for people. */
export function isUrgent({ force, breakGlass = false, emergency = false }: ApplyRequest): boolean {
  return force || breakGlass || emergency;
}

function askedFor(request: ApplyRequest): { readonly asked?: AskedFor } {
  const { newGeneration, older, breakGlass, emergency, confirmWithinMs } = request;
  const asked = {
    ...(newGeneration ? { newGeneration } : {}),
    ...(older ? { older } : {}),
    ...(breakGlass ? { breakGlass } : {}),
    ...(emergency ? { emergency } : {}),
    ...(confirmWithinMs === undefined ? {} : { confirmWithinMs }),
  };
  return Object.keys(asked).length > 0 ? { asked } : {};
}
