import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, messageOf, writeDurably } from '#base';
import type { SiteText } from '#contract';
import {
  type CertificateFacts,
  certificateFacts,
  pemFiles,
  revocationsEnd,
  type Site,
  siteHash,
} from '#model';

/** Certificates and keys by path. */
export type Pems = Readonly<Record<string, string>>;

/**
 * What certificates and keys held when a text was proposed, kept for as long as the text may be started: a renewal that
 * went wrong on the disk must not reach an engine that is started again. Files for this user only, one for each text.
 */
export class Certificates {
  readonly #folder: string;
  readonly #known = new Map<string, Pems>();

  constructor(state: string) {
    this.#folder = join(state, 'certificates');
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
  }

  /** As the files are now. @throws Failure HF018 when one cannot be read, or is not what the text's hash was made of. */
  take(text: SiteText, site: Site): Pems {
    const pems = readAll(site);
    const { certificates, authorities } = pemFiles(site);
    const shown = Object.fromEntries(
      [...certificates, ...authorities].map((path) => [path, pems[path] ?? '']),
    );
    if (text.hash !== siteHash(site, shown) && text.hash !== siteHash(site))
      throw new Failure(
        'HF018',
        'a certificate was written anew after the change was proposed',
        'Propose it again: `holdfast apply FILE`.',
      );
    this.#known.set(text.hash, pems);
    if (Object.keys(pems).length > 0) writeDurably(this.#file(text), JSON.stringify(pems));
    return pems;
  }

  /** As they were when the text was proposed. */
  of(text: SiteText, site: Site): Pems {
    const known = this.#known.get(text.hash) ?? this.#load(text);
    if (!known) return this.take(text, site);
    this.#known.set(text.hash, known);
    return known;
  }

  /** What is shown to clients of a text that runs, by file. */
  facts(text: SiteText, site: Site): readonly (CertificateFacts & { readonly file: string })[] {
    if (site.own)
      return [...new Set(site.own.certificates.map(({ certificate }) => certificate))].flatMap(ownFacts);
    const pems = this.of(text, site);
    const lists = site.listeners.flatMap(({ tls }) => tls?.clients?.revocations ?? []);
    return [
      ...pemFiles(site).certificates.flatMap((file) => {
        const facts = certificateFacts(pems[file] ?? '');
        return facts ? [{ file, ...facts }] : [];
      }),
      ...[...new Set(lists)].flatMap((file) => {
        const validTo = revocationsEnd(pems[file] ?? '');
        return validTo === null ? [] : [{ file, names: ['revocation list'], validTo }];
      }),
    ];
  }

  /** Forgets what belongs to other texts. */
  keepOnly(texts: readonly SiteText[]): void {
    const hashes = new Set(texts.map(({ hash }) => hash));
    for (const name of readdirSync(this.#folder))
      if (!hashes.has(name.replace(/\.json$/, ''))) rmSync(join(this.#folder, name), { force: true });
    for (const hash of this.#known.keys()) if (!hashes.has(hash)) this.#known.delete(hash);
  }

  #file({ hash }: SiteText): string {
    return join(this.#folder, `${hash}.json`);
  }

  #load(text: SiteText): Pems | null {
    try {
      return JSON.parse(readFileSync(this.#file(text), 'utf8')) as Pems;
    } catch {
      return null;
    }
  }
}

/** Of a team's own text: as its engine found the file, or will when it starts anew. */
function ownFacts(file: string): readonly (CertificateFacts & { readonly file: string })[] {
  try {
    const facts = certificateFacts(readFileSync(file, 'utf8'));
    return facts ? [{ file, ...facts }] : [];
  } catch {
    return [];
  }
}

function readAll(site: Site): Pems {
  const { certificates, authorities, keys } = pemFiles(site);
  return Object.fromEntries([...certificates, ...authorities, ...keys].map((path) => [path, readOne(path)]));
}

function readOne(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Failure('HF018', `${path} cannot be read: ${messageOf(error)}`);
  }
}
