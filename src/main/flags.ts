import { readSchedule } from '#practice';
import { hostPortOf, portOf } from './port.ts';
import type { ControllerFlags } from './site-processes.ts';

/** What `up` and `adopt` say of the controller. @throws Failure HF013 before anything is started. */
export function controllerFlags(options: {
  readonly port: string;
  readonly reports?: string;
  readonly review: string;
}): ControllerFlags {
  const { port, reports, review } = options;
  readSchedule(review);
  if (reports !== undefined) hostPortOf('--reports', reports);
  return { port: portOf(port), review, ...(reports === undefined ? {} : { reports }) };
}
