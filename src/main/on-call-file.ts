import { type OnCall, readOnCall } from '#alerting';
import type { Clock } from '#base';
import type { OnCallView } from '#contract';
import { type SettingsFile, type SettingsKind, settingsFile } from './settings-file.ts';

export interface OnCallFile extends SettingsFile<OnCall> {
  view(): Pick<OnCallView, 'file' | 'trouble'>;
}

export const onCallKind: SettingsKind<OnCall> = {
  name: 'oncall.yaml',
  alertname: 'OnCallFileBroken',
  read(text, file, now) {
    const { onCall: value, diagnostics } = readOnCall(text, file, now);
    return { value, diagnostics };
  },
};

/** `path`: where it is looked for first; null: only where it is for every site of a machine. */
export function onCallFile(site: string, path: string | null, clock: Clock): OnCallFile {
  const one = settingsFile(onCallKind, site, path, clock);
  return {
    ...one,
    view() {
      const current = one.current();
      const { file, trouble } = one.view();
      return { file: current ? (file ?? current.file) : file, trouble };
    },
  };
}
