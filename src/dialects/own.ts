import type { Place } from '#base';
import type { IncludedText, OwnText, ParsedSite, WrittenText } from '#model';
import type { Placement } from './dialect.ts';
import type { KeepAlive } from './keep-alive.ts';

/**
 * A team's own text as a site. Each dialect that has one keeps it in the same file names: `own.ts` (this object),
 * `own/survey.ts` (text -> site), `own/transplant.ts` (text -> the same text at another place), `own/files.ts`.
 */
export interface OwnDialect {
  /** Names (with globs) of files that the text includes, for whoever reads it, each once. Relative ones start at the text's folder. */
  includes(file: string, text: string): readonly IncludeName[];
  /**
   * A survey, not the meaning: listeners and pools as far as they are plainly written, no routes. Null when a line says
   * something that cannot be carried over; then `diagnostics` have an error with that line. Never throws, whatever the text.
   */
  adopt(text: WrittenText): ParsedSite;
  /** What the text reads and writes outside of itself, by the names it uses. */
  files(own: Pick<OwnText, 'file' | 'folder' | 'text' | 'includes'>): readonly OwnFile[];
  /**
   * Logs from which somebody who only looks can count requests. `prefix`: where relative names start; null: as it is built.
   * Absent: the engine tells that in another way.
   */
  accessLogs?(own: Pick<OwnText, 'file' | 'folder' | 'text' | 'includes'>, prefix: string | null): AccessLogs;
  /** How connections of clients end by themselves. */
  keepAlive(own: Pick<OwnText, 'file' | 'folder' | 'text' | 'includes'>): KeepAlive;
  /** The user that the text names for the engine. */
  user(own: OwnText): string | null;
  /** The unchanged text, but for the lines that are listed. Pure: same text and places, same result. */
  transplant(own: OwnText, places: OwnPlaces): Transplanted;
}

export interface IncludeName {
  readonly pattern: string;
  /** Where the text says it first. */
  readonly place: Place;
}

export interface OwnFile {
  /** As the text says it, made absolute. */
  readonly path: string;
  /** `read`: a certificate, key or list. `write`: a log. `control`: a socket that takes commands. */
  readonly use: 'read' | 'write' | 'control';
  readonly file: string;
  readonly line: number;
  /** Of a socket that takes commands: who may speak to it, as the text has it. */
  readonly access?: ControlAccess;
}

export interface ControlAccess {
  /** Only an admin may change something. */
  readonly level: 'user' | 'operator' | 'admin';
  /** Octal digits, names or numbers; null: not said. */
  readonly mode: string | null;
  readonly user: string | null;
  readonly group: string | null;
}

export interface OwnPlaces {
  readonly purpose: 'serve' | 'rehearse' | 'boot';
  readonly placement: Pick<Placement, 'listeners' | 'control' | 'threads' | 'replays'>;
  /** Absolute folder that the text will lie in, with the files that it includes. The engine may write there. */
  readonly folder: string;
  /** By the path of an OwnFile: where the engine finds it instead, because its user may not open the original. */
  readonly files: Readonly<Record<string, string>>;
}

export interface Transplanted {
  readonly text: string;
  /** For each line of `text`, the line of the team's text that it is, or that it was added after. */
  readonly original: readonly number[];
  /** Included files, to be written below the folder, by path relative to it. */
  readonly includes: readonly IncludedText[];
  readonly rewritten: readonly RewrittenLine[];
}

/** One line that is not as the team wrote it. `before` is empty for a line that was added. */
export interface RewrittenLine {
  readonly file: string;
  /** In the team's own text. */
  readonly line: number;
  readonly before: string;
  readonly after: string;
  readonly why: string;
}

/** A log in which each request of some levels of the text has a line. */
export interface AccessLog {
  /** Absolute. */
  readonly path: string;
  /** As `log_format` has them: variables and what stands between. A line is in one of them. */
  readonly formats: readonly LogFormat[];
}

export interface LogFormat {
  readonly name: string;
  readonly text: string;
}

export interface AccessLogs {
  readonly logs: readonly AccessLog[];
  /** Lines of the text whose requests are in none of them, and why. */
  readonly unseen: readonly { readonly place: Place; readonly why: string }[];
}
