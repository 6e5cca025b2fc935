import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Clock, type Diagnostic, Failure, formatDiagnostic } from '#base';
import type { Alert } from '#events';
import { readSiteFile } from '#model';

/** A file beside the site as it is in force: what was read last without a mistake. */
export interface SettingsFile<T> {
  current(): T | null;
  view(): { readonly file: string | null; readonly trouble: readonly Diagnostic[] };
  /** What is amiss with it, to be told like any other alert. */
  alerts(): readonly Alert[];
  /** Reads it anew where it has changed. Never rejects. */
  look(): Promise<void>;
}

/** What there is to know about one kind of such files. */
export interface SettingsKind<T> {
  /** `oncall.yaml` */
  readonly name: string;
  /** Of what is told when it cannot be used. */
  readonly alertname: string;
  read(
    text: string,
    file: string,
    now: number,
  ): { readonly value: T | null; readonly diagnostics: readonly Diagnostic[] };
}

const everyonesFolder = '/etc/holdfast';

/** The path that a controller is told: named, or beside the site file. @throws Failure when it has mistakes. */
export async function settingsPathFor<T>(
  kind: SettingsKind<T>,
  named: string | undefined,
  siteFile: string,
): Promise<string> {
  const everyones = join(everyonesFolder, kind.name);
  const path = resolve(named ?? join(dirname(siteFile), kind.name));
  const found = named !== undefined || stampOf(path) !== null ? path : everyones;
  if (named === undefined && stampOf(found) === null) return path;
  const { text } = await readSiteFile(found);
  const { value, diagnostics } = kind.read(text, named ?? found, Date.now());
  if (value) return path;
  throw new Failure(
    diagnostics[0]?.code ?? 'HF011',
    `${found} cannot be used, nothing was started`,
    'holdfast check FILE tells it again.',
    diagnostics,
  );
}

/** `path`: where it is looked for first; null: only where it is for every site of a machine. */
export function settingsFile<T>(
  kind: SettingsKind<T>,
  site: string,
  path: string | null,
  clock: Clock,
): SettingsFile<T> {
  let current: T | null = null;
  let stamp = '';
  let file: string | null = null;
  let trouble: readonly Diagnostic[] = [];
  let since = clock.now();

  async function read(from: string): Promise<void> {
    const { text } = await readSiteFile(from);
    const { value, diagnostics } = kind.read(text, from, clock.now());
    if (value) current = value;
    trouble = value ? [] : diagnostics.filter(({ severity }) => severity === 'error');
  }

  return {
    current: () => current,
    view: () => ({ file, trouble }),
    alerts: () => (trouble.length > 0 ? [broken(kind, site, trouble, since)] : []),
    async look() {
      const places = [path, join(everyonesFolder, kind.name)];
      const found = places.find((one) => one !== null && stampOf(one) !== null) ?? null;
      const now = found === null ? 'gone' : `${found} ${stampOf(found)}`;
      if (now === stamp) return;
      const wasThere = current !== null;
      stamp = now;
      since = clock.now();
      file = found;
      try {
        if (found !== null) await read(found);
        // A file that goes away is a mistake sooner than a wish: what was in force goes on to be.
        else trouble = wasThere ? [unreadable('', 'it is gone')] : [];
      } catch (error) {
        trouble = [unreadable(found ?? '', error instanceof Error ? error.message : String(error))];
      }
    },
  };
}

function stampOf(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found?.isFile() ? `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}` : null;
}

function unreadable(file: string, message: string): Diagnostic {
  return { code: 'HF003', severity: 'error', place: null, path: file, message, remedy: '' };
}

function broken<T>(
  { name, alertname }: SettingsKind<T>,
  site: string,
  trouble: readonly Diagnostic[],
  since: number,
): Alert {
  const [first] = trouble;
  const cause = first ? formatDiagnostic(first) : '';
  return {
    labels: { alertname, severity: 'error', site },
    annotations: {
      summary: `${name} cannot be used as it is now`,
      users: 'Nothing; the one before is in force.',
      cause,
      action: `Mend it: \`holdfast check ${name}\`. It is read again by itself.`,
    },
    startsAt: since,
    endsAt: null,
    generatorURL: '',
  };
}
