/** What every way of smuggling is said with. */
import type { ContractCase } from '../../test/contract/case.ts';

export interface Attempt {
  readonly id: string;
  readonly way: string;
  readonly client: ContractCase['client'];
  /** How many requests it says, for whoever reads it: 1. */
  readonly requests?: number;
}

/** What must not be seen as a request of its own. */
export const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a.example\r\nX-Ignore: ';
export const host = 'Host: a.example';
export const chunkedEmpty = `0\r\n\r\n${smuggled}`;

export function attempt(id: string, way: string, ...bytes: readonly string[]): Attempt {
  return { id, way, client: bytes };
}

export function posted(fields: readonly string[], body: string, target = '/'): string {
  return `${[`POST ${target} HTTP/1.1`, host, ...fields].join('\r\n')}\r\n\r\n${body}`;
}
