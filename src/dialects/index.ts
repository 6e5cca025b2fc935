export { builtinDialect } from './builtin/dialect.ts';
export type * from './builtin/vocabulary.ts';
export { builtinFormat, builtinLimits } from './builtin/vocabulary.ts';
export * from './dialect.ts';
export type { Feature } from './features/feature.ts';
export { type Cannot, type FeatureName, featureNames, featureOf, features } from './features.ts';
export { errorLineOf as haproxyErrorLine } from './haproxy/access-log.ts';
export { haproxyDialect } from './haproxy/dialect.ts';
export type { LiftSource as HaproxyText } from './haproxy/lift/index.ts';
export { ours as haproxyNames } from './haproxy/vocabulary.ts';
export type { KeepAlive } from './keep-alive.ts';
export { type LiftFiles, liftHaproxy, liftNginx, liftOwn, Shared, stageOwn } from './lift.ts';
export { nginxDialect } from './nginx/dialect.ts';
export type { NginxText } from './nginx/lift/lift.ts';
export type { TextFiles } from './nginx/lift/tree.ts';
export type { TlsFacts as NginxTlsFacts } from './nginx/pools.ts';
export {
  badFields as nginxBadFields,
  firstSocketFd as nginxFirstFd,
  ours as nginxNames,
} from './nginx/vocabulary.ts';
export type * from './own.ts';

export { ownDialects, readSite } from './read.ts';
export { dialectOf } from './recognise.ts';
export { dialects, loadDialects } from './registry.ts';
export { exactly, hostLanguage, pathLanguage } from './site/condition.ts';
export { meaningOfSite } from './site/meaning.ts';
export * from './stage.ts';
export { unsupportedBy, unsupportedUses } from './unsupported.ts';
