export { type BlowUp, blowsUp, blowUps } from './blow-up.ts';
export { type FallenHost, fallenHosts } from './hosts.ts';
export { type ChangedSetting, changedSettings } from './settings.ts';
export { type DeadStep, type Unreached, unreached } from './unreached.ts';
