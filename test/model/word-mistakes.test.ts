import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changed, linesOf } from './site.ts';

/** What an operator got wrong in a listener or in what all share, the file with it, and every line that is told. */
const mistakes: readonly {
  readonly what: string;
  readonly text: string;
  readonly told: readonly string[];
}[] = [
  {
    what: 'client certificates without the authorities that sign them, and half-asked for',
    text: changed(
      '"*:8080" }',
      '"*:8443", tls: { certificates: [{ certificate: a.pem, key: a.key }], clientCertificates: { verify: maybe } } }',
    ),
    told: [
      'HF012 site.yaml:3:117 listeners[0].tls.clientCertificates.ca: missing, expected the name of a file, at most 1024 characters, without control characters',
      'HF013 site.yaml:3:127 listeners[0].tls.clientCertificates.verify: expected one of "required", "optional", got "maybe"',
    ],
  },
];

for (const { what, text, told } of mistakes) test(what, () => assert.deepEqual(linesOf(text), told));
