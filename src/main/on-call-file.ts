import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type OnCall, readOnCall } from '#alerting';
import { type Clock, type Diagnostic, Failure, formatDiagnostic } from '#base';
import type { OnCallView } from '#contract';
import type { Alert } from '#events';
import { readSiteFile } from '#model';

/** oncall.yaml as it is in force: what was read last without a mistake. */
export interface OnCallFile {
  current(): OnCall | null;
  view(): Pick<OnCallView, 'file' | 'trouble'>;
  /** What is amiss with it, to be told like any other alert. */
  alerts(): readonly Alert[];
  /** Reads it anew where it has changed. Never rejects. */
  look(): Promise<void>;
}

const everyones = '/etc/holdfast/oncall.yaml';

/** The path that a controller is told: named, or beside the site file. @throws Failure when it has mistakes. */
export async function onCallPathFor(named: string | undefined, siteFile: string): Promise<string> {
  const path = resolve(named ?? join(dirname(siteFile), 'oncall.yaml'));
  const found = named !== undefined || stampOf(path) !== null ? path : everyones;
  if (named === undefined && stampOf(found) === null) return path;
  const { text } = await readSiteFile(found);
  const { onCall, diagnostics } = readOnCall(text, named ?? found, Date.now());
  if (onCall) return path;
  throw new Failure(
    diagnostics[0]?.code ?? 'HF011',
    `${found} cannot be used, nothing was started`,
    'holdfast check FILE tells it again.',
    diagnostics,
  );
}

/** `path`: where it is looked for first; null: only where it is for every site of a machine. */
export function onCallFile(site: string, path: string | null, clock: Clock): OnCallFile {
  let current: OnCall | null = null;
  let stamp = '';
  let file: string | null = null;
  let trouble: readonly Diagnostic[] = [];
  let since = clock.now();

  async function read(from: string): Promise<void> {
    const { text } = await readSiteFile(from);
    const { onCall, diagnostics } = readOnCall(text, from, clock.now());
    if (onCall) current = onCall;
    trouble = onCall ? [] : diagnostics.filter(({ severity }) => severity === 'error');
  }

  return {
    current: () => current,
    view: () => ({ file: current ? (file ?? current.file) : file, trouble }),
    alerts: () => (trouble.length > 0 ? [broken(site, trouble, since)] : []),
    async look() {
      const found = [path, everyones].find((one) => one !== null && stampOf(one) !== null) ?? null;
      const now = found === null ? 'gone' : `${found} ${stampOf(found)}`;
      if (now === stamp) return;
      const wasThere = current !== null;
      stamp = now;
      since = clock.now();
      file = found;
      try {
        if (found !== null) await read(found);
        // A file that goes away is a mistake sooner than a wish: who was paged goes on to be.
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

function broken(site: string, trouble: readonly Diagnostic[], since: number): Alert {
  const [first] = trouble;
  const cause = first ? formatDiagnostic(first) : '';
  return {
    labels: { alertname: 'OnCallFileBroken', severity: 'error', site },
    annotations: {
      summary: 'oncall.yaml cannot be used as it is now',
      users: 'Nothing; the one before is in force.',
      cause,
      action: 'Mend it: `holdfast check oncall.yaml`. It is read again by itself.',
    },
    startsAt: since,
    endsAt: null,
    generatorURL: '',
  };
}
