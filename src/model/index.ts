export { type CertificateFacts, certificateFacts } from './certificate-facts.ts';
export { pemFiles, readCertificateFile, readCertificates } from './certificate-file.ts';
export { siteDifference } from './compare.ts';
export * from './difference.ts';
export type { ReadDocument } from './document.ts';
export { readSiteFile, type SiteFile } from './file.ts';
export { filesAround, filesOf, readRegular } from './files-around.ts';
export { meaningOf, siteHash } from './hash.ts';
export { siteFileAliasesMax, siteFileBytesMax, siteFileDepthMax } from './limits.ts';
export * from './own.ts';
export type { SurveyedPool, SurveyedSite } from './own-site.ts';
export type { ParsedSite } from './parse.ts';
export * from './pool.ts';
export {
  checkCertificates,
  documentReader,
  ownSite,
  parseSite,
  settingsWords,
  siteJsonSchema,
  withIncludes,
  withSpare,
} from './reading.ts';
export { revocationsEnd } from './revocation-list.ts';
export { hostPort, routeOf } from './route.ts';
export type { SettingsWords } from './settings-words.ts';
export { SharedItems } from './shared-items.ts';
export * from './site.ts';
export {
  isSpareTurn,
  joinedSpares,
  spareName,
  waitingSpares,
  withoutJoined,
} from './spares.ts';
export { streamPools, streamsOf } from './stream.ts';
export { durationOrNull } from './words.ts';
