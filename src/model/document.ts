import { z } from 'zod';
import type { Diagnostic, Place } from '#base';
import { type Shape, shapeMistakes } from './mistakes.ts';
import { remembered } from './shaped.ts';
import { type Path, readYaml } from './yaml.ts';

/** A YAML document of another kind than a site, read with the same care. */
export interface ReadDocument<T> {
  /** Null as soon as there is a mistake. */
  readonly value: T | null;
  readonly diagnostics: readonly Diagnostic[];
  placeOf(path: Path): Place;
}

/** Every mistake at once, each with its place. Never throws, whatever the text. */
export function readDocument<T extends z.ZodType>(
  text: string,
  file: string,
  schema: T,
): ReadDocument<z.output<T>> {
  const { source, diagnostics } = readYaml(text, file);
  const start = { file, line: 1, column: 1 };
  if (source === null) return { value: null, diagnostics, placeOf: () => start };
  const json = z.toJSONSchema(schema, { io: 'input', target: 'draft-7' });
  const read = remembered(schema);
  const shape: Shape = { read, json: () => json };
  const all = [...diagnostics, ...shapeMistakes(source, shape)];
  const { data = null } = read(source.value);
  const value = all.some(({ severity }) => severity === 'error') ? null : data;
  return { value, diagnostics: all, placeOf: source.placeOf };
}
