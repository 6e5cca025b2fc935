export { apiFile, baseFolders, sitesThatRun } from './base-folders.js';
export { type Code, catalogue } from './catalogue.ts';
export { after, type Clock, systemClock } from './clock.ts';
export { codeCache } from './code-folder.js';
export { type Diagnostic, didYouMean, formatDiagnostic, type Place } from './diagnostics.ts';
export { assert, Failure, messageOf, unreachable } from './failure.ts';
export { type DiskCalls, type Files, systemDisk, systemFiles, writeDurably } from './files.ts';
export { labelOfFolder, writeFolderDurably } from './folder-durably.ts';
export { jsonLog, type Log, silentLog } from './log.ts';
export { once } from './once.ts';
export {
  type ApiLocation,
  agentSocket,
  type SitePaths,
  sitePaths,
} from './paths.ts';
export {
  childrenOf,
  groupMembers,
  identify,
  isAlive,
  isGroupAlive,
  isStopped,
  ownWaitedMs,
  type ProcessIdentity,
  signal,
  signalGroup,
} from './process.ts';
export {
  type ReadSecret,
  type SecretRef,
  secretReader,
  secretRefOf,
  type UrlRef,
  urlFrom,
} from './secrets.ts';
export { eachLine, type Handlers, serveWire, type WireClient, wireClient } from './wire.ts';
