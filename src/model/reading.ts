import { createRequire } from 'node:module';
import type { checkCertificates as CheckCertificates } from './certificates.ts';
import type { readDocument as ReadDocument } from './document.ts';
import type { withIncludes as WithIncludes } from './included.ts';
import type { ownSite as OwnSite } from './own-site.ts';
import type { parseSite as ParseSite } from './parse.ts';
import type { siteJsonSchema as SiteJsonSchema } from './schema.ts';
import type * as Policies from './schema-policies.ts';
import type * as Words from './schema-words.ts';
import type { settingsWords as ReadSettingsWords } from './settings-words.ts';
import type { withSpare as WithSpare } from './spare-text.ts';

/**
 * What reads a site's text, loaded when the first text is read. The YAML parser and the schemas are most of what
 * the model takes in memory, and the processes that run for months (the holder) know sites but never read one.
 */
const load = createRequire(import.meta.url);

export const parseSite: typeof ParseSite = (...given) =>
  (load('./parse.ts') as { parseSite: typeof ParseSite }).parseSite(...given);

/** A site's text with the files that it names. */
export const withIncludes: typeof WithIncludes = (...given) =>
  (load('./included.ts') as { withIncludes: typeof WithIncludes }).withIncludes(...given);

export const siteJsonSchema: typeof SiteJsonSchema = () =>
  (load('./schema.ts') as { siteJsonSchema: typeof SiteJsonSchema }).siteJsonSchema();

export const checkCertificates: typeof CheckCertificates = (...given) =>
  (load('./certificates.ts') as { checkCertificates: typeof CheckCertificates }).checkCertificates(...given);

export const withSpare: typeof WithSpare = (...given) =>
  (load('./spare-text.ts') as { withSpare: typeof WithSpare }).withSpare(...given);

export const ownSite: typeof OwnSite = (...given) =>
  (load('./own-site.ts') as { ownSite: typeof OwnSite }).ownSite(...given);

/** What reads documents of other kinds, and the words that they share with a site. */
export function documentReader(): {
  readonly readDocument: typeof ReadDocument;
  readonly words: typeof Words;
  readonly expectations: typeof Policies.expectations;
  readonly policies: typeof Policies.policies;
} {
  const { readDocument } = load('./document.ts') as { readDocument: typeof ReadDocument };
  const { expectations, policies } = load('./schema-policies.ts') as typeof Policies;
  return { readDocument, words: load('./schema-words.ts') as typeof Words, expectations, policies };
}

/** The words of the files beside a site. */
export const settingsWords: typeof ReadSettingsWords = () =>
  (load('./settings-words.ts') as { settingsWords: typeof ReadSettingsWords }).settingsWords();
