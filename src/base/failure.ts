import type { Diagnostic } from './diagnostics.ts';

/** Something an operator can act on went wrong: code from the catalogue, what happened, what to do. Exit code 1. */
export class Failure extends Error {
  readonly code: string;
  readonly remedy: string;
  readonly diagnostics: readonly Diagnostic[];

  constructor(code: string, message: string, remedy = '', diagnostics: readonly Diagnostic[] = []) {
    super(message);
    this.name = 'Failure';
    this.code = code;
    this.remedy = remedy;
    this.diagnostics = diagnostics;
  }
}

/** Our own mistake, not the operator's. Exit code 70. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}

/** The end of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
