import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RunningEngine, Watched, Way } from '#agent';
import { type SitePaths, writeDurably } from '#base';

/** What was adopted, kept until it is handed back: how to start it again, and how far the adoption came. */
export interface Adoption {
  readonly dialect: RunningEngine['dialect'];
  /** The text on disk that it was started with. */
  readonly file: string;
  readonly binary: string;
  readonly version: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly pidFile: string | null;
  readonly unit: string | null;
  readonly main: RunningEngine['main'];
  /** How new connections come to ours. */
  readonly way: Way;
  /** What the other engine is kept from watching meanwhile; empty once it was told to end. */
  readonly watched: readonly Watched[];
  /** Null while the other engine was not told to end yet. */
  readonly adoptedAt: number | null;
}

function fileOf(paths: SitePaths): string {
  return join(paths.state, 'adoption.json');
}

export function keepAdoption(paths: SitePaths, adoption: Adoption): void {
  writeDurably(fileOf(paths), JSON.stringify(adoption));
}

/** Null: the site was not adopted, or was handed back. */
export function loadAdoption(paths: SitePaths): Adoption | null {
  try {
    return JSON.parse(readFileSync(fileOf(paths), 'utf8')) as Adoption;
  } catch {
    return null;
  }
}

export function forgetAdoption(paths: SitePaths): void {
  rmSync(fileOf(paths), { force: true });
}

export function adoptionOf(file: string, engine: RunningEngine, way: Way): Adoption {
  const { dialect, binary, version, command, folder, environment, unit, main } = engine;
  return {
    dialect,
    file,
    binary,
    version,
    args: command.args,
    folder,
    environment,
    pidFile: command.pidFile,
    unit,
    main,
    way,
    watched: [],
    adoptedAt: null,
  };
}
