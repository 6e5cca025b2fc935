export { type ApiClient, findApi } from './api-client.ts';
export { type Exit, exit } from './command.ts';
export type { Io } from './io.ts';
export { digestsOf } from './own-text.ts';
export { type CliParts, createProgram, runCli } from './program.ts';
export { readLocally } from './site-text.ts';
