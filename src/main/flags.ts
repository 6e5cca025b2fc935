import { readSchedule } from '#practice';
import { onCallPathFor } from './on-call-file.ts';
import { hostPortOf, portOf } from './port.ts';
import type { ControllerFlags } from './site-processes.ts';

/** What `up` and `adopt` say of the controller. @throws Failure before anything is started. */
export async function controllerFlags(
  options: {
    readonly port: string;
    readonly reports?: string;
    readonly review: string;
    readonly oncall?: string;
  },
  siteFile: string,
): Promise<ControllerFlags> {
  const { port, reports, review } = options;
  readSchedule(review);
  if (reports !== undefined) hostPortOf('--reports', reports);
  const onCall = await onCallPathFor(options.oncall, siteFile);
  return { port: portOf(port), review, onCall, ...(reports === undefined ? {} : { reports }) };
}
