export { createApi } from './app.ts';
export type { Backend } from './backend.ts';
