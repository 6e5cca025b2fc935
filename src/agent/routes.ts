import { join } from 'node:path';
import type { RoutesResult } from '#contract';
import { streamEntrance } from '#dialects';
import { routeOf, type Site } from '#model';
import { askEntrance, describeRequest } from '#probe';
import { type Request, witnesses } from '#routing';
import type { Fleet } from './fleet.ts';
import { askStreams } from './streams.ts';

const answerMsMax = 5_000;
const atOnceMax = 8;
/** Of more routes the first: this is asked while users wait for nothing, but a person does. */
const routesMax = 500;
/** One answer may be a server's bad moment. */
const timesMin = 3;
const safe: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

type Status = RoutesResult['asked'][number]['status'];

/**
 * One safe request of every route by the private entrance of `candidate`, and where that goes wrong by that of `incumbent`
 * (null: there is no other). `site`: the candidate's.
 */
export async function tryRoutes(
  fleet: Pick<Fleet, 'folder'>,
  site: Site,
  candidate: number,
  incumbent: number | null,
): Promise<RoutesResult> {
  // What a team's own text does with a request is not known, and it has no entrance.
  if (site.own) return { asked: [], unasked: ['the routes of a text of your own have no private entrance'] };
  const entrance = (generation: number) => join(fleet.folder(generation), 'entrance.sock');
  const all = witnesses(routeOf(site));
  const able = all.filter(({ request }) => safe.includes(request.method));
  const unasked = [
    ...all
      .filter(({ request }) => !safe.includes(request.method))
      .map(({ request }) => `${describeRequest(request)}: it may change something`),
    ...able.slice(routesMax).map(({ request }) => `${describeRequest(request)}: one of too many`),
  ];
  const asked: RoutesResult['asked'][number][] = [];
  for (let from = 0; from < Math.min(able.length, routesMax); from += atOnceMax) {
    const some = able.slice(from, Math.min(routesMax, from + atOnceMax));
    const tell = ({ rule, request }: (typeof some)[number]) =>
      tryOne(
        request,
        rule.action.kind === 'answer',
        entrance(candidate),
        incumbent === null ? null : entrance(incumbent),
      );
    asked.push(...(await Promise.all(some.map(tell))));
  }
  for (const { request, status } of await askStreams(streamEntrance(entrance(candidate)), site))
    asked.push({ request, status, worse: status === 0 && incumbent === null });
  return { asked, unasked };
}

async function tryOne(
  request: Request,
  isFixed: boolean,
  candidate: string,
  incumbent: string | null,
): Promise<RoutesResult['asked'][number]> {
  const isBad = (status: Status) =>
    isFixed ? status === 0 : typeof status !== 'number' || status === 0 || status >= 500;
  const described = describeRequest(request);
  let other: Status | null = null;
  let status: Status = 0;
  for (let times = 0; times < timesMin; times += 1) {
    status = await statusOf(candidate, request);
    if (!isBad(status)) return { request: described, status, worse: false };
    if (incumbent === null) continue;
    other = await statusOf(incumbent, request);
    if (isBad(other)) return { request: described, status, worse: false, incumbent: other };
  }
  return { request: described, status, worse: true, ...(other === null ? {} : { incumbent: other }) };
}

async function statusOf(entrance: string, request: Request): Promise<number> {
  return await askEntrance(entrance, request, answerMsMax).then(
    ({ status }) => status,
    () => 0,
  );
}
