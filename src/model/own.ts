import type { Place } from '#base';

/** What people write a site in: `site` is site.yaml; the others are an engine's own language. */
export const textDialects = ['site', 'haproxy', 'nginx'] as const;
export type TextDialect = (typeof textDialects)[number];
export type OwnDialectName = Exclude<TextDialect, 'site'>;

/** A file that a text includes, as it was read together with it: own texts' includes, bodies of a site's answers. */
export interface IncludedText {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

/** A file that an own text names, as a certificate is: it stays where it is, and a change of it is a change of the site. */
export interface FileDigest {
  /** Absolute. */
  readonly path: string;
  /** SHA-256 in hex; empty when it could not be read. */
  readonly sha256: string;
}

/** A text as it was read, before anybody asked what it means. */
export interface WrittenText {
  /** The file's name as the person gave it: what diagnostics say. */
  readonly file: string;
  /** Absolute folder that relative paths in the text start from. */
  readonly folder: string;
  readonly text: string;
  /** Absent: `site`. */
  readonly dialect?: TextDialect;
  readonly includes?: readonly IncludedText[];
  readonly digests?: readonly FileDigest[];
  /** What an own text does not say: the site's name and its balancer's. Absent: the dialect's name, and `lb-1`. */
  readonly site?: string;
  readonly balancer?: string;
  /** Its policy file, where the text cannot say such things itself. */
  readonly policy?: IncludedText;
}

/** A team's own text that is a site: enough to write it out again unchanged. */
export interface OwnText {
  readonly dialect: OwnDialectName;
  readonly file: string;
  readonly folder: string;
  readonly text: string;
  readonly includes: readonly IncludedText[];
  readonly digests: readonly FileDigest[];
  /** A listener that answers plain HTTP (with TLS, where it has it), as a probe can ask it; null: none does. */
  readonly httpListener: string | null;
  /** What is shown to clients over TLS, as far as it is plainly written. */
  readonly certificates: readonly OwnCertificate[];
}

export interface OwnCertificate {
  /** Absolute; it may be a folder of them. */
  readonly certificate: string;
  /** Null: in the same file, or beside it. */
  readonly key: string | null;
  /** Host names that it is shown for; none: whatever the client asks for. */
  readonly names: readonly string[];
  readonly place: Place;
}
