export { type ChangedSetting, changedSettings } from './settings.ts';
export { type DeadStep, type Unreached, unreached } from './unreached.ts';
