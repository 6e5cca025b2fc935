import { Failure } from '#base';

/** `--port`. @throws Failure HF013 */
export function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Failure('HF013', `--port: expected a whole number from 0 to 65535, got "${text}"`);
}
