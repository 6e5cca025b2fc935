import type { Diagnostic, Place } from '#base';

/** Collects what a survey has to say, each with its line. */
export interface Findings {
  readonly all: readonly Diagnostic[];
  /** The text cannot be carried over because of this line. */
  refuse(place: Place, path: string, message: string, remedy?: string): void;
  /** It can, but this line does not do what it did, or is not seen. */
  note(place: Place, path: string, message: string, remedy?: string): void;
}

const findingsMax = 200;

export function collectFindings(): Findings {
  const all: Diagnostic[] = [];
  const add =
    (code: string, severity: Diagnostic['severity']): Findings['refuse'] =>
    (place, path, message, remedy = '') => {
      if (all.length < findingsMax) all.push({ code, severity, place, path, message, remedy });
    };
  return { all, refuse: add('HF030', 'error'), note: add('HF031', 'warning') };
}

/** `name`, `name-2`, `name-3`: names that a text uses twice are told apart. */
export function uniqueNames(): (name: string) => string {
  const used = new Set<string>();
  return (name) => {
    let unique = name;
    for (let n = 2; used.has(unique); n += 1) unique = `${name}-${n}`;
    used.add(unique);
    return unique;
  };
}
