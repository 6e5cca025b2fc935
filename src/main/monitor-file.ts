import { type Monitoring, readMonitoring } from '#monitor';
import type { SettingsFile, SettingsKind } from './settings-file.ts';

export type MonitorFile = SettingsFile<Monitoring>;

/** Names are held against a site by `holdfast check`: here one that a change took away has nothing to count, and the rest goes on. */
export const monitorKind: SettingsKind<Monitoring> = {
  name: 'monitor.yaml',
  alertname: 'MonitorFileBroken',
  read(text, file) {
    const { monitoring: value, diagnostics } = readMonitoring(text, file, null);
    return { value, diagnostics };
  },
};
