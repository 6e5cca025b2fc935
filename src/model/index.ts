export { siteDifference } from './compare.ts';
export * from './difference.ts';
export { readSiteFile, type SiteFile } from './file.ts';
export { siteHash } from './hash.ts';
export { siteFileAliasesMax, siteFileBytesMax, siteFileDepthMax } from './limits.ts';
export { type ParsedSite, parseSite } from './parse.ts';
export { hostPort, routeOf } from './route.ts';
export { siteJsonSchema } from './schema.ts';
export * from './site.ts';
