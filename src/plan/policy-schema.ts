import { z } from 'zod';
import { documentReader } from '#model';

/** What a policy file looks like; `policy-file.ts` says what it means. */
export function policySchema() {
  const { words, expectations, policies } = documentReader();
  return z.strictObject(
    {
      text: words.fileName.optional(),
      expect: expectations.default([]),
      policies: policies.default([]),
    },
    'a policy file: text, expect, policies',
  );
}

/** The same two parts of a site file, whatever else is in it. */
export function statedSchema() {
  const { expectations, policies } = documentReader();
  return z.looseObject({ expect: expectations.default([]), policies: policies.default([]) }, 'a site');
}
