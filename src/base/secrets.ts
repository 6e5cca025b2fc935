import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from './failure.ts';

/** Where a secret lies; the secret itself is read when it is needed and kept nowhere. */
export type SecretRef =
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string }
  /** Of systemd: a file in $CREDENTIALS_DIRECTORY. */
  | { readonly kind: 'credential'; readonly name: string };

/** An address that may itself be a secret, as those of Slack and Teams are. */
export type UrlRef = { readonly kind: 'url'; readonly url: string } | SecretRef;

/** As settings files have it. */
export function secretRefOf(given: {
  env?: string | undefined;
  file?: string | undefined;
  credential?: string | undefined;
}): SecretRef {
  if (given.env !== undefined) return { kind: 'env', name: given.env };
  if (given.file !== undefined) return { kind: 'file', path: given.file };
  return { kind: 'credential', name: given.credential ?? '' };
}

/** Reads a secret each time that it is needed: one that was changed is in force at once. @throws Failure HF604 */
export type ReadSecret = (ref: SecretRef) => string;

const secretBytesMax = 64 * 1024;

/** What failed is told by where it should be; the secret itself stands in no message. */
export function secretReader(env: NodeJS.ProcessEnv): ReadSecret {
  return (ref) => {
    const found = ref.kind === 'env' ? (env[ref.name] ?? '') : readSmall(pathOf(ref, env), ref);
    const secret = found.replace(/\r?\n$/, '');
    if (secret !== '') return secret;
    throw new Failure('HF604', `${wordsOf(ref)} is empty or not set`);
  };
}

function pathOf(ref: SecretRef & { readonly kind: 'file' | 'credential' }, env: NodeJS.ProcessEnv): string {
  if (ref.kind === 'file') return ref.path;
  const folder = env.CREDENTIALS_DIRECTORY;
  if (folder) return join(folder, ref.name);
  throw new Failure('HF604', `${wordsOf(ref)}: systemd gave none (CREDENTIALS_DIRECTORY is not set)`);
}

function readSmall(path: string, ref: SecretRef): string {
  try {
    const { size } = statSync(path);
    if (size > secretBytesMax)
      throw new Failure('HF604', `${wordsOf(ref)} has more than ${secretBytesMax} bytes`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new Failure('HF604', `${wordsOf(ref)} cannot be read (${code})`);
  }
}

/** `the variable SLACK_URL`, `the file /etc/holdfast/key` */
export function wordsOf(ref: SecretRef): string {
  switch (ref.kind) {
    case 'env':
      return `the variable ${ref.name}`;
    case 'file':
      return `the file ${ref.path}`;
    case 'credential':
      return `the credential ${ref.name}`;
  }
}

/** @throws Failure HF604 when it is a secret that cannot be read, or is no address. */
export function urlFrom(ref: UrlRef, read: ReadSecret): string {
  if (ref.kind === 'url') return ref.url;
  const url = read(ref);
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return url;
  throw new Failure('HF604', `${wordsOf(ref)} holds no address (https://...)`);
}
