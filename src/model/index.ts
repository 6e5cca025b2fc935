export { siteDifference } from './compare.ts';
export * from './difference.ts';
export { readSiteFile, type SiteFile } from './file.ts';
export { siteHash } from './hash.ts';
export { siteFileAliasesMax, siteFileBytesMax, siteFileDepthMax } from './limits.ts';
export type { ParsedSite } from './parse.ts';
export { checkCertificates, parseSite, siteJsonSchema } from './reading.ts';
export { hostPort, routeOf } from './route.ts';
export * from './site.ts';
