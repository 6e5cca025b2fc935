import { readSchedule } from '#practice';
import { monitorKind } from './monitor-file.ts';
import { onCallKind } from './on-call-file.ts';
import { hostPortOf, portOf } from './port.ts';
import { settingsPathFor } from './settings-file.ts';
import type { ControllerFlags } from './site-processes.ts';

/** What `up` and `adopt` say of the controller. @throws Failure before anything is started. */
export async function controllerFlags(
  options: {
    readonly port: string;
    readonly reports?: string;
    readonly review: string;
    readonly oncall?: string;
    readonly monitor?: string;
  },
  siteFile: string,
): Promise<ControllerFlags> {
  const { port, reports, review } = options;
  readSchedule(review);
  if (reports !== undefined) hostPortOf('--reports', reports);
  const onCall = await settingsPathFor(onCallKind, options.oncall, siteFile);
  const monitor = await settingsPathFor(monitorKind, options.monitor, siteFile);
  return { port: portOf(port), review, onCall, monitor, ...(reports === undefined ? {} : { reports }) };
}
