import { join } from 'node:path';
import type { WayBackResult } from '#contract';
import type { Site } from '#model';
import { askEntrance, describeRequest } from '#probe';
import type { Request } from '#routing';
import type { Fleet } from './fleet.ts';
import type { Flight } from './flight.ts';
import { siteOf } from './good.ts';
import type { Kept } from './kept.ts';
import { askPublicly, attempts, evidenceOf, liveServers, openRequests, plainRequest } from './way-back.ts';

const answerMsMax = 3_000;
/** So long the incumbent accepts a part of the public traffic, at most. */
const sliceMsMax = 3_000;
const askEveryMs = 20;
const askedMax = 8;

/**
 * Whether the generation that is parked behind an exposed candidate could carry the site again: it says where it stands, has
 * live servers and certificates that still hold, answers by its entrance, and, once, a request in a slice of public traffic.
 */
export async function tryParked(fleet: Fleet, kept: Kept, flight: Flight): Promise<WayBackResult> {
  const { generation, control } = flight.options.incumbent;
  const { current } = kept.good;
  const site = siteOf(current);
  const { tried, attempt } = attempts();
  await attempt(`generation ${generation} says where it stands`, () => control.state(1_000));
  await attempt('its pools have live servers', () => liveServers(control));
  await attempt('its certificates hold', async () => {
    const now = fleet.options.clock.now();
    const ended = fleet.certificates.facts(current, site).filter(({ validTo }) => validTo < now);
    if (ended.length > 0) throw new Error(`expired: ${ended.map(({ file }) => file).join(', ')}`);
    return 'none has expired';
  });
  const able = site.own ? null : await wellAnswered(fleet, site, flight);
  if (able)
    await attempt(`${describeRequest(able)} by its entrance`, async () => 'answered, as by the candidate');
  // Without one that both answer well, users' own requests say it: ours would speak against one or the other.
  const asked = site.own ? plainRequest(site, site.own.httpListener) : able;
  if (!flight.slicedBack && asked)
    await attempt('a request in a slice of public traffic', () =>
      flight.slice(() => inSlice(fleet, site, flight, asked)),
    );
  return { ok: tried.every(({ ok }) => ok), generation, tried };
}

/** The first that is answered below 500 by both, by their entrances, and that may be asked in public. */
async function wellAnswered(fleet: Fleet, site: Site, flight: Flight): Promise<Request | null> {
  const both = [flight.options.incumbent.generation, flight.options.launched.generation];
  for (const request of openRequests(site).slice(0, askedMax)) {
    const statuses = await Promise.all(
      both.map((generation) =>
        askEntrance(join(fleet.folder(generation), 'entrance.sock'), request, answerMsMax).then(
          ({ status }) => status,
          () => 0,
        ),
      ),
    );
    if (statuses.every((status) => status > 0 && status < 500)) return request;
  }
  return null;
}

/** Ours, or a user's: either way it has served. */
async function inSlice(fleet: Fleet, site: Site, flight: Flight, asked: Request): Promise<string> {
  const { generation, control } = flight.options.incumbent;
  const { clock } = fleet.options;
  const before = await evidenceOf(control, clock, () => true);
  const giveUpAt = clock.monotonicMs() + sliceMsMax;
  let isWell = true;
  let sent = 0;
  while (clock.monotonicMs() < giveUpAt) {
    if (isWell) {
      sent += 1;
      isWell = (await askPublicly(fleet, site, asked).catch(() => 0)) < 500;
    }
    await clock.sleep(askEveryMs);
    const { requests } = await control.evidence(1_000);
    if (requests > before.requests) return `generation ${generation} has served, after ${sent} of ours`;
  }
  throw new Error(`none came to generation ${generation} within ${sliceMsMax} ms`);
}
