/** What an answer of the command line has to be, whatever the input. */
import type { Command } from './child.ts';

const outputMax = 64 * 1024 * 1024;

/** Empty: the answer is one. */
export function faultsIn(
  { args, wanted }: Command,
  folder: string,
  exit: number,
  out: string,
  err: string,
): readonly string[] {
  const said = `${out}${err}`.slice(0, 1_500);
  if (exit !== 0 && exit !== 1 && exit !== 2) return [`exit status ${exit}: ${said}`];
  if (out.length + err.length > outputMax) return [`it says ${out.length + err.length} characters`];
  if (!args.includes('--json')) return [];
  const document = documentIn(out);
  if (document === null) return [`no JSON document: ${said}`];
  if (exit === 1) return unplaced(document, folder, said);
  const faults = args[0] === 'plan' ? badLines(document) : [];
  return wanted === 'same' && exit !== 0 ? [...faults, `a text is not the same as itself: ${said}`] : faults;
}

function documentIn(out: string): Record<string, unknown> | null {
  try {
    const document: unknown = JSON.parse(out);
    return typeof document === 'object' && document !== null ? (document as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** A refusal has a code, and says which file, and where in it. */
function unplaced(document: Record<string, unknown>, folder: string, said: string): readonly string[] {
  const { error } = document as { error?: { code?: string; detail?: string; diagnostics?: Diagnosed[] } };
  const files = (document.files ?? []) as {
    diagnostics: Diagnosed[];
    engine: { accepted: boolean } | null;
  }[];
  const policies = (document.policies ?? []) as { held: boolean }[];
  if (policies.some(({ held }) => !held)) return [];
  const told = [...(error?.diagnostics ?? []), ...files.flatMap(({ diagnostics }) => diagnostics)];
  const isPlaced =
    error?.detail?.includes(folder) || told.some(({ place, message }) => place || message.includes(folder));
  const byEngine = files.some(({ engine }) => engine?.accepted === false);
  if (!isPlaced && !byEngine) return [`a refusal that names no place: ${said}`];
  const codes = [error?.code, ...told.map(({ code }) => code)].filter((code) => code !== undefined);
  return codes.every((code) => /^HF\d{3}$/.test(code)) ? [] : [`a refusal without a code: ${said}`];
}

interface Diagnosed {
  readonly code: string;
  readonly message: string;
  readonly place: { readonly line: number } | null;
}

function badLines(document: Record<string, unknown>): readonly string[] {
  const lines = document.notUnderstood;
  if (!Array.isArray(lines)) return ['no list of what is not understood'];
  const bad = (lines as { file?: unknown; line?: unknown; why?: unknown }[]).find(
    ({ file, line, why }) => typeof file !== 'string' || !Number.isInteger(line) || Number(line) < 1 || !why,
  );
  return bad ? [`a line that is not understood has no place: ${JSON.stringify(bad)}`] : [];
}
